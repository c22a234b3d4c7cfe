//! Checks by the end of a file whether it is complete. Only the first and the last bytes of a file are needed.

use crate::object::{FileType, stl_size, triangles};

/// Number of bytes that are kept of the end of a file.
pub(super) const ENDING_LEN: usize = 256;
/// Signature of the record at the end of a ZIP archive, and the length of the record without a comment.
const ZIP_END: &[u8] = b"PK\x05\x06";
/// The last chunk of a PNG: its length, name and CRC.
const PNG_END: &[u8] = b"\0\0\0\0IEND\xaeB`\x82";
/// The last bytes of a binary FBX.
const FBX_END: &[u8] = b"\xf8\x5a\x8c\x6a\xde\xf5\xd9\x7e\xec\xe9\x0c\xe3\x75\x8f\x29\x0b";

/// The first and the last bytes of a file, and its size.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileEnds<'a> {
    pub(super) first: &'a [u8],
    pub(super) last: &'a [u8],
    pub(super) size: u64,
}

/// Whether a file is complete.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ending {
    /// The format says where the file ends, and it ends there.
    Complete,
    /// The file ends before the end that the format says.
    Truncated(String),
    /// The format does not say where the file ends, or that is not known here.
    Unknown,
}

impl FileEnds<'_> {
    /// Returns whether a file of this type is complete.
    pub(super) fn check(self, file_type: FileType) -> Ending {
        match file_type {
            FileType::GLB => self.has_size(self.number_le(8)),
            FileType::BMP => self.has_size(self.number_le(2)),
            FileType::WEBP | FileType::AVI => self.has_size(self.number_le(4).map(|size| size + 8)),
            FileType::WEBM | FileType::MKV => self.has_size(ebml_size(self.first)),
            FileType::PNG => self.contains(PNG_END, "an IEND chunk"),
            FileType::JPEG => self.contains(b"\xff\xd9", "an end-of-image marker"),
            FileType::GIF => self.ends_with(b";", "a trailer"),
            FileType::ZIP | FileType::USDZ | FileType::THREE_MF => {
                self.contains(ZIP_END, "an end-of-central-directory record")
            }
            FileType::FBX if self.first.starts_with(b"Kaydara") => {
                self.contains(FBX_END, "the signature of the end of an FBX")
            }
            FileType::STL if self.is_text_stl() => self.contains(b"endsolid", "`endsolid`"),
            FileType::STL => self.has_size(triangles(self.first).map(stl_size)),
            FileType::DAE => self.contains(b"</COLLADA>", "`</COLLADA>`"),
            FileType::GLTF => self.ends_with(b"}", "`}`"),
            FileType::USDC => self.has_more_than(self.number_le(16)),
            _ => Ending::Unknown,
        }
    }

    /// Compares the size with the one that the file declares. Bytes after its end are not checked.
    fn has_size(self, declared: Option<u64>) -> Ending {
        match declared {
            Some(declared) if declared > self.size => Ending::Truncated(format!(
                "the file is truncated: it declares {declared} bytes, but has {}",
                self.size
            )),
            Some(_) => Ending::Complete,
            None => Ending::Unknown,
        }
    }

    /// Checks that the last part of the file, which starts at this offset, is there.
    fn has_more_than(self, offset: Option<u64>) -> Ending {
        self.has_size(offset.map(|offset| offset + 1))
    }

    fn contains(self, end: &[u8], description: &str) -> Ending {
        let is_found = self.last.windows(end.len()).any(|window| window == end);
        self.is_complete(is_found, description)
    }

    /// Checks the last bytes, except white space and zeros.
    fn ends_with(self, end: &[u8], description: &str) -> Ending {
        let is_filling = |byte: &u8| *byte == 0 || byte.is_ascii_whitespace();
        let length = self.last.iter().rposition(|byte| !is_filling(byte));
        let last = self.last.get(..length.map_or(0, |at| at + 1));
        self.is_complete(last.is_some_and(|last| last.ends_with(end)), description)
    }

    fn is_complete(self, is_found: bool, description: &str) -> Ending {
        // After a checkpoint of version 0.1.0, fewer bytes of the end are known.
        let is_known = self.last.len() as u64 >= self.size.min(ENDING_LEN as u64);
        match is_found {
            true => Ending::Complete,
            false if is_known => Ending::Truncated(format!(
                "the file is truncated: it does not end with {description}"
            )),
            false => Ending::Unknown,
        }
    }

    fn is_text_stl(self) -> bool {
        let has_facet = || {
            self.first
                .windows(5)
                .any(|it| it == b"facet" || it == b"endso")
        };
        self.first.trim_ascii_start().starts_with(b"solid") && has_facet()
    }

    /// Returns the 32-bit number at an offset.
    fn number_le(self, offset: usize) -> Option<u64> {
        let bytes = self.first.get(offset..offset + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?).into())
    }
}

/// Returns the size of a Matroska file: its EBML header and its segment. Returns `None` if the size of the segment is
/// unknown, as in a stream.
fn ebml_size(first: &[u8]) -> Option<u64> {
    const EBML_ID: usize = 4;
    const SEGMENT: &[u8] = b"\x18\x53\x80\x67";
    let (header, header_at) = ebml_number(first, EBML_ID)?;
    let segment = usize::try_from(header).ok()?.checked_add(header_at)?;
    let id_end = segment.checked_add(SEGMENT.len())?;
    let is_segment = first.get(segment..id_end)? == SEGMENT;
    let (size, body) = ebml_number(first, id_end).filter(|_| is_segment)?;
    size.checked_add(body as u64)
}

