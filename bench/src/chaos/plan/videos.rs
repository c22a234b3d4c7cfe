//! Which videos are created, and when.

use std::time::Duration;

use seedance_archiver_simulator::{
    Corruption, Fault as ApiFault, HeaderDigests, HostDialect, Image, RecordDialect, Script,
};

use super::{
    deck::Deck,
    endings,
    every::every_variant,
    fault::WORKERS,
    faults::LONG_DELAY,
    hosts,
    video::{Account, Expected, Trigger, Video},
};
use crate::random::Random;

pub(super) const RECORDS: [RecordDialect; 12] = every_variant!(RecordDialect {
    Milliseconds,
    Dates,
    Timeless,
    MetadataUrl,
    ResultUrl,
    UnknownUrl,
    OtherWords,
    UnknownWord,
    StrictParsersRefuse,
    Large,
    RepeatsSecrets,
    Unreadable,
});

pub(super) const CORRUPTIONS: [Corruption; 6] = every_variant!(Corruption {
    Flip(1_000),
    Truncate(50_000),
    Length(1_000),
    Trailing(1_000),
    Zeros(1_000),
    OtherVideo,
});

/// What may be wrong with the queries of one task.
pub(super) const QUERY_FAULTS: [ApiFault; 6] = [
    ApiFault::RateLimited {
        retry_after: Some(3),
    },
    ApiFault::RateLimited {
        retry_after: Some(LONG_DELAY),
    },
    ApiFault::RateLimited { retry_after: None },
    ApiFault::Overloaded {
        retry_after: LONG_DELAY,
    },
    ApiFault::Unavailable,
    ApiFault::NoResponse,
];
/// Probability that the queries of a savable task fail for a while.
const HAS_QUERY_FAULT: f64 = 0.05;

/// Probability that the downloads of a savable video stand still.
const IS_HELD: f64 = 0.05;
/// After this time, tasks have ended, and their videos are downloaded.
const ENDED: Duration = Duration::from_secs(15);
/// How long downloads stand still from then on, at most, also as a part of the run.
const MAX_HOLD: Duration = Duration::from_secs(45);
const MIN_PART_OF_HOLD: u32 = 16;

const IMAGES: [Image; 2] = every_variant!(Image { Png, Jpeg });

const MEBIBYTE: usize = 1 << 20;
/// Size of the smallest video.
const SMALLEST: usize = 80 << 10;

/// Returns the videos of a run, in the order of time: half of them called.
pub(super) fn plan(random: &mut Random, count: u32, length: Duration) -> Vec<Video> {
    let is_readable = |it: &RecordDialect| *it != RecordDialect::Unreadable;
    let mut scripts = Scripts {
        hosts: Deck::new(hosts::savable()),
        records: Deck::new(RECORDS.into_iter().filter(is_readable).collect()),
        lost: Deck::new(endings::lost()),
    };
    let mut times: Vec<_> = (0..count)
        .map(|_| random.between(0.0, length.as_secs_f64()))
        .collect();
    times.sort();
    let videos = times.into_iter().enumerate().map(|(number, at)| {
        let trigger = match number % 2 {
            0 => Trigger::Call,
            _ => Trigger::Nobody,
        };
        Video {
            called_account: called_account(number / 2),
            ..scripts.video(random, at, trigger)
        }
    });
    videos.collect()
}

/// Returns the account of a called video: those of gateways and without a list have one in six each.
fn called_account(number: usize) -> Account {
    match number % 6 {
        1 => Account::Gateway,
        4 => Account::WithoutList,
        _ => Account::Called,
    }
}

/// Probability that a video which may have little time left does: then a tenth of the savable called videos has.
const HAS_LITTLE_TIME_LEFT: f64 = 0.25;

/// Gives some savable videos little time, so that a transfer that hangs loses them.
pub(super) fn set_deadlines(random: &mut Random, videos: &mut [Video]) {
    for video in videos.iter_mut().filter(|it| may_have_little_time_left(it)) {
        if random.happens(HAS_LITTLE_TIME_LEFT) {
            video.script = endings::with_little_time_left(video.script.clone());
        }
    }
}

/// Makes the queries of some savable tasks fail for a while, which must lose neither them nor others.
pub(super) fn set_query_faults(random: &mut Random, videos: &mut [Video]) {
    let mut faults = Deck::new(QUERY_FAULTS.to_vec());
    let savable = videos
        .iter_mut()
        .filter(|it| it.expected == Expected::Archived);
    for video in savable {
        if random.happens(HAS_QUERY_FAULT) {
            let lasts = random.between(1.0, 40.0);
            video.query_fault = faults.draw(random).map(|fault| (fault, lasts));
        }
    }
}

