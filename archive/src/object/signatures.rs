//! File types with a signature.

use super::{boxes, file_type::FileType, text, zip};

/// The magic bytes of a type: the offset, the bytes and the type.
type Magic = (usize, &'static [u8], FileType);

#[rustfmt::skip]
const MAGIC_BYTES: [Magic; 20] = [
    (0, b"\x89PNG\r\n\x1a\n", FileType::PNG),
    (0, b"\xff\xd8\xff", FileType::JPEG),
    (0, b"GIF87a", FileType::GIF),
    (0, b"GIF89a", FileType::GIF),
    (0, b"II*\0", FileType::TIFF),
    (0, b"MM\0*", FileType::TIFF),
    (0, b"glTF", FileType::GLB),
    (0, b"Kaydara FBX", FileType::FBX),
    (0, b"; FBX", FileType::FBX),
    (0, b"PXR-USDC", FileType::USDC),
    (0, b"#usda", FileType::USDA),
    (0, b"ply\n", FileType::PLY),
    (0, b"ply\r", FileType::PLY),
    (0, b"FLV\x01", FileType::FLV),
    (0, b"OggS", FileType::OGV),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", FileType::ASF),
    (0, b"\0\0\x01\xba", FileType::MPEG),
    (0, b"\0\0\x01\xb3", FileType::MPEG),
    (0, b"PK\x03\x04", FileType::ZIP),
    (0, b"PK\x05\x06", FileType::ZIP),
];

/// The magic bytes of WebM, Matroska and any other EBML document.
const EBML: &[u8] = b"\x1aE\xdf\xa3";
/// Length of a packet of an MPEG transport stream, and its first byte.
const PACKET: usize = 188;
const PACKET_START: u8 = 0x47;
/// Length of the header of a binary STL: text and the number of triangles.
const STL_HEADER: usize = 84;
/// Length of a triangle of a binary STL.
const TRIANGLE: usize = 50;

/// Returns the type whose signature the bytes have.
pub(super) fn find(bytes: &[u8], length: Option<u64>) -> Option<FileType> {
    let has =
        |(offset, magic, _): &&Magic| bytes.get(*offset..offset + magic.len()) == Some(*magic);
    match MAGIC_BYTES.iter().find(has) {
        Some((.., FileType::ZIP)) => Some(zip::file_type(bytes)),
        Some((.., file_type)) => Some(*file_type),
        None => boxes::file_type(bytes)
            .or_else(|| riff(bytes))
            .or_else(|| ebml(bytes))
            .or_else(|| text::file_type(bytes))
            .or_else(|| is_transport_stream(bytes).then_some(FileType::TS))
            .or_else(|| is_bmp(bytes).then_some(FileType::BMP))
            .or_else(|| is_binary_stl(bytes, length).then_some(FileType::STL)),
    }
}

fn riff(bytes: &[u8]) -> Option<FileType> {
    match (bytes.get(..4)?, bytes.get(8..12)?) {
        (b"RIFF", b"WEBP") => Some(FileType::WEBP),
        (b"RIFF", b"AVI ") => Some(FileType::AVI),
        _ => None,
    }
}

/// Returns WebM, unless the document names itself Matroska.
fn ebml(bytes: &[u8]) -> Option<FileType> {
    let is_matroska = bytes.windows(8).any(|window| window == b"matroska");
    let file_type = if is_matroska {
        FileType::MKV
    } else {
        FileType::WEBM
    };
    bytes.starts_with(EBML).then_some(file_type)
}

fn is_transport_stream(bytes: &[u8]) -> bool {
    let starts_packet = |packet: usize| bytes.get(packet * PACKET) == Some(&PACKET_START);
    (0..=2).all(starts_packet)
}

fn is_bmp(bytes: &[u8]) -> bool {
    bytes.starts_with(b"BM") && bytes.get(6..10) == Some(&[0; 4])
}

/// Returns whether the number of triangles explains the size. If the size is not declared, the first triangle has to
/// be plausible.
fn is_binary_stl(bytes: &[u8], length: Option<u64>) -> bool {
    let Some(count) = triangles(bytes) else {
        return false;
    };
    match length {
        Some(length) => length == stl_size(count),
        None => {
            count > 0
                && bytes
                    .get(STL_HEADER..STL_HEADER + TRIANGLE)
                    .is_some_and(is_triangle)
        }
    }
}

/// Returns the number of triangles in the header of a binary STL.
pub(crate) fn triangles(bytes: &[u8]) -> Option<u32> {
    let count = bytes.get(STL_HEADER - 4..STL_HEADER)?;
    Some(u32::from_le_bytes(count.try_into().ok()?))
}

/// Returns the size of a binary STL.
pub(crate) fn stl_size(triangles: u32) -> u64 {
    STL_HEADER as u64 + u64::from(triangles) * TRIANGLE as u64
}

/// Returns whether bytes are a normal vector, which has a length of 1 or 0, three finite corners and no attributes.
fn is_triangle(bytes: &[u8]) -> bool {
    let (numbers, attributes) = bytes.split_at(48);
    let numbers: Vec<f32> = numbers
        .chunks_exact(4)
        .filter_map(|it| it.try_into().ok().map(f32::from_le_bytes))
        .collect();
    let normal: f32 = numbers.iter().take(3).map(|it| it * it).sum();
    let is_unit = normal == 0.0 || (normal - 1.0).abs() < 0.01;
    is_unit && attributes == [0; 2] && numbers.iter().all(|it| it.is_finite() && it.abs() < 1e9)
}
