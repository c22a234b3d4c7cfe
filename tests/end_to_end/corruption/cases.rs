//! Ways in which a video is corrupted, and the check that detects each.

use std::ops::Range;

use anyhow::{Context, ensure};
use seedance_archiver_simulator::{Announced, Corruption, Script};

use crate::harness::Fixture;

/// The byte ranges of the boxes of a small video without sound.
pub(super) struct Boxes {
    pub(super) ftyp: Range<u64>,
    pub(super) moov: Range<u64>,
    /// An empty `free` box.
    pub(super) gap: Range<u64>,
    pub(super) mdat: Range<u64>,
    /// A `free` box to the end of the file.
    pub(super) padding: Range<u64>,
}

impl Boxes {
    /// Returns the boxes. They are the same in all small videos without sound.
    pub(super) fn new(fixture: &Fixture) -> anyhow::Result<Self> {
        let id = fixture.simulator.create(Script::default());
        let boxes = fixture.simulator.source(&id).context("no source")?.boxes();
        let (names, ranges): (Vec<_>, Vec<_>) = boxes.into_iter().unzip();
        ensure!(
            names == ["ftyp", "moov", "free", "mdat", "free"],
            "{names:?}"
        );
        let ranges: [_; 5] = ranges.try_into().ok().context("not five boxes")?;
        let [ftyp, moov, gap, mdat, padding] = ranges;
        Ok(Self {
            ftyp,
            moov,
            gap,
            mdat,
            padding,
        })
    }

    /// Returns the position of a byte in the middle of the media data.
    pub(super) fn media(&self) -> u64 {
        self.mdat.start.midpoint(self.mdat.end)
    }
}

/// A video that is corrupted in its first download.
pub(super) struct Case {
    pub(super) script: Script,
    /// The finding of the attempt that detects the corruption. `None`: the same attempt recovers.
    pub(super) finding: Option<&'static str>,
}

fn case(corruption: Corruption, digests: Announced, finding: &'static str) -> Case {
    Case {
        script: script(corruption, digests),
        finding: Some(finding),
    }
}

/// Returns the script of a task whose video is corrupted.
pub(super) fn script(corruption: Corruption, digests: Announced) -> Script {
    Script {
        corrupt: Some(corruption),
        digests,
        ..Script::default()
    }
}

const BY_CRC64: &str = "crc64 is";
const PAST_END: &str = "reaches past the end of the file";

/// One bit is flipped.
pub(super) fn flipped(boxes: &Boxes) -> Vec<Case> {
    let (name, brand) = (boxes.ftyp.start + 4, boxes.ftyp.start + 8);
    let not_mp4 = "does not start with an ftyp box";
    // Behind the headers of `moov` and `mvhd` and the version of `mvhd`, which the MP4 check reads.
    let created = boxes.moov.start + 20;
    vec![
        case(Corruption::Flip(name), Announced::True, not_mp4),
        case(Corruption::Flip(name), Announced::Served, not_mp4),
        case(Corruption::Flip(brand), Announced::True, BY_CRC64),
        case(Corruption::Flip(created), Announced::True, BY_CRC64),
        case(Corruption::Flip(boxes.media()), Announced::True, BY_CRC64),
        case(
            Corruption::Flip(boxes.padding.end - 1),
            Announced::True,
            BY_CRC64,
        ),
    ]
}

/// Truncated at the end of each box, so that no box is cut, and inside the long boxes.
pub(super) fn truncated(boxes: &Boxes) -> Vec<Case> {
    let at = Corruption::Truncate;
    let (no_video, no_mdat) = ("do not start like a video", "has no mdat");
    vec![
        case(at(0), Announced::True, no_video),
        case(at(boxes.ftyp.end), Announced::True, BY_CRC64),
        case(at(boxes.moov.end), Announced::True, BY_CRC64),
        case(at(boxes.gap.end), Announced::True, BY_CRC64),
        case(at(boxes.mdat.end), Announced::True, BY_CRC64),
        case(at(0), Announced::Nothing, no_video),
        case(at(boxes.ftyp.end), Announced::Nothing, "has no moov"),
        case(at(boxes.moov.end), Announced::Nothing, no_mdat),
        case(at(boxes.gap.end), Announced::Nothing, no_mdat),
        case(at(boxes.media()), Announced::Nothing, PAST_END),
        case(at(boxes.padding.end - 1), Announced::Nothing, PAST_END),
    ]
}

/// The size of each box is made huge: the first byte of a box is the most significant byte of its size.
pub(super) fn past_the_end(boxes: &Boxes) -> Vec<Case> {
    [
        &boxes.ftyp,
        &boxes.moov,
        &boxes.gap,
        &boxes.mdat,
        &boxes.padding,
    ]
    .map(|range| case(Corruption::Flip(range.start), Announced::Served, PAST_END))
    .into()
}

pub(super) fn wrong_length_or_content(_: &Boxes) -> Vec<Case> {
    let spliced = Script {
        bytes: Some(300_000),
        cuts: 1,
        cut_after: 200_000,
        ..script(Corruption::OtherVideo, Announced::True)
    };
    vec![
        Case {
            script: script(Corruption::Length(7), Announced::True),
            finding: None,
        },
        Case {
            script: script(Corruption::Length(7), Announced::Nothing),
            finding: None,
        },
        case(Corruption::Length(-7), Announced::True, PAST_END),
        case(Corruption::Length(-7), Announced::Nothing, PAST_END),
        case(Corruption::Trailing(7), Announced::True, BY_CRC64),
        case(
            Corruption::Trailing(7),
            Announced::Nothing,
            "inside a box header",
        ),
        case(
            Corruption::Trailing(100_000),
            Announced::Nothing,
            "invalid box header at byte",
        ),
        case(Corruption::OtherVideo, Announced::True, BY_CRC64),
        // The beginning of another video, followed by the rest of the right one: both have the same ETag.
        Case {
            script: spliced,
            finding: Some(BY_CRC64),
        },
    ]
}
