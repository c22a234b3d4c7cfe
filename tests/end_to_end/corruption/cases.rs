//! Ways in which a video is served wrong, and what finds them out.

use std::ops::Range;

use anyhow::{Context, ensure};
use seedance_archiver_simulator::{Announced, Corruption, Script};

use crate::world::World;

/// Where the boxes of a small silent video are.
pub(super) struct Boxes {
    pub(super) ftyp: Range<u64>,
    pub(super) moov: Range<u64>,
    /// An empty `free`.
    pub(super) gap: Range<u64>,
    pub(super) mdat: Range<u64>,
    /// A `free` to the end.
    pub(super) filling: Range<u64>,
}

impl Boxes {
    /// Every small silent video has the same.
    pub(super) fn new(world: &World) -> anyhow::Result<Self> {
        let id = world.simulator.create(Script::default());
        let boxes = world.simulator.source(&id).context("no source")?.boxes();
        let (names, places): (Vec<_>, Vec<_>) = boxes.into_iter().unzip();
        ensure!(
            names == ["ftyp", "moov", "free", "mdat", "free"],
            "{names:?}"
        );
        let places: [_; 5] = places.try_into().ok().context("not five boxes")?;
        let [ftyp, moov, gap, mdat, filling] = places;
        Ok(Self {
            ftyp,
            moov,
            gap,
            mdat,
            filling,
        })
    }

    /// A byte amid the pictures.
    pub(super) fn media(&self) -> u64 {
        self.mdat.start.midpoint(self.mdat.end)
    }
}

/// A video that is served wrong once.
pub(super) struct Case {
    pub(super) script: Script,
    /// In the words of the attempt that finds out. `None`: the transfer goes on, in the same attempt.
    pub(super) found: Option<&'static str>,
}

fn case(corruption: Corruption, digests: Announced, found: &'static str) -> Case {
    Case {
        script: script(corruption, digests),
        found: Some(found),
    }
}

pub(super) fn script(corruption: Corruption, digests: Announced) -> Script {
    Script {
        corrupt: Some(corruption),
        digests,
        ..Script::default()
    }
}

const BY_CRC64: &str = "crc64 is";
const PAST_END: &str = "reaches past the end of the file";

pub(super) fn flipped(boxes: &Boxes) -> Vec<Case> {
    let (name, brand) = (boxes.ftyp.start + 4, boxes.ftyp.start + 8);
    let no_mp4 = "does not start with an ftyp box";
    // Behind the headers of `moov` and `mvhd` and the latter's version, which are read.
    let created = boxes.moov.start + 20;
    vec![
        case(Corruption::Flip(name), Announced::True, no_mp4),
        case(Corruption::Flip(name), Announced::Served, no_mp4),
        case(Corruption::Flip(brand), Announced::True, BY_CRC64),
        case(Corruption::Flip(created), Announced::True, BY_CRC64),
        case(Corruption::Flip(boxes.media()), Announced::True, BY_CRC64),
        case(
            Corruption::Flip(boxes.filling.end - 1),
            Announced::True,
            BY_CRC64,
        ),
    ]
}

/// Up to the end of each box, where no box is cut, and inside of those that are long.
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
        case(at(boxes.filling.end - 1), Announced::Nothing, PAST_END),
    ]
}

/// The first byte of each box is the highest of its size.
pub(super) fn past_the_end(boxes: &Boxes) -> Vec<Case> {
    [
        &boxes.ftyp,
        &boxes.moov,
        &boxes.gap,
        &boxes.mdat,
        &boxes.filling,
    ]
    .map(|place| case(Corruption::Flip(place.start), Announced::Served, PAST_END))
    .into()
}

pub(super) fn otherwise_wrong(_: &Boxes) -> Vec<Case> {
    let spliced = Script {
        bytes: Some(300_000),
        cuts: 1,
        cut_after: 200_000,
        ..script(Corruption::OtherVideo, Announced::True)
    };
    vec![
        Case {
            script: script(Corruption::Length(7), Announced::True),
            found: None,
        },
        Case {
            script: script(Corruption::Length(7), Announced::Nothing),
            found: None,
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
        // The rest of the right one follows the beginning of the wrong one, which has the same ETag.
        Case {
            script: spliced,
            found: Some(BY_CRC64),
        },
    ]
}
