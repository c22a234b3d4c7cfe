//! The bytes behind a URL.
//!
//! A video is a fixture that was encoded with ffmpeg, followed by a box that players skip, which pads the
//! video to the requested size. The bytes of the box are computed when they are read, so that gigabytes take
//! no memory.

mod boxes;
mod containers;
mod corrupted;
mod fill;
pub(crate) mod fixtures;

use std::{ops::Range, sync::OnceLock};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use md5::{Digest, Md5};
use sha2::Sha256;

use crate::{
    host_dialect::Container,
    script::{Image, Script},
};
use fill::{Filling, GARBAGE, HEADER_LEN, MAX_PIECE_LEN, WORD_LEN, garbage};
use fixtures::{JPEG, PNG, SILENT, SOUND};

pub(crate) use fill::mix;

/// The bytes of one object: a fixture, its filling, and garbage up to the size.
#[derive(Debug)]
pub struct Source {
    fixture: Bytes,
    filling: Filling,
    /// Size in bytes.
    size: u64,
    /// The byte that garbage consists of.
    garbage: u8,
    /// Offset of the byte whose lowest bit is flipped.
    flipped: Option<u64>,
    /// The `Content-Length` of a response with all bytes. `None`: responses have none.
    length: Option<u64>,
    content_type: &'static str,
    digests: OnceLock<Digests>,
}

/// The digests in the headers of an object.
#[derive(Clone, Debug)]
pub(crate) struct Digests {
    /// MD5, in quotes.
    pub(crate) etag: String,
    /// CRC-64/XZ, decimal.
    pub(crate) crc64: String,
    /// MD5, base64.
    pub(crate) md5: String,
    /// SHA-256, base64.
    pub(crate) sha256: String,
}

impl Source {
    /// Returns the video of a task. Videos with different seeds differ.
    pub(crate) fn video(script: &Script, seed: u64) -> Self {
        let container = script.host.container;
        let mp4 = if script.generate_audio { SOUND } else { SILENT };
        let fixture = containers::fixture(container, mp4, seed);
        let size = script.bytes.unwrap_or_default();
        let len = size.saturating_sub(fixture.len() as u64);
        let len = match container {
            Container::Mp4 | Container::C2pa | Container::Mov => len.max(HEADER_LEN + WORD_LEN),
            _ => 0,
        };
        Self::new(fixture, Filling { len, seed }, "video/mp4")
    }

    /// Returns a last frame. Its content type is PNG, whatever its format.
    pub(crate) fn last_frame(image: Image) -> Self {
        let fixture = match image {
            Image::Png => PNG,
            Image::Jpeg => JPEG,
        };
        let fixture = Bytes::from_static(fixture);
        Self::new(fixture, Filling { len: 0, seed: 0 }, "image/png")
    }

    fn new(fixture: Bytes, filling: Filling, content_type: &'static str) -> Self {
        let size = fixture.len() as u64 + filling.len;
        Self {
            fixture,
            filling,
            size,
            garbage: GARBAGE,
            flipped: None,
            length: Some(size),
            content_type,
            digests: OnceLock::new(),
        }
    }

    /// Returns the size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the `Content-Length` of a response with all bytes, or `None` if responses have none.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Returns all bytes.
    pub fn bytes(&self) -> Vec<u8> {
        self.pieces(0..self.size()).collect::<Vec<_>>().concat()
    }

