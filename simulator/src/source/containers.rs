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

fn filled(start: &[u8], seed: u64, end: &[u8]) -> Bytes {
    let mut bytes = start.to_vec();
    bytes.extend(hex::encode(mix(seed).to_be_bytes()).bytes());
    bytes.resize(SIZE - end.len(), b'a');
    bytes.extend(end);
    bytes.into()
}
