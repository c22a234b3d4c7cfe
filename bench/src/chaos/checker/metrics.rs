//! Whether every end of a lifecycle was counted: by the worker of its last activity or, if its outcome was recorded in several
//! attempts, by any worker.

mod repeated;

use seedance_archiver_proto::{names::ARCHIVE_ACTIVITY_ID, outcome::ARCHIVED};

use super::{
    Row,
    endings::{End, Ending, Endings},
    identities,
};
use crate::chaos::{counted::Counted, parts::Incarnation};

/// Compares the ends in the histories with the counts of each process. What a killed process counted after its metrics
/// were last read is gone, as for any monitoring system: those ends are not compared.
pub(super) fn check(endings: &Endings, incarnations: &[Incarnation]) -> [Row; 3] {
    let mut findings = Vec::new();
    let mut compared = 0;
    // Counts of other ends than those of which the process is known.
    let mut others = Counted::new();
    for incarnation in incarnations {
        let (Some((_, counted)), Some(known_until)) =
            (&incarnation.counted, incarnation.counts_known_until())
        else {
            continue;
        };
        let mut expected = Counted::new();
        for ending in endings.values().flatten() {
            let Some(activity) = &ending.last_activity else {
                continue;
            };
            let is_there = identities::pid(&activity.identity) == Some(incarnation.pid);
            let is_before = activity.completed_at < known_until;
            if is_before && is_there && is_counted_there(ending) {
                *expected.entry(ending.labels()).or_default() += 1;
            }
        }
        for (labels, counted) in counted {
            let expected = expected.get(labels).copied().unwrap_or_default();
            *others.entry(labels.clone()).or_default() += counted.saturating_sub(expected);
        }
        for (labels, expected) in expected {
            compared += expected;
            let counted = counted.get(&labels).copied().unwrap_or_default();
            for _ in counted..expected {
                let Incarnation { worker, pid, .. } = incarnation;
                let (account, outcome) = &labels;
                findings.push(format!(
                    "worker {worker}, process {pid}: {counted} of {expected} `{outcome}` of {account}"
                ));
            }
        }
    }
    let repeated = repeated::expected(endings, incarnations);
    findings.extend(repeated::missing(&repeated, &others));
    let repeated = repeated.values().sum();
    compared += repeated;
    findings.extend(never_compared(endings, compared));
    [
        Row::none_of("endings that are not in the metrics", findings),
        Row::of("endings that were compared with the metrics", compared),
        Row::of(
            "such endings that were recorded in several attempts",
            repeated,
        ),
    ]
}

/// Returns a finding if nothing was compared although there was something to compare: the metrics were not read, or
/// have other names.
fn never_compared(endings: &Endings, compared: u64) -> Option<String> {
    let is_archived =
        |it: &&Ending| matches!(&it.end, End::Result { outcome, .. } if outcome == ARCHIVED);
    let archived = endings.values().flatten().filter(is_archived).count();
    let is_missing = compared == 0 && archived > 0;
    is_missing.then(|| format!("none of the ends of {archived} archived videos was compared"))
}

/// Returns whether the process that completed the last activity has counted the end. An outcome is counted by the first
/// attempt to record it that gets as far, which another process may have made.
fn is_counted_there(ending: &Ending) -> bool {
    let activity = ending.last_activity.as_ref();
    activity.is_some_and(|activity| activity.id == ARCHIVE_ACTIVITY_ID || activity.attempt == 1)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::chaos::checker::{endings::LastActivity, testing::process_with_count};

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn endings(id: &str, attempt: i32, completed_at: u64) -> Endings {
        let ending = Ending {
            task_id: "cgt-1".into(),
            account: "called",
            end: End::Result {
                outcome: "archived".into(),
                reason: String::new(),
            },
            last_activity: Some(LastActivity {
                id: id.into(),
                scheduled_at: at(completed_at - 10),
                attempt,
                identity: "7@host".into(),
                completed_at: at(completed_at),
            }),
            had_other_version: false,
        };
        Endings::from([("cgt-1".to_owned(), vec![ending])])
    }

    fn process(pid: u32, archived: u64) -> Incarnation {
        process_with_count(pid, "archived", archived)
    }

    /// Returns the numbers of missing and of compared ends.
    fn counts(endings: &Endings, processes: &[Incarnation]) -> [u64; 2] {
        let [missing, compared, _] = check(endings, processes);
        [missing.count, compared.count]
    }

    #[test]
    fn an_end_that_its_process_did_not_count_is_found() {
        let archived = endings("archive", 3, 50);
        assert_eq!(counts(&archived, &[process(7, 1)]), [0, 1]);
        assert_eq!(counts(&archived, &[process(7, 0)]), [1, 1]);
        // What another process counted does not help.
        let processes = [process(7, 0), process(8, 1)];
        assert_eq!(counts(&archived, &processes), [1, 1]);
        for id in ["record", "record-again"] {
            let recorded = endings(id, 1, 50);
            assert_eq!(counts(&recorded, &[process(7, 0)]), [1, 1], "{id}");
            assert_eq!(counts(&recorded, &[process(7, 1)]), [0, 1], "{id}");
        }
    }

    #[test]
    fn ends_that_came_after_the_last_reading_are_not_compared() {
        let mut endings_before = endings("archive", 1, 50);
        let after = endings("archive", 1, 100);
        endings_before.extend([("cgt-2".to_owned(), after["cgt-1"].clone())]);
        assert_eq!(counts(&endings_before, &[process(7, 1)]), [0, 1]);
    }

    #[test]
    fn an_end_that_was_recorded_in_several_attempts_has_a_count_of_its_own() {
        let lost = |task: &str, attempt| {
            let mut endings = endings("record", attempt, 50);
            let mut ending = endings.remove("cgt-1").unwrap();
            ending[0].end = End::Result {
                outcome: "lost".into(),
                reason: String::new(),
            };
            (task.to_owned(), ending)
        };
        let endings = Endings::from([lost("cgt-1", 1), lost("cgt-2", 3)]);
        let counts = |counted: [(u32, u64); 2]| {
            let processes = counted.map(|(pid, count)| process_with_count(pid, "lost", count));
            check(&endings, &processes).map(|row| row.count)
        };
        assert_eq!(counts([(7, 2), (8, 0)]), [0, 2, 1]);
        assert_eq!(counts([(7, 1), (8, 1)]), [0, 2, 1]);
        assert_eq!(counts([(7, 1), (8, 0)]), [1, 2, 1]);
    }

    #[test]
    fn metrics_that_nobody_read_are_found_if_a_video_was_archived() {
        let mut endings = endings("archive", 1, 50);
        let unread = Incarnation {
            counted: None,
            ..process(7, 1)
        };
        assert_eq!(counts(&endings, &[unread]), [1, 0]);
        assert_eq!(counts(&endings, &[]), [1, 0]);
        for ending in endings.values_mut().flatten() {
            ending.end = End::Open;
        }
        assert_eq!(counts(&endings, &[]), [0, 0]);
    }
}
