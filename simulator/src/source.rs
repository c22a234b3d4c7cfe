//! The bytes behind a URL: a fixture made with ffmpeg, stretched to any size with a box that players
//! skip. They are computed where they are needed, so that gigabytes take no memory.

mod boxes;
mod corrupted;

use std::{ops::Range, sync::OnceLock};

use bytes::Bytes;
use md5::{Digest, Md5};

use crate::script::{Image, Script};
use corrupted::garbage;

const SILENT: &[u8] = include_bytes!("../fixtures/silent.mp4");
const SOUND: &[u8] = include_bytes!("../fixtures/sound.mp4");
const PNG: &[u8] = include_bytes!("../fixtures/last_frame.png");
const JPEG: &[u8] = include_bytes!("../fixtures/last_frame.jpg");

/// Length of a box header with a 64-bit size.
const HEADER: u64 = 16;
/// Length of one piece of filling.
const WORD: u64 = 8;
/// How much is computed at once.
const PIECE: u64 = 64 * 1024;

/// What the fixtures hold, for the record of a task.
pub(crate) mod facts {
    pub(crate) const RESOLUTION: &str = "480p";
    pub(crate) const RATIO: &str = "16:9";
    pub(crate) const SECONDS: u64 = 5;
    pub(crate) const FRAMES: u64 = 120;
    pub(crate) const FRAMES_PER_SECOND: u64 = 24;
    /// 864 x 480 pixels, 120 frames, as the service counts: a token for 1,024 pixels.
    pub(crate) const TOKENS: u64 = 864 * 480 * FRAMES / 1024;
}

/// The bytes of one object.
#[derive(Debug)]
pub struct Source {
    fixture: &'static [u8],
    /// Length of the box `free` at the end; 0 where there is none.
    filling: u64,
    /// Distinguishes the filling of one task's video from another's.
    seed: u64,
    /// Size in bytes. Beyond fixture and filling there is garbage.
    size: u64,
    /// Offset of a byte with a wrong bit.
    flipped: Option<u64>,
    /// What `Content-Length` says. `None`: there is none.
    length: Option<u64>,
    content_type: &'static str,
    digests: OnceLock<Digests>,
}

/// What the store says about an object.
#[derive(Clone, Debug)]
pub(crate) struct Digests {
    /// MD5 in quotes.
    pub(crate) etag: String,
    /// CRC-64/XZ, decimal.
    pub(crate) crc64: String,
}

impl Source {
    /// The video of a task. Two tasks never have the same one.
    pub(crate) fn video(script: &Script, seed: u64) -> Self {
        let fixture = if script.generate_audio { SOUND } else { SILENT };
        let wanted = script.bytes.unwrap_or_default();
        let filling = wanted.saturating_sub(fixture.len() as u64);
        Self::of(fixture, filling.max(HEADER + WORD), seed, "video/mp4")
    }

    /// A last frame. It is called a PNG, whatever it is.
    pub(crate) fn last_frame(image: Image) -> Self {
        let fixture = match image {
            Image::Png => PNG,
            Image::Jpeg => JPEG,
        };
        Self::of(fixture, 0, 0, "image/png")
    }

    fn of(fixture: &'static [u8], filling: u64, seed: u64, content_type: &'static str) -> Self {
        let size = fixture.len() as u64 + filling;
        Self {
            fixture,
            filling,
            seed,
            size,
            flipped: None,
            length: Some(size),
            content_type,
            digests: OnceLock::new(),
        }
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What `Content-Length` says of the whole. `None`: there is none.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// All the bytes.
    pub fn bytes(&self) -> Vec<u8> {
        self.pieces(0..self.size()).flatten().collect()
    }

    pub(crate) fn content_type(&self) -> &'static str {
        self.content_type
    }

    /// Digests of all the bytes. The first call reads them all, so it belongs on a blocking thread.
    pub(crate) fn digests(&self) -> &Digests {
        self.digests.get_or_init(|| {
            let mut md5 = Md5::new();
            let mut crc64 = crc64fast::Digest::new();
            for piece in self.pieces(0..self.size()) {
                md5.update(&piece);
                crc64.write(&piece);
            }
            Digests {
                etag: format!("\"{}\"", hex::encode(md5.finalize())),
                crc64: crc64.sum64().to_string(),
            }
        })
    }

    /// The bytes of a range, piece by piece. What lies beyond the end is left out.
    pub(crate) fn pieces(&self, range: Range<u64>) -> impl Iterator<Item = Bytes> {
        let end = range.end.min(self.size());
        let mut position = range.start;
        std::iter::from_fn(move || {
            let piece = self.piece(position..end.min(position + PIECE))?;
            position += piece.len() as u64;
            Some(piece)
        })
    }

    /// The beginning of a range, not empty unless the range is.
    pub(crate) fn piece(&self, range: Range<u64>) -> Option<Bytes> {
        let range = range.start..range.end.min(self.size());
        let start = range.start;
        match self.made(range.clone()) {
            Some(piece) => Some(self.with_flip(piece, start)),
            None => garbage(range),
        }
    }

    /// The beginning of a range of what was made, fixture and filling.
    fn made(&self, range: Range<u64>) -> Option<Bytes> {
        let fixture_end = self.fixture.len() as u64;
        let end = range.end.min(fixture_end + self.filling);
        if range.start >= end {
            return None;
        }
        if range.start < fixture_end {
            let within = range.start as usize..end.min(fixture_end) as usize;
            return self.fixture.get(within).map(Bytes::from_static);
        }
        let end = end.min(range.start + PIECE);
        let (start, end) = (range.start - fixture_end, end - fixture_end);
        let first = start / WORD;
        let mut words = Vec::with_capacity((end - start + 2 * WORD) as usize);
        for index in first..end.div_ceil(WORD) {
            words.extend_from_slice(&self.filling_word(index));
        }
        let skipped = (start - first * WORD) as usize;
        Some(Bytes::from(words).slice(skipped..skipped + (end - start) as usize))
    }

    /// A box `free`: its header, then bytes that do not compress.
    fn filling_word(&self, index: u64) -> [u8; WORD as usize] {
        match index {
            0 => *b"\0\0\0\x01free",
            1 => self.filling.to_be_bytes(),
            _ => mix(self.seed.wrapping_add(index)).to_be_bytes(),
        }
    }
}

/// `SplitMix64`.
pub(crate) fn mix(index: u64) -> u64 {
    let mut bits = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
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
    fn a_stretched_video_has_the_size_asked_for_and_boxes_that_tile_it() {
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
    fn any_range_is_a_part_of_the_whole() {
        let source = video(Some(300_000), false);
        let whole = source.bytes();
        for (start, end) in [
            (0, 1),
            (70_000, 80_000),
            (74_964, 74_970),
            (199_995, 299_999),
        ] {
            let part: Vec<u8> = source.pieces(start..end).flatten().collect();
            assert_eq!(part, whole[start as usize..end as usize], "{start}..{end}");
        }
        assert_eq!(source.pieces(300_000..400_000).count(), 0);
    }

    #[test]
    fn gigabytes_take_no_memory() {
        let source = video(Some(5 << 30), false);
        assert_eq!(source.size(), 5 << 30);
        assert_eq!(source.piece((5 << 30) - 3..u64::MAX).unwrap().len(), 3);
    }

    #[test]
    fn two_tasks_never_have_the_same_video() {
        let video = |seed| Source::video(&Script::default(), seed);
        assert_ne!(video(1).bytes(), video(2).bytes());
        assert_ne!(video(1).digests().etag, video(2).digests().etag);
    }

    #[test]
    fn digests_are_those_of_the_bytes() {
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
