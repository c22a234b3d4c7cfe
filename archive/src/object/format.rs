//! Detects file formats by their magic bytes. The names and content types that the service sends are not reliable.

use super::ObjectKind;

/// The format of an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Format {
    /// File name in the archive.
    pub name: &'static str,
    /// Media type.
    pub content_type: &'static str,
}

/// Number of leading bytes from which a format is detected.
pub(crate) const MAGIC_LEN: usize = 16;

/// The magic bytes of WebM, and of any other EBML document.
pub(crate) const WEBM_MAGIC: &[u8] = b"\x1aE\xdf\xa3";

/// The magic bytes of a format: the kind of object, the offset, the bytes and the format.
type Magic = (ObjectKind, usize, &'static [u8], Format);

#[rustfmt::skip]
const MAGIC_BYTES: [Magic; 10] = {
    use ObjectKind::{File, LastFrame, Video};
    [
        (Video, 4, b"ftyp", format("video.mp4", "video/mp4")),
        (Video, 0, WEBM_MAGIC, format("video.webm", "video/webm")),
        (LastFrame, 0, b"\x89PNG\r\n\x1a\n", format("last_frame.png", "image/png")),
        (LastFrame, 0, b"\xff\xd8\xff", format("last_frame.jpg", "image/jpeg")),
        (LastFrame, 8, b"WEBP", format("last_frame.webp", "image/webp")),
        (File, 0, b"glTF", format("file.glb", "model/gltf-binary")),
        (File, 0, b"PK\x03\x04", format("file.zip", "application/zip")),
        (File, 0, b"Kaydara FBX", format("file.fbx", "application/octet-stream")),
        (File, 0, b"PXR-USDC", format("file.usdc", "model/vnd.usd")),
        (File, 0, b"#usda", format("file.usda", "model/vnd.usda")),
    ]
};

/// The format of a file with unknown magic bytes: there are many 3D formats, and some are plain text.
const UNKNOWN_FILE: Format = format("file.bin", "application/octet-stream");

const fn format(name: &'static str, content_type: &'static str) -> Format {
    Format { name, content_type }
}

impl Format {
    /// Detects the format of an object from its first [`MAGIC_LEN`] bytes. Returns `None` if they match no
    /// format of this kind, as in an error response with HTML or JSON.
    pub(crate) fn detect(kind: ObjectKind, bytes: &[u8]) -> Option<Self> {
        let matches = |(format_kind, offset, magic, _): &&Magic| {
            *format_kind == kind && bytes.get(*offset..offset + magic.len()) == Some(*magic)
        };
        let known = MAGIC_BYTES.iter().find(matches);
        let known = known.map(|(.., format)| *format);
        let trimmed = bytes.trim_ascii_start();
        let is_error = trimmed.starts_with(b"{") || trimmed.starts_with(b"<");
        match kind {
            ObjectKind::File if known.is_none() && !is_error && !bytes.is_empty() => {
                Some(UNKNOWN_FILE)
            }
            _ => known,
        }
    }
}

#[cfg(test)]
mod tests {
    use strum::VariantArray;

    use super::{
        ObjectKind::{File, LastFrame, Video},
        *,
    };

    fn name(kind: ObjectKind, bytes: &[u8]) -> Option<&'static str> {
        Format::detect(kind, bytes).map(|format| format.name)
    }

    #[test]
    fn the_first_bytes_determine_the_format() {
        for (kind, bytes, expected) in [
            (Video, &b"\0\0\0\x18ftypmp42"[..], "video.mp4"),
            (Video, b"\x1aE\xdf\xa3\x01\0", "video.webm"),
            (LastFrame, b"\x89PNG\r\n\x1a\n\0\0", "last_frame.png"),
            (LastFrame, b"\xff\xd8\xff\xe0", "last_frame.jpg"),
            (LastFrame, b"RIFF\0\0\0\0WEBPVP8 ", "last_frame.webp"),
            (File, b"glTF\x02\0\0\0", "file.glb"),
            (File, b"# a cube\nv 0 0 0", "file.bin"),
        ] {
            assert_eq!(name(kind, bytes), Some(expected), "{bytes:?}");
        }
        assert_eq!(name(Video, b"\x89PNG\r\n\x1a\n"), None);
    }

    #[test]
    fn an_error_body_has_no_format() {
        for &kind in ObjectKind::VARIANTS {
            for body in [
                &b"{\"error\": 1}"[..],
                b"<!DOCTYPE html>",
                b" \n<html>",
                b"",
            ] {
                assert_eq!(name(kind, body), None, "{kind:?} {body:?}");
            }
        }
    }
}
