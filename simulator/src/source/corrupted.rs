//! A video as it is served once something went wrong with it.

use std::ops::Range;

use bytes::Bytes;

use super::{PIECE, Source, mix};
use crate::{corruption::Corruption, script::Script};

/// What garbage is made of: no name of a box can be.
const GARBAGE: u8 = 0xa5;

impl Source {
    /// The video of a task, as it is served with this corruption.
    pub(crate) fn corrupted(script: &Script, seed: u64, corruption: Corruption) -> Self {
        let video = Self::video(script, seed);
        let size = video.size;
        match corruption {
            Corruption::Flip(offset) => Self {
                flipped: Some(offset),
                ..video
            },
            Corruption::Truncate(left) => video.resized(left.min(size)),
            Corruption::Trailing(garbage) => Self {
                length: None,
                ..video.resized(size.saturating_add(garbage))
            },
            Corruption::Length(more) => Self {
                length: Some(size.saturating_add_signed(more)),
                ..video
            },
            Corruption::OtherVideo => {
                let other = Script {
                    generate_audio: !script.generate_audio,
                    ..script.clone()
                };
                Self::video(&other, mix(seed))
            }
        }
    }

    fn resized(self, size: u64) -> Self {
        Self {
            size,
            length: Some(size),
            ..self
        }
    }

    /// A piece that begins at `start`, with the bit flipped if it is there.
    pub(super) fn with_flip(&self, piece: Bytes, start: u64) -> Bytes {
        let flipped = self.flipped.and_then(|offset| offset.checked_sub(start));
        let flipped = flipped.filter(|index| *index < piece.len() as u64);
        let Some(index) = flipped else {
            return piece;
        };
        let mut bytes = piece.to_vec();
        if let Some(byte) = bytes.get_mut(index as usize) {
            *byte ^= 1;
        }
        bytes.into()
    }
}

/// The beginning of a range beyond what was made.
pub(super) fn garbage(range: Range<u64>) -> Option<Bytes> {
    let length = range.end.checked_sub(range.start)?.min(PIECE);
    (length > 0).then(|| vec![GARBAGE; length as usize].into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: u64 = 7;

    fn script() -> Script {
        Script {
            bytes: Some(300_000),
            ..Script::default()
        }
    }

    fn made() -> Vec<u8> {
        Source::video(&script(), SEED).bytes()
    }

    fn corrupted(corruption: Corruption) -> Source {
        Source::corrupted(&script(), SEED, corruption)
    }

    #[test]
    fn one_bit_is_flipped_wherever_it_is_and_however_it_is_read() {
        let made = made();
        for offset in [0, 74_964, 75_000, 299_999] {
            let source = corrupted(Corruption::Flip(offset as u64));
            let mut expected = made.clone();
            expected[offset] ^= 1;
            assert_eq!(source.bytes(), expected, "{offset}");
            assert_eq!(source.length(), Some(300_000));
            for range in [0..offset, offset..300_000, offset..offset + 1] {
                let part = source.pieces(range.start as u64..range.end as u64);
                let part: Vec<u8> = part.flatten().collect();
                assert_eq!(part, expected[range.clone()], "{offset}, {range:?}");
            }
        }
        assert_eq!(corrupted(Corruption::Flip(300_000)).bytes(), made);
    }

    #[test]
    fn a_truncated_video_is_whole_by_its_length() {
        let made = made();
        for size in [0, 1, 74_970, 300_000] {
            let source = corrupted(Corruption::Truncate(size));
            assert_eq!(source.bytes(), made[..size as usize]);
            assert_eq!(source.length(), Some(size));
        }
        let source = corrupted(Corruption::Truncate(300_001));
        assert_eq!((source.bytes(), source.length()), (made, Some(300_000)));
    }

    #[test]
    fn a_wrong_length_leaves_the_bytes() {
        for (more, length) in [(5, 300_005), (-5, 299_995), (i64::MIN, 0)] {
            let source = corrupted(Corruption::Length(more));
            assert_eq!(source.length(), Some(length));
            assert_eq!(source.bytes(), made());
        }
    }

    #[test]
    fn garbage_follows_without_a_length() {
        let source = corrupted(Corruption::Trailing(100_000));
        let mut expected = made();
        expected.resize(400_000, GARBAGE);
        assert_eq!(source.bytes(), expected);
        assert_eq!((source.size(), source.length()), (400_000, None));
        let endless = corrupted(Corruption::Trailing(u64::MAX));
        assert_eq!(endless.piece(1 << 60..u64::MAX).unwrap()[..2], [GARBAGE; 2]);
    }

    #[test]
    fn another_video_is_a_whole_one() {
        let source = corrupted(Corruption::OtherVideo);
        assert_eq!(source.size(), 300_000);
        assert_ne!(source.bytes(), made());
        let boxes = source.boxes();
        assert_eq!((boxes.len(), boxes[4].1.end), (5, 300_000));
        let moov = |source: &Source| source.boxes()[1].1.clone();
        assert_ne!(moov(&source), moov(&Source::video(&script(), SEED)));
    }

    #[test]
    fn digests_are_those_of_the_corrupted_bytes() {
        let flipped = corrupted(Corruption::Flip(100_000));
        let made = Source::video(&script(), SEED);
        assert_ne!(flipped.digests().etag, made.digests().etag);
        assert_ne!(flipped.digests().crc64, made.digests().crc64);
    }
}
