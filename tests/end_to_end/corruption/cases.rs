//! Ways to corrupt a video, and the check that detects each.

use std::ops::Range;

use anyhow::{Context, ensure};
use seedance_archiver_simulator::{Corruption, HeaderDigests, Script};

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

    /// Returns the offset of a byte in the middle of the media data.
    pub(super) fn media(&self) -> u64 {
        self.mdat.start.midpoint(self.mdat.end)
    }
}

/// A video that is corrupted in its first download.
pub(super) struct Case {
    pub(super) script: Script,
    /// Part of the failure of the attempt that detects the corruption. `None`: the same attempt recovers.
    pub(super) failure: Option<&'static str>,
}

fn case(corruption: Corruption, digests: HeaderDigests, failure: &'static str) -> Case {
    Case {
        script: script(corruption, digests),
        failure: Some(failure),
    }
}

/// Returns the script of a task whose video is corrupted.
pub(super) fn script(corruption: Corruption, digests: HeaderDigests) -> Script {
    Script {
        corrupt: Some(corruption),
        digests,
        ..Script::default()
    }
}

const BY_CRC64: &str = "crc64 is";
const PAST_END: &str = "extends past the end of the file";

/// Returns videos with one flipped bit.
pub(super) fn flipped(boxes: &Boxes) -> Vec<Case> {
    let (name, brand) = (boxes.ftyp.start + 4, boxes.ftyp.start + 8);
    // After the headers of `moov` and `mvhd` and the version of `mvhd`, which the MP4 check reads.
    let created = boxes.moov.start + 20;
    vec![
        case(Corruption::Flip(name), HeaderDigests::Original, BY_CRC64),
        case(
            Corruption::Flip(name),
            HeaderDigests::Absent,
            "does not start with an ftyp box",
        ),
        case(Corruption::Flip(brand), HeaderDigests::Original, BY_CRC64),
        case(Corruption::Flip(created), HeaderDigests::Original, BY_CRC64),
        case(
            Corruption::Flip(boxes.media()),
            HeaderDigests::Original,
            BY_CRC64,
        ),
        case(
            Corruption::Flip(boxes.padding.end - 1),
            HeaderDigests::Original,
            BY_CRC64,
        ),
    ]
}

/// Returns videos that are truncated at the end of each box, so that no box is cut, and inside the long boxes.
pub(super) fn truncated(boxes: &Boxes) -> Vec<Case> {
    let at = Corruption::Truncate;
    let (no_video, no_mdat) = ("the host returned an empty body", "has no mdat");
    vec![
        case(at(0), HeaderDigests::Original, no_video),
        case(at(boxes.ftyp.end), HeaderDigests::Original, BY_CRC64),
        case(at(boxes.moov.end), HeaderDigests::Original, BY_CRC64),
        case(at(boxes.gap.end), HeaderDigests::Original, BY_CRC64),
        case(at(boxes.mdat.end), HeaderDigests::Original, BY_CRC64),
        case(at(0), HeaderDigests::Absent, no_video),
        case(at(boxes.ftyp.end), HeaderDigests::Absent, "has no moov"),
        case(at(boxes.moov.end), HeaderDigests::Absent, no_mdat),
        case(at(boxes.gap.end), HeaderDigests::Absent, no_mdat),
        case(at(boxes.media()), HeaderDigests::Absent, PAST_END),
        case(at(boxes.padding.end - 1), HeaderDigests::Absent, PAST_END),
    ]
}

/// Returns videos in which the size of a box is huge: the first byte of a box is the most significant byte of
/// its size.
pub(super) fn past_the_end(boxes: &Boxes) -> Vec<Case> {
    [
        &boxes.ftyp,
        &boxes.moov,
        &boxes.gap,
        &boxes.mdat,
        &boxes.padding,
    ]
    .map(|range| {
        case(
            Corruption::Flip(range.start),
            HeaderDigests::Absent,
            PAST_END,
        )
    })
    .into()
}

/// Returns videos with a wrong length, trailing garbage, or the content of another video.
pub(super) fn wrong_length_or_content(_: &Boxes) -> Vec<Case> {
    let spliced = Script {
        bytes: Some(300_000),
        cuts: 1,
        cut_after: 200_000,
        ..script(Corruption::OtherVideo, HeaderDigests::Original)
    };
    vec![
        Case {
            script: script(Corruption::Length(7), HeaderDigests::Original),
            failure: None,
        },
        Case {
            script: script(Corruption::Length(7), HeaderDigests::Absent),
            failure: None,
        },
        case(Corruption::Length(-7), HeaderDigests::Original, BY_CRC64),
        case(Corruption::Length(-7), HeaderDigests::Absent, PAST_END),
        case(Corruption::Trailing(7), HeaderDigests::Original, BY_CRC64),
        case(
            Corruption::Trailing(7),
            HeaderDigests::Absent,
            "inside a box header",
        ),
        case(
            Corruption::Trailing(100_000),
            HeaderDigests::Absent,
            "invalid box header at byte",
        ),
        case(Corruption::OtherVideo, HeaderDigests::Original, BY_CRC64),
        // The beginning of another video, followed by the rest of the original: both have the same ETag.
        Case {
            script: spliced,
            failure: Some(BY_CRC64),
        },
    ]
}
