//! Whether every end of a lifecycle was counted by the worker of its last activity.

use std::{collections::BTreeMap, time::Duration};

use seedance_archiver_proto::{
    names::{ARCHIVE_ACTIVITY_ID, RECORD_ACTIVITY_ID},
    outcome::ARCHIVED,
};

use super::{
    Row,
    endings::{End, Ending, Endings},
    identities,
};
use crate::chaos::parts::Incarnation;

/// An end that was this close to the last reading of the metrics may have come after it.
const TOLERANCE: Duration = Duration::from_secs(1);

/// Compares the ends in the histories with the counts of each process. What a killed process counted after its metrics
/// were last read is gone, as for any monitoring system: those ends are not compared.
pub(super) fn check(endings: &Endings, incarnations: &[Incarnation]) -> [Row; 2] {
    let mut findings = Vec::new();
    let mut compared = 0;
    for incarnation in incarnations {
        let Some((read_at, counted)) = &incarnation.counted else {
            continue;
        };
        let mut expected = BTreeMap::<(String, String), u64>::new();
        for ending in endings.values().flatten() {
            let Some(activity) = &ending.last_activity else {
                continue;
            };
            let is_there = identities::pid(&activity.identity) == Some(incarnation.pid);
            let is_before = activity.completed_at + TOLERANCE < *read_at;
            if is_before && is_there && is_counted_there(ending) {
                *expected.entry(labels(ending)).or_default() += 1;
            }
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
    findings.extend(never_compared(endings, compared));
    [
        Row::none_of("endings that are not in the metrics", findings),
        Row::of("endings that were compared with the metrics", compared),
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

/// Returns whether the process that completed the last activity has counted the end. A record is counted by the first
/// attempt that gets as far, which another process may have made.
fn is_counted_there(ending: &Ending) -> bool {
    ending.last_activity.as_ref().is_some_and(|activity| {
        activity.id == ARCHIVE_ACTIVITY_ID
            || (activity.id == RECORD_ACTIVITY_ID && activity.attempt == 1)
    })
}

fn labels(ending: &Ending) -> (String, String) {
    let outcome = match &ending.end {
        End::Result { outcome, .. } => outcome.clone(),
        _ => String::new(),
    };
    (ending.account.to_owned(), outcome)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

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

    fn counts(endings: &Endings, processes: &[Incarnation]) -> [u64; 2] {
        check(endings, processes).map(|row| row.count)
    }

    #[test]
    fn an_end_that_its_process_did_not_count_is_found() {
        let archived = endings("archive", 3, 50);
        assert_eq!(counts(&archived, &[process(7, 1)]), [0, 1]);
        assert_eq!(counts(&archived, &[process(7, 0)]), [1, 1]);
        // What another process counted does not help.
        let processes = [process(7, 0), process(8, 1)];
        assert_eq!(counts(&archived, &processes), [1, 1]);
        let recorded = endings("record", 1, 50);
        assert_eq!(counts(&recorded, &[process(7, 0)]), [1, 1]);
    }

    #[test]
    fn ends_that_another_process_may_have_counted_or_that_came_later_are_not_compared() {
        for others in [endings("record", 2, 50), endings("archive", 1, 100)] {
            let mut endings = endings("archive", 1, 50);
            endings.extend([("cgt-2".to_owned(), others["cgt-1"].clone())]);
            assert_eq!(counts(&endings, &[process(7, 1)]), [0, 1]);
        }
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