    pub(crate) fn content_type(&self) -> &'static str {
        self.content_type
    }

    /// Returns the digests of all bytes. The first call reads them, so it belongs on a blocking thread.
    pub(crate) fn digests(&self) -> &Digests {
        self.digests.get_or_init(|| {
            let mut md5 = Md5::new();
            let mut sha256 = Sha256::new();
            let mut crc64 = crc64fast::Digest::new();
            for piece in self.pieces(0..self.size()) {
                md5.update(&piece);
                sha256.update(&piece);
                crc64.write(&piece);
            }
            let md5 = md5.finalize();
            Digests {
                etag: format!("\"{}\"", hex::encode(md5)),
                crc64: crc64.sum64().to_string(),
                md5: BASE64_STANDARD.encode(md5),
                sha256: BASE64_STANDARD.encode(sha256.finalize()),
            }
        })
    }

    /// Returns the bytes of a range, piece by piece. Bytes beyond the end are omitted.
    pub(crate) fn pieces(&self, range: Range<u64>) -> impl Iterator<Item = Bytes> {
        let end = range.end.min(self.size());
        let mut position = range.start;
        std::iter::from_fn(move || {
            let piece = self.piece(position..end.min(position + MAX_PIECE_LEN))?;
            position += piece.len() as u64;
            Some(piece)
        })
    }

    /// Returns the beginning of a range, or `None` if the range is empty or beyond the end.
    pub(crate) fn piece(&self, range: Range<u64>) -> Option<Bytes> {
        let range = range.start..range.end.min(self.size());
        let start = range.start;
        match self.original_piece(range.clone()) {
            Some(piece) => Some(self.with_flipped_bit(piece, start)),
            None => garbage(range, self.garbage),
        }
    }

    /// Returns the beginning of a range of the fixture and its filling, or `None` if the range is outside of
    /// both.
    fn original_piece(&self, range: Range<u64>) -> Option<Bytes> {
        let fixture_end = self.fixture.len() as u64;
        let end = range.end.min(fixture_end + self.filling.len);
        if range.start >= end {
            return None;
        }
        if range.start < fixture_end {
            let within = range.start as usize..end.min(fixture_end) as usize;
            return Some(self.fixture.slice(within));
        }
        let within = range.start - fixture_end..end - fixture_end;
        Some(self.filling.piece(within))
    }

    /// Flips the bit in a piece that begins at `start`, if the piece contains it.
    fn with_flipped_bit(&self, piece: Bytes, start: u64) -> Bytes {
        let flipped = self.flipped.and_then(|offset| offset.checked_sub(start));
        let Some(index) = flipped.filter(|index| *index < piece.len() as u64) else {
            return piece;
        };
        let mut bytes = piece.to_vec();
        if let Some(byte) = bytes.get_mut(index as usize) {
            *byte ^= 1;
        }
        bytes.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn video(bytes: Option<u64>, generate_audio: bool) -> Source {
        let script = Script {
            bytes,
            generate_audio,
            ..Script::default()
        };
        Source::video(&script, 7)
    }

    #[test]
    fn a_video_has_the_requested_size_and_is_tiled_by_its_boxes() {
        for size in [200_000, 1_000_003] {
            for generate_audio in [false, true] {
                let source = video(Some(size), generate_audio);
                assert_eq!(source.bytes().len() as u64, size);
                let boxes = source.boxes();
                let names: Vec<_> = boxes.iter().map(|(name, _)| name.as_str()).collect();
                assert_eq!(names, ["ftyp", "moov", "free", "mdat", "free"]);
                assert_eq!(boxes[4].1.end, size);
            }
        }
        let smallest = video(None, false);
        let boxes = smallest.boxes();
        assert_eq!((boxes.len(), boxes[4].1.end), (5, smallest.size()));
    }

    #[test]
    fn any_range_is_a_slice_of_all_bytes() {
        let source = video(Some(300_000), false);
        let all = source.bytes();
        for (start, end) in [
            (0, 1),
            (70_000, 80_000),
            (74_964, 74_970),
            (199_995, 299_999),
        ] {
            let part: Vec<u8> = source.pieces(start..end).flatten().collect();
            assert_eq!(part, all[start as usize..end as usize], "{start}..{end}");
        }
        assert_eq!(source.pieces(300_000..400_000).count(), 0);
    }

    #[test]
    fn a_video_of_gigabytes_takes_no_memory() {
        let source = video(Some(5 << 30), false);
        assert_eq!(source.size(), 5 << 30);
        assert_eq!(source.piece((5 << 30) - 3..u64::MAX).unwrap().len(), 3);
    }

    #[test]
    fn videos_of_different_tasks_differ() {
        let video = |seed| Source::video(&Script::default(), seed);
        assert_ne!(video(1).bytes(), video(2).bytes());
        assert_ne!(video(1).digests().etag, video(2).digests().etag);
    }

    #[test]
    fn digests_match_the_bytes() {
        let frame = Source::last_frame(Image::Jpeg);
        let digests = frame.digests();
        assert_eq!(
            digests.etag,
            format!("\"{}\"", hex::encode(Md5::digest(JPEG)))
        );
        let mut crc64 = crc64fast::Digest::new();
        crc64.write(JPEG);
        assert_eq!(digests.crc64, crc64.sum64().to_string());
    }
}
