//! What kept a video from being archived, attempt by attempt.

use std::time::{Duration, SystemTime};

use seedance_archiver_proto::{
    external,
    names::failure,
    reason::{RECORD_VANISHED, URL_EXPIRED},
};

use super::streaks::{Reached, Side, Streaks};

/// Maximum number of failure types that are remembered.
const MAX_FINDINGS: usize = 8;
/// Maximum number of characters of a message that is remembered.
const MAX_MESSAGE: usize = 300;

/// The failures of one type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Finding {
    /// The failure type.
    pub failure_type: String,
    /// The reason of a verdict because of these failures.
    pub reason: String,
    /// Number of attempts that failed in this way.
    pub count: u32,
    /// Message of the last one.
    pub last_message: String,
    /// When the first of them failed after which none failed in another way. `None`: it is not known.
    pub since: Option<SystemTime>,
    /// When the last one failed. `None`: it is not known.
    pub last_at: Option<SystemTime>,
}

impl Finding {
    /// Returns for how long attempts failed in this way, and in no other. Time in which nothing was attempted says nothing.
    pub fn lasted(&self) -> Duration {
        let times = self.last_at.zip(self.since);
        let lasted = times.and_then(|(last, first)| last.duration_since(first).ok());
        lasted.unwrap_or_default()
    }
}

/// The failures of a transfer so far, by type. The last one is the most recent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    findings: Vec<Finding>,
    streaks: Streaks,
}

/// The verdict on a video whose archive deadline passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The failure type.
    pub failure_type: String,
    /// The reason.
    pub reason: String,
    /// The history in one line.
    pub message: String,
}

impl History {
    /// Returns the history of these findings and consecutive failures.
    pub fn new(findings: Vec<Finding>, streaks: Streaks) -> Self {
        Self { findings, streaks }
    }

    /// Returns the consecutive failures of each side.
    pub fn streaks(&self) -> Streaks {
        self.streaks
    }

    /// Counts a failure of a side for the delay before the next attempt. `reached` is how far the transfer got.
    pub fn count(&mut self, side: Side, reached: Reached) {
        self.streaks.add(side, reached);
    }

    /// Returns the findings, the most recent last.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Adds the failure of an attempt at a time.
    pub fn add(&mut self, failure_type: &str, reason: &str, message: &str, now: SystemTime) {
        let is_same = |it: &Finding| it.failure_type == failure_type && it.reason == reason;
        let earlier = self.findings.iter().position(is_same);
        let is_repeated = earlier.is_some_and(|at| at + 1 == self.findings.len());
        let mut finding = earlier
            .map(|at| self.findings.remove(at))
            .unwrap_or_default();
        finding.since = finding.since.filter(|_| is_repeated).or(Some(now));
        finding.last_at = Some(now);
        finding.failure_type = failure_type.to_owned();
        finding.reason = reason.to_owned();
        finding.count = finding.count.saturating_add(1);
        finding.last_message = external::line(message, MAX_MESSAGE);
        self.findings.push(finding);
        let surplus = self.findings.len().saturating_sub(MAX_FINDINGS);
        self.findings.drain(..surplus);
    }

    /// Returns the verdict after the archive deadline. The last failure has to be in the history.
    ///
    /// If no URL works any more, what had kept the video from being archived before is the reason. Of several, and if the last
    /// query for a URL was one too many, it is what did so most often.
    pub fn verdict(&self) -> Option<Verdict> {
        let last = self.findings.last()?;
        let others = || self.findings.iter().filter(|it| !is_dead_url(it));
        let cause = match is_dead_url(last) || last.failure_type == failure::RATE_LIMITED {
            // Of equally frequent ones, `max_by_key` returns the last, which is the most recent.
            true => others().max_by_key(|it| it.count),
            false => Some(last),
        };
        let cause = cause.unwrap_or(last);
        let history = match std::ptr::eq(cause, last) {
            true => format!("last error: {}", last.last_message),
            false => format!(
                "{}, last: {}; then {}: {}",
                times(cause),
                cause.last_message,
                last.failure_type,
                last.last_message
            ),
        };
        Some(Verdict {
            failure_type: cause.failure_type.clone(),
            reason: cause.reason.clone(),
            message: format!("archive deadline passed; {history}"),
        })
    }
}

/// Returns whether a failure says only that no URL works any more.
fn is_dead_url(finding: &Finding) -> bool {
    [URL_EXPIRED, RECORD_VANISHED].contains(&finding.reason.as_str())
}