/// Returns the number of variable length at an offset, and the offset after it. Returns `None` if all its bits are
/// set, which means unknown.
fn ebml_number(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let first = *bytes.get(at)?;
    let length = first.leading_zeros() as usize + 1;
    let end = at.checked_add(length).filter(|_| length <= 8)?;
    let value = bytes.get(at..end)?.iter();
    let value = value.fold(0_u64, |value, byte| (value << 8) + u64::from(*byte));
    let bits = 7 * length as u32;
    let value = value & ((1 << bits) - 1);
    (value != (1 << bits) - 1).then_some((value, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ObjectKind;

    fn check(bytes: &[u8]) -> Ending {
        let first = &bytes[..bytes.len().min(512)];
        let ends = FileEnds {
            first,
            last: &bytes[bytes.len().saturating_sub(ENDING_LEN)..],
            size: bytes.len() as u64,
        };
        ends.check(FileType::detect(ObjectKind::File, first, None, false).unwrap())
    }

    /// Returns bytes with a number in little-endian order at an offset.
    fn with(mut bytes: Vec<u8>, at: usize, number: u32) -> Vec<u8> {
        bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
        bytes
    }

    fn filled(magic: &[u8], size: usize) -> Vec<u8> {
        let mut bytes = magic.to_vec();
        bytes.resize(size, 7);
        bytes
    }

    fn matroska(segment_size: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x1aE\xdf\xa3\x87B\x82\x84webm\x18\x53\x80\x67".to_vec();
        bytes.extend(segment_size);
        bytes.resize(bytes.len() + 1000, 7);
        bytes
    }

    #[test]
    fn a_file_without_its_end_is_truncated() {
        let mut stl = with(filled(b"", 84 + 20 * 50), 80, 20);
        stl[84..].fill(0);
        for (name, bytes) in [
            ("glb", with(filled(b"glTF\x02\0\0\0", 900), 8, 900)),
            ("bmp", with([b"BM", &[0; 898][..]].concat(), 2, 900)),
            ("webp", with(filled(b"RIFF\0\0\0\0WEBP", 900), 4, 892)),
            ("avi", with(filled(b"RIFF\0\0\0\0AVI ", 900), 4, 892)),
            ("webm", matroska(&[0x43, 0xe8])),
            (
                "png",
                [&filled(b"\x89PNG\r\n\x1a\n", 900), PNG_END].concat(),
            ),
            (
                "jpg",
                [&filled(b"\xff\xd8\xff", 900)[..], b"\xff\xd9"].concat(),
            ),
            ("gif", [&filled(b"GIF89a", 900)[..], b";"].concat()),
            (
                "zip",
                [&filled(b"PK\x03\x04", 900)[..], ZIP_END, &[0; 18]].concat(),
            ),
            ("fbx", [&filled(b"Kaydara FBX", 900)[..], FBX_END].concat()),
            ("stl named solid", [&b"solid"[..], &stl[5..]].concat()),
            ("stl", stl),
            (
                "text stl",
                [&filled(b"solid a\nfacet", 900)[..], b"\nendsolid a\n"].concat(),
            ),
            (
                "dae",
                [&filled(b"<COLLADA>", 900)[..], b"</COLLADA>\n"].concat(),
            ),
            (
                "gltf",
                [&filled(b"{\"asset\":{}", 900)[..], b"}\n"].concat(),
            ),
            ("usdc", with(filled(b"PXR-USDC", 900), 16, 880)),
        ] {
            assert_eq!(check(&bytes), Ending::Complete, "{name}");
            let half = check(&bytes[..bytes.len() / 2]);
            assert!(matches!(half, Ending::Truncated(_)), "{name}: {half:?}");
        }
    }

    #[test]
    fn a_file_without_its_last_byte_is_truncated() {
        for (name, bytes) in [
            ("glb", with(filled(b"glTF\x02\0\0\0", 900), 8, 900)),
            ("webp", with(filled(b"RIFF\0\0\0\0WEBP", 900), 4, 892)),
            ("webm", matroska(&[0x43, 0xe8])),
            ("usdc", with(filled(b"PXR-USDC", 881), 16, 880)),
        ] {
            assert_eq!(check(&bytes), Ending::Complete, "{name}");
            let cut = check(&bytes[..bytes.len() - 1]);
            assert!(matches!(cut, Ending::Truncated(_)), "{name}: {cut:?}");
        }
    }

    #[test]
    fn some_files_do_not_say_where_they_end() {
        for bytes in [
            &matroska(b"\x01\xff\xff\xff\xff\xff\xff\xff")[..],
            &matroska(b"\xff"),
            b"\x1aE\xdf\xa3 and so on",
            b"; FBX 7.4.0 project file",
            b"#usda 1.0",
            b"# a cube\nv 0 0 0",
            b"unknown",
        ] {
            assert_eq!(check(bytes), Ending::Unknown, "{bytes:?}");
        }
    }

    #[test]
    fn an_end_that_is_not_known_is_no_contradiction() {
        let ends = FileEnds {
            first: b"\x89PNG\r\n\x1a\n",
            last: b"seven",
            size: 900,
        };
        assert_eq!(ends.check(FileType::PNG), Ending::Unknown);
    }
}
