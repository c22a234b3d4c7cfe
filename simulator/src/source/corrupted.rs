//! Corrupted videos.

use super::{Source, fill::mix};
use crate::{corruption::Corruption, script::Script};

impl Source {
    /// Returns the video of a task, with a corruption.
    pub(crate) fn corrupted(script: &Script, seed: u64, corruption: Corruption) -> Self {
        let video = Self::video(script, seed);
        let size = video.size;
        match corruption {
            Corruption::Flip(offset) => Self {
                flipped: Some(offset),
                ..video
            },
            Corruption::Truncate(len) => video.resized(len.min(size)),
            Corruption::Trailing(garbage) => Self {
                length: None,
                ..video.resized(size.saturating_add(garbage))
            },
            Corruption::Zeros(zeros) => Self {
                garbage: 0,
                ..video.resized(size.saturating_add(zeros))
            },
            Corruption::Length(difference) => Self {
                length: Some(size.saturating_add_signed(difference)),
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::fill::GARBAGE;

    const SEED: u64 = 7;

    fn script() -> Script {
        Script {
            bytes: Some(300_000),
            ..Script::default()
        }
    }

    fn original() -> Vec<u8> {
        Source::video(&script(), SEED).bytes()
    }

    fn corrupted(corruption: Corruption) -> Source {
        Source::corrupted(&script(), SEED, corruption)
    }

    #[test]
    fn one_bit_is_flipped_at_any_offset_and_in_any_range() {
        let original = original();
        for offset in [0, 74_964, 75_000, 299_999] {
            let source = corrupted(Corruption::Flip(offset as u64));
            let mut expected = original.clone();
            expected[offset] ^= 1;
            assert_eq!(source.bytes(), expected, "{offset}");
            assert_eq!(source.length(), Some(300_000));
            for range in [0..offset, offset..300_000, offset..offset + 1] {
                let part = source.pieces(range.start as u64..range.end as u64);
                let part: Vec<u8> = part.flatten().collect();
                assert_eq!(part, expected[range.clone()], "{offset}, {range:?}");
            }
        }
        assert_eq!(corrupted(Corruption::Flip(300_000)).bytes(), original);
    }

    #[test]
    fn a_truncated_video_has_a_matching_length() {
        let original = original();
        for size in [0, 1, 74_970, 300_000] {
            let source = corrupted(Corruption::Truncate(size));
            assert_eq!(source.bytes(), original[..size as usize]);
            assert_eq!(source.length(), Some(size));
        }
        let source = corrupted(Corruption::Truncate(300_001));
        assert_eq!((source.bytes(), source.length()), (original, Some(300_000)));
    }

    #[test]
    fn a_wrong_length_does_not_change_the_bytes() {
        for (difference, length) in [(5, 300_005), (-5, 299_995), (i64::MIN, 0)] {
            let source = corrupted(Corruption::Length(difference));
            assert_eq!(source.length(), Some(length));
            assert_eq!(source.bytes(), original());
        }
    }

    #[test]
    fn trailing_garbage_has_no_length() {
        let source = corrupted(Corruption::Trailing(100_000));
        let mut expected = original();
        expected.resize(400_000, GARBAGE);
        assert_eq!(source.bytes(), expected);
        assert_eq!((source.size(), source.length()), (400_000, None));
        let endless = corrupted(Corruption::Trailing(u64::MAX));
        assert_eq!(endless.piece(1 << 60..u64::MAX).unwrap()[..2], [GARBAGE; 2]);
    }

    #[test]
    fn the_other_video_is_valid() {
        let source = corrupted(Corruption::OtherVideo);
        assert_eq!(source.size(), 300_000);
        assert_ne!(source.bytes(), original());
        let boxes = source.boxes();
        assert_eq!((boxes.len(), boxes[4].1.end), (5, 300_000));
        let moov = |source: &Source| source.boxes()[1].1.clone();
        assert_ne!(moov(&source), moov(&Source::video(&script(), SEED)));
    }

    #[test]
    fn digests_match_the_corrupted_bytes() {
        let flipped = corrupted(Corruption::Flip(100_000));
        let original = Source::video(&script(), SEED);
        assert_ne!(flipped.digests().etag, original.digests().etag);
        assert_ne!(flipped.digests().crc64, original.digests().crc64);
    }
}