fn times(finding: &Finding) -> String {
    match finding.count {
        1 => format!("{} once", finding.failure_type),
        count => format!("{} {count} times", finding.failure_type),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(failures: &[(&str, &str, u32)]) -> History {
        let mut history = History::default();
        for (failure_type, reason, count) in failures {
            for number in 1..=*count {
                let message = format!("{reason} {number}");
                history.add(failure_type, reason, &message, SystemTime::UNIX_EPOCH);
            }
        }
        history
    }

    const CORRUPT: (&str, &str) = ("CorruptVideo", "corrupt_video");
    const DEAD: (&str, &str, u32) = ("UrlExpired", "url_expired", 1);

    #[test]
    fn what_kept_a_video_from_being_archived_is_the_reason() {
        let corrupt = (CORRUPT.0, CORRUPT.1, 20);
        for (failures, reason, message) in [
            (
                &[corrupt, DEAD][..],
                "corrupt_video",
                "archive deadline passed; CorruptVideo 20 times, last: corrupt_video 20; then UrlExpired: \
                 url_expired 1",
            ),
            (
                &[("StoreUnavailable", "store_unavailable", 1), DEAD],
                "store_unavailable",
                "archive deadline passed; StoreUnavailable once, last: store_unavailable 1; then UrlExpired: \
                 url_expired 1",
            ),
            (
                &[
                    corrupt,
                    ("UpstreamUnavailable", "upstream_unavailable", 1),
                    DEAD,
                ],
                "corrupt_video",
                "archive deadline passed; CorruptVideo 20 times, last: corrupt_video 20; then UrlExpired: \
                 url_expired 1",
            ),
            (
                &[
                    ("UrlRefused", "url_refused", 2),
                    ("TaskNotFound", "record_vanished", 1),
                ],
                "url_refused",
                "archive deadline passed; UrlRefused 2 times, last: url_refused 2; then TaskNotFound: \
                 record_vanished 1",
            ),
            // Refused queries do not hide what failed more often, but do what failed less often.
            (
                &[
                    (CORRUPT.0, CORRUPT.1, 3),
                    ("RateLimited", "rate_limited", 1),
                ],
                "corrupt_video",
                "archive deadline passed; CorruptVideo 3 times, last: corrupt_video 3; then RateLimited: \
                 rate_limited 1",
            ),
            (
                &[
                    (CORRUPT.0, CORRUPT.1, 3),
                    ("RateLimited", "rate_limited", 3),
                ],
                "rate_limited",
                "archive deadline passed; last error: rate_limited 3",
            ),
            // Without a dead URL, the last failure is the reason.
            (
                &[corrupt, ("StoreUnavailable", "store_unavailable", 1)],
                "store_unavailable",
                "archive deadline passed; last error: store_unavailable 1",
            ),
            (
                &[DEAD],
                "url_expired",
                "archive deadline passed; last error: url_expired 1",
            ),
            (
                &[corrupt, ("UrlExpired", "seal_key_missing", 1)],
                "seal_key_missing",
                "archive deadline passed; last error: seal_key_missing 1",
            ),
        ] {
            let verdict = history(failures).verdict().unwrap();
            assert_eq!(
                (verdict.reason.as_str(), verdict.message.as_str()),
                (reason, message)
            );
        }
        assert_eq!(History::default().verdict(), None);
    }

    #[test]
    fn of_equally_frequent_findings_the_most_recent_is_the_reason() {
        let both = [
            (CORRUPT.0, CORRUPT.1, 1),
            ("StoreUnavailable", "store_unavailable", 1),
            DEAD,
        ];
        assert_eq!(
            history(&both).verdict().unwrap().reason,
            "store_unavailable"
        );
    }

    #[test]
    fn a_failure_lasts_since_the_last_other_one() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let mut history = History::default();
        let mut lasted = |failure_type, seconds| {
            history.add(failure_type, "r", "", at(seconds));
            history.findings().last().map(|it| it.lasted().as_secs())
        };
        assert_eq!(lasted("StoreUnavailable", 1), Some(0));
        assert_eq!(lasted("StoreUnavailable", 3), Some(2));
        assert_eq!(lasted("CorruptVideo", 4), Some(0));
        assert_eq!(lasted("StoreUnavailable", 5), Some(0));
        assert_eq!(lasted("StoreUnavailable", 9), Some(4));
    }

    #[test]
    fn failures_of_one_type_are_counted_by_their_reasons() {
        let both = [DEAD, ("UrlExpired", "seal_key_missing", 2), DEAD];
        let history = history(&both);
        let counts = history.findings().iter();
        let counts: Vec<_> = counts.map(|it| (it.reason.as_str(), it.count)).collect();
        assert_eq!(counts, [("seal_key_missing", 2), ("url_expired", 2)]);
    }

    #[test]
    fn a_failure_counts_for_the_delay_of_its_side() {
        let mut history = History::default();
        history.count(Side::Store, Reached::default());
        history.count(Side::Store, Reached::default());
        assert_eq!(history.streaks().of(Side::Store).failures, 2);
        assert_eq!(history.streaks().of(Side::Host).failures, 0);
    }

    #[test]
    fn the_history_is_bounded() {
        let mut history = History::default();
        for number in 0..100 {
            let failure_type = format!("Type{number}");
            let message = "é".repeat(10_000);
            history.add(&failure_type, "r", &message, SystemTime::UNIX_EPOCH);
        }
        assert_eq!(history.findings().len(), MAX_FINDINGS);
        let length = history.findings()[0].last_message.chars().count();
        assert!(length <= MAX_MESSAGE, "{length}");
    }
}
