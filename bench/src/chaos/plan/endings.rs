//! Scripts of tasks without an archived video, and how their lifecycles may end.

use std::time::Duration;

use seedance_archiver_proto::reason;
use seedance_archiver_simulator::{Corruption, Ending, HostDialect, RecordDialect, Script};

use super::video::Expected;
use crate::{chaos::windows, random::Random};

/// How long after the creation of a video its task can no longer be queried.
pub(super) const TIME_LEFT: Duration = Duration::from_secs(45);
/// How long a video can be had that is lost if anything hangs. A lifecycle that relies on a watcher which overlooks its
/// task polls after ten minutes, and a task may count as unknown for ten more.
const LITTLE_TIME_LEFT: Duration = Duration::from_secs(20 * 60);
/// Lifetime of its URLs: it may take a retry of a transfer, but does not keep the video for longer.
const SHORT_URL_LIFETIME: Duration = Duration::from_secs(5 * 60);
/// Lifetime of the URLs of a video that cannot be had.
pub(in crate::chaos) const URL_LIFETIME: Duration = Duration::from_secs(20);
/// In a URL, the time at which it expires, in Unix seconds. It is known once the task is created.
pub(in crate::chaos) const EXPIRES: &str = "{expires}";
/// Reasons that are named after a failure type.
const CORRUPT_VIDEO: &str = "corrupt_video";
const URL_REFUSED: &str = "url_refused";
const RATE_LIMITED: &str = "rate_limited";
/// The code with which the simulator fails a task.
const SENSITIVE: &str = "OutputVideoSensitiveContentDetected";

/// Returns a script of a task that does not succeed.
pub(super) fn unsuccessful(random: &mut Random, script: Script) -> (Script, Expected) {
    let (ending, reasons) = match random.below(3) {
        0 => (Ending::Failed, vec![SENSITIVE, "failed"]),
        // The dialect with other words says `terminated`, which other services say of a failure.
        1 if script.dialect == Some(RecordDialect::OtherWords) => {
            (Ending::Cancelled, vec!["cancelled", "failed"])
        }
        1 => (Ending::Cancelled, vec!["cancelled"]),
        _ => (Ending::Expired, vec!["expired"]),
    };
    let script = Script { ending, ..script };
    (script, Expected::Unsuccessful(reasons))
}

/// Returns the script of a task that succeeded long ago, so that its video can be had for [`LITTLE_TIME_LEFT`] only.
pub(super) fn with_little_time_left(script: Script) -> Script {
    Script {
        age: windows::query_window().saturating_sub(LITTLE_TIME_LEFT),
        url_lifetime: Some(SHORT_URL_LIFETIME),
        ..script
    }
}

/// Returns the scripts of tasks whose video cannot be had.
pub(super) fn lost() -> Vec<(Script, Expected)> {
    // They ended long ago.
    let script = || Script {
        queued: Some(Duration::from_secs(1)),
        running: Some(Duration::from_secs(1)),
        age: windows::query_window().saturating_sub(TIME_LEFT),
        url_lifetime: Some(URL_LIFETIME),
        ..Script::default()
    };
    let corrupt = &[CORRUPT_VIDEO, reason::URL_EXPIRED];
    let lost: [(Script, &[&'static str]); 7] = [
        (
            Script {
                corrupt: Some(Corruption::Flip(1_000)),
                ..script()
            },
            corrupt,
        ),
        (
            Script {
                garbage: true,
                ..script()
            },
            corrupt,
        ),
        (
            Script {
                host: HostDialect {
                    changing_bytes: true,
                    ..HostDialect::default()
                },
                ..script()
            },
            corrupt,
        ),
        (
            Script {
                dead_urls: usize::MAX,
                ..script()
            },
            // The last attempt may have found no room in the rate limit to ask for another URL.
            &[reason::URL_EXPIRED, RATE_LIMITED],
        ),
        (
            Script {
                video_url: Some(format!("http://10.1.2.3/video.mp4?Expires={EXPIRES}")),
                ..script()
            },
            &[URL_REFUSED],
        ),
        (
            Script {
                dialect: Some(RecordDialect::Unreadable),
                ..script()
            },
            &[reason::QUERY_WINDOW_CLOSED],
        ),
        (
            Script {
                // It runs for longer than it can be queried.
                running: Some(2 * windows::query_window()),
                ..script()
            },
            &[reason::QUERY_WINDOW_CLOSED],
        ),
    ];
    lost.map(|(script, reasons)| (script, Expected::Lost(reasons.to_vec())))
        .into()
}