/// Lets the downloads of some savable videos stand still for a while.
pub(super) fn set_holds(random: &mut Random, videos: &mut [Video], length: Duration) {
    let longest = (length / MIN_PART_OF_HOLD).min(MAX_HOLD);
    let savable = videos
        .iter_mut()
        .filter(|it| it.expected == Expected::Archived);
    for video in savable {
        if random.happens(IS_HELD) {
            video.script.hold_at = Some(1 + random.below(SMALLEST) as u64);
            video.held_for = ENDED + random.between(0.0, longest.as_secs_f64());
        }
    }
}

/// Returns whether a video can be had after the slowest poll although its task ended long ago. A record without times,
/// or with times that another version misreads, does not tell how much time is left.
fn may_have_little_time_left(video: &Video) -> bool {
    video.trigger == Trigger::Call
        && video.expected == Expected::Archived
        && video.hidden_for.is_zero()
        && video.script.dialect.is_none()
        // Its only URL would be dead.
        && !video.script.signs_once
}

struct Scripts {
    hosts: Deck<HostDialect>,
    records: Deck<RecordDialect>,
    /// Those of videos that cannot be had.
    lost: Deck<(Script, Expected)>,
}

impl Scripts {
    fn video(&mut self, random: &mut Random, at: Duration, trigger: Trigger) -> Video {
        let is_called = trigger == Trigger::Call;
        let ending = random.uniform();
        let lost = match is_called && ending < 0.08 {
            true => self.lost.draw(random),
            false => None,
        };
        let (script, expected) = lost.unwrap_or_else(|| {
            let script = self.savable(random, is_called);
            match ending > 0.88 {
                true => endings::unsuccessful(random, script),
                false => (script, Expected::Archived),
            }
        });
        let is_savable = expected == Expected::Archived;
        let hidden = is_called && is_savable && random.happens(0.05);
        // Enough called tasks of one account have callbacks that one of them matters.
        let has_callback = if is_called { 0.45 } else { 0.3 };
        Video {
            at,
            trigger,
            called_account: Account::Called,
            script,
            callback: random.happens(has_callback).then(|| random.below(WORKERS)),
            hidden_for: match hidden {
                true => random.between(1.0, 5.0),
                false => Duration::ZERO,
            },
            query_fault: None,
            held_for: Duration::ZERO,
            to_disk: is_called && is_savable && random.happens(0.25),
            expected,
        }
    }

    /// Returns a script whose video can be had, sooner or later. Only a caller finds a task that no list shows.
    fn savable(&mut self, random: &mut Random, is_called: bool) -> Script {
        let mut script = Script {
            queued: Some(random.between(0.0, 4.0)),
            running: Some(random.between(0.0, 10.0)),
            generate_audio: random.happens(0.5),
            bytes: Some(bytes(random)),
            extra: random.happens(0.2),
            wrapped: random.happens(0.1),
            flex: random.happens(0.1),
            unlisted: is_called && random.happens(0.1),
            host: self.hosts.draw(random).unwrap_or_default(),
            ..Script::default()
        };
        if random.happens(0.5) {
            script.dialect = self.records.draw(random);
        }
        if random.happens(0.2) {
            script.last_frame = Some(IMAGES[random.below(IMAGES.len())]);
        }
        if random.happens(0.15) {
            script.no_url_for = Some(random.between(0.0, 5.0));
        }
        if random.happens(0.15) {
            script.cuts = 1 + random.below(3) as u64;
            script.cut_after = (64 << 10) + random.below(MEBIBYTE) as u64;
        }
        if random.happens(0.1) {
            script.no_ranges = true;
        }
        if random.happens(0.3) {
            script.bytes_per_second = Some((300 << 10) + random.below(2 * MEBIBYTE) as u64);
        }
        troubled(random, script)
    }
}

/// Adds corruption, dead URLs, URLs that are signed once or other digests: only one of them, because together they may make a
/// video impossible to have.
fn troubled(random: &mut Random, script: Script) -> Script {
    match random.below(10) {
        0 | 1 => Script {
            corrupt: Some(CORRUPTIONS[random.below(CORRUPTIONS.len())]),
            corrupt_downloads: Some(1 + random.below(2) as u64),
            ..script
        },
        2 => Script {
            dead_urls: 1 + random.below(2),
            ..script
        },
        3 => Script {
            signs_once: true,
            ..script
        },
        4 => Script {
            digests: HeaderDigests::Absent,
            ..script
        },
        // Other corrupt bytes that have a matching digest are archived: whoever declares it vouches for them.
        5 => Script {
            digests: HeaderDigests::Served,
            corrupt: Some(Corruption::Length(1_000)),
            corrupt_downloads: Some(1 + random.below(2) as u64),
            ..script
        },
        _ => script,
    }
}

/// Mostly small, sometimes of several parts of a multipart upload.
fn bytes(random: &mut Random) -> u64 {
    let bytes = match random.below(10) {
        0 => 6 * MEBIBYTE + random.below(14 * MEBIBYTE),
        1..=3 => MEBIBYTE + random.below(4 * MEBIBYTE),
        _ => SMALLEST + random.below(MEBIBYTE),
    };
    bytes as u64
}
