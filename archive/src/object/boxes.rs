//! File types that consist of boxes: MP4, QuickTime, AVIF and HEIC.

use super::file_type::FileType;

/// Boxes with which a QuickTime file without `ftyp` starts.
const CLASSIC_QUICKTIME: [&[u8; 4]; 6] = [b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"];

pub(super) fn file_type(bytes: &[u8]) -> Option<FileType> {
    let name = bytes.get(4..8)?;
    if name == b"ftyp" {
        return Some(by_brands(bytes));
    }
    let is_classic = CLASSIC_QUICKTIME.iter().any(|it| name == it.as_slice());
    is_classic.then_some(FileType::MOV)
}

/// Returns the type by the major brand. An unknown brand is MP4.
fn by_brands(bytes: &[u8]) -> FileType {
    let is_compatible = |brand: &[u8]| {
        let size = bytes.get(..4).and_then(|size| size.try_into().ok());
        let end = u32::from_be_bytes(size.unwrap_or_default()) as usize;
        let brands = bytes.get(16..end.min(bytes.len())).unwrap_or_default();
        brands.chunks_exact(4).any(|it| it == brand)
    };
    match bytes.get(8..12).unwrap_or_default() {
        b"qt  " => FileType::MOV,
        b"M4V " | b"M4VH" | b"M4VP" => FileType::M4V,
        [b'3', b'g', b'2', _] => FileType::THREE_G2,
        [b'3', b'g', _, _] => FileType::THREE_GP,
        b"avif" | b"avis" => FileType::AVIF,
        b"mif1" | b"msf1" if is_compatible(b"avif") || is_compatible(b"avis") => FileType::AVIF,
        b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" | b"mif1" | b"msf1" => {
            FileType::HEIC
        }
        _ => FileType::MP4,
    }
}
