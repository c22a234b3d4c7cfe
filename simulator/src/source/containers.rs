//! Files of other formats than MP4.

use bytes::Bytes;

use super::fill::mix;
use crate::host_dialect::Container;

/// Size of a file that is no MP4.
const SIZE: usize = 100_000;

/// Returns the file of a format, given an MP4. Files with different seeds differ.
pub(super) fn fixture(container: Container, mp4: &'static [u8], seed: u64) -> Bytes {
    match container {
        Container::Mp4 => Bytes::from_static(mp4),
        // Last: the offsets in an MP4 are from its start.
        Container::C2pa => [mp4, &c2pa_box(b"no manifest")].concat().into(),
        Container::Mov => {
            let mut mov = mp4.to_vec();
            if let Some(brand) = mov.get_mut(8..12) {
                brand.copy_from_slice(b"qt  ");
            }
            mov.into()
        }
        // The size of the segment is 99,976: in 8 bytes, of which the first has the length.
        Container::Webm => filled(
            b"\x1aE\xdf\xa3\x87B\x82\x84webm\x18\x53\x80\x67\x01\0\0\0\0\x01\x86\x88",
            seed,
            b"",
        ),
        Container::Gif => filled(b"GIF89a", seed, b";"),
        Container::Glb => {
            let size = (SIZE as u32).to_le_bytes();
            filled(&[b"glTF\x02\0\0\0", &size[..]].concat(), seed, b"")
        }
        Container::Gltf => filled(
            b"{\"asset\":{\"version\":\"2.0\"},\"extras\":\"",
            seed,
            b"\"}",
        ),
    }
}

/// Returns the box of C2PA with this content in the place of a manifest.
fn c2pa_box(content: &[u8]) -> Vec<u8> {
    let uuid = 0xd8fe_c3d6_1b0e_483c_9297_5828_877e_c481_u128.to_be_bytes();
    // Version, flags, purpose, and the offset of a first box with digests: none.
    let beginning = [&uuid[..], b"\0\0\0\0manifest\0", &[0; 8]].concat();
    let size = (8 + beginning.len() + content.len()) as u32;
    [&size.to_be_bytes(), &b"uuid"[..], &beginning, content].concat()
}

fn filled(start: &[u8], seed: u64, end: &[u8]) -> Bytes {
    let mut bytes = start.to_vec();
    bytes.extend(hex::encode(mix(seed).to_be_bytes()).bytes());
    bytes.resize(SIZE - end.len(), b'a');
    bytes.extend(end);
    bytes.into()
}
