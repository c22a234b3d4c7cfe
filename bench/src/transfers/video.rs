//! Videos that cost nothing to serve: an MP4 of the simulator, and a box that players skip with the same random bytes again
//! and again.

use std::ops::Range;

use bytes::Bytes;
use md5::{Digest, Md5};

use crate::random::Random;

/// Bytes that the filling repeats. They do not compress, and stay in the cache of the processor.
const BLOCK_LEN: usize = 1 << 20;
/// Bytes that are sent at a time.
const PIECE_LEN: u64 = 256 << 10;
const SEED: u64 = 21;

/// The bytes of a video, of which only the first ones take memory.
pub(super) struct Video {
    /// The MP4, and the header of the filling.
    head: Bytes,
    block: Bytes,
    pub(super) size: u64,
    /// MD5, in quotes.
    pub(super) etag: String,
    /// CRC-64/XZ, decimal.
    pub(super) crc64: String,
}

impl Video {
    /// Returns a video of a size, or a larger one if the MP4 is larger. Reads all its bytes, so it belongs on a blocking
    /// thread.
    pub(super) fn new(mp4: &[u8], size: u64) -> Self {
        let header_len = 16;
        let filling = size.saturating_sub(mp4.len() as u64).max(header_len);
        let header = [&b"\0\0\0\x01free"[..], &filling.to_be_bytes()].concat();
        let mut random = Random::new(SEED);
        let words = (0..BLOCK_LEN / 8).flat_map(|_| random.next().to_ne_bytes());
        let mut video = Self {
            head: [mp4, &header].concat().into(),
            block: words.collect(),
            size: mp4.len() as u64 + filling,
            etag: String::new(),
            crc64: String::new(),
        };
        let (mut md5, mut crc64) = (Md5::new(), crc64fast::Digest::new());
        let mut position = 0;
        while let Some(piece) = video.piece(position..video.size) {
            md5.update(&piece);
            crc64.write(&piece);
            position += piece.len() as u64;
        }
        video.etag = format!("\"{}\"", hex::encode(md5.finalize()));
        video.crc64 = crc64.sum64().to_string();
        video
    }

    /// Returns the beginning of a range, or `None` if it is empty.
    pub(super) fn piece(&self, range: Range<u64>) -> Option<Bytes> {
        let head_len = self.head.len() as u64;
        if range.is_empty() {
            return None;
        }
        let (part, start) = match range.start.checked_sub(head_len) {
            None => (&self.head, range.start),
            Some(offset) => (&self.block, offset % BLOCK_LEN as u64),
        };
        let len = (range.end - range.start).min(PIECE_LEN);
        let end = (start + len).min(part.len() as u64);
        Some(part.slice(start as usize..end as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_video_is_an_mp4_with_a_filling() {
        let mp4 = b"an MP4";
        let size = 3 * BLOCK_LEN as u64 + 5;
        let video = Video::new(mp4, size);
        let mut bytes = Vec::new();
        while let Some(piece) = video.piece(bytes.len() as u64..size) {
            bytes.extend(piece);
        }
        assert_eq!((bytes.len() as u64, video.size), (size, size));
        assert_eq!(bytes[..14], *b"an MP4\0\0\0\x01free");
        assert_eq!(bytes[14..22], (size - 6).to_be_bytes());
        assert_eq!(bytes[22..1000], bytes[BLOCK_LEN + 22..][..978]);
        assert_eq!(
            video.etag,
            format!("\"{}\"", hex::encode(Md5::digest(&bytes)))
        );
        let end = video.piece(size - 3..size).unwrap();
        assert_eq!(end, bytes[bytes.len() - 3..]);
    }
}
