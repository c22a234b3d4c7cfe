//! Ends of which the history does not say which process counted them.
//!
//! The first attempt to record an outcome that gets as far counts the end, and its heartbeat says so to the others. The history
//! names only the worker of the last attempt, so all processes together must have counted these ends.

use seedance_archiver_proto::{names::ARCHIVE_ACTIVITY_ID, outcome::ARCHIVED};

use crate::chaos::{
    checker::endings::{End, Ending, Endings, LastActivity},
    counted::Counted,
    parts::Incarnation,
    plan::Change,
};

/// Returns how many such ends must be in the metrics, by account and outcome.
pub(super) fn expected(endings: &Endings, processes: &[Incarnation]) -> Counted {
    let mut expected = Counted::new();
    for ending in endings.values().flatten() {
        if is_certain(ending, processes) {
            *expected.entry(ending.labels()).or_default() += 1;
        }
    }
    expected
}

/// Returns a finding for each end that is missing. `counted`: the counts of other ends than those of which the process is known.
pub(super) fn missing(expected: &Counted, counted: &Counted) -> Vec<String> {
    let missing = expected.iter().flat_map(|(labels, expected)| {
        let counted = counted.get(labels).copied().unwrap_or_default();
        let (account, outcome) = labels;
        (counted..*expected).map(move |_| {
            format!(
                "any process: {counted} of {expected} `{outcome}` of {account} that were recorded in several attempts"
            )
        })
    });
    missing.collect()
}

/// Returns whether the end was recorded in several attempts, and must be in the metrics of a process.
fn is_certain(ending: &Ending, processes: &[Incarnation]) -> bool {
    let End::Result { outcome, .. } = &ending.end else {
        return false;
    };
    // An attempt that could not read the archive counted another outcome than the one that found the receipt.
    if outcome == ARCHIVED {
        return false;
    }
    ending.last_activity.as_ref().is_some_and(|activity| {
        let is_repeated = activity.id != ARCHIVE_ACTIVITY_ID && activity.attempt > 1;
        let mut others = processes.iter();
        is_repeated && !others.any(|process| may_hide(process, activity, processes))
    })
}

/// Returns whether an attempt in this process may have counted the end without its account, in its own way, or after the
/// metrics of the process were last read.
fn may_hide(process: &Incarnation, activity: &LastActivity, processes: &[Incarnation]) -> bool {
    let hides_all = matches!(
        process.change,
        Some(Change::FewerAccounts | Change::Version)
    );
    let known_until = process.counts_known_until().filter(|_| !hides_all);
    let unread_from = known_until.unwrap_or(process.started_at);
    let later = processes
        .iter()
        .filter(|it| it.worker == process.worker && it.started_at > process.started_at);
    let ended_at = later.map(|it| it.started_at).min();
    unread_from <= activity.completed_at
        && ended_at.is_none_or(|ended_at| activity.scheduled_at <= ended_at)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::chaos::checker::testing::{process, process_with_count};

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// Returns an end that was recorded from 50 s to 60 s.
    fn recorded(attempt: i32, outcome: &str) -> Ending {
        Ending {
            task_id: "cgt-1".into(),
            account: "called",
            end: End::Result {
                outcome: outcome.into(),
                reason: String::new(),
            },
            last_activity: Some(LastActivity {
                id: "record".into(),
                scheduled_at: at(50),
                attempt,
                identity: "7@host".into(),
                completed_at: at(60),
            }),
            had_other_version: false,
        }
    }

    #[test]
    fn only_an_end_with_several_attempts_and_one_label_is_certain() {
        let processes = [process_with_count(7, "lost", 1)];
        assert!(is_certain(&recorded(2, "lost"), &processes));
        assert!(!is_certain(&recorded(1, "lost"), &processes));
        assert!(!is_certain(&recorded(2, ARCHIVED), &processes));
    }

    /// Returns a process of another worker, which ran from one time to another, and whose metrics were read in between.
    fn other(started_at: u64, read_at: Option<u64>, ended_at: u64) -> [Incarnation; 2] {
        let counted = read_at.map(|read_at| (at(read_at), Counted::new()));
        let other = Incarnation {
            started_at: at(started_at),
            counted,
            ..process(1, 8)
        };
        let next = Incarnation {
            started_at: at(ended_at),
            counted: Some((at(100), Counted::new())),
            ..process(1, 9)
        };
        [other, next]
    }

    #[test]
    fn a_process_that_was_killed_before_its_metrics_were_read_may_have_counted_the_end() {
        for (started_at, read_at, ended_at, is_expected) in [
            (0, Some(70), 80, true),
            // Its last second is not in the metrics.
            (0, Some(60), 80, false),
            (0, Some(40), 55, false),
            (0, Some(40), 49, true),
            (0, None, 55, false),
            (0, None, 49, true),
            (61, None, 80, true),
        ] {
            let [other, next] = other(started_at, read_at, ended_at);
            let processes = [process_with_count(7, "lost", 1), other, next];
            let is_certain = is_certain(&recorded(2, "lost"), &processes);
            assert_eq!(
                is_certain, is_expected,
                "{started_at} {read_at:?} {ended_at}"
            );
        }
    }

    #[test]
    fn a_process_that_may_count_in_another_way_may_have_counted_the_end() {
        for change in [Change::FewerAccounts, Change::Version] {
            let [mut other, next] = other(0, Some(70), 80);
            other.change = Some(change);
            let processes = [process_with_count(7, "lost", 1), other, next];
            assert!(!is_certain(&recorded(2, "lost"), &processes), "{change:?}");
        }
    }
}
