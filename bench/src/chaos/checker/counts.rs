//! Whether an end of a lifecycle was counted more often than its attempts can have counted it.
//!
//! The activity that ends a lifecycle counts the end. Usually one attempt gets that far. If its worker dies or is cut off before
//! Temporal knows, another attempt counts the end again: that attempt follows a heartbeat timeout at the earliest. So there may
//! be one count more for each heartbeat timeout that passed before the last attempt.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use seedance_archiver_proto::{names, outcome::ARCHIVED};
use temporalio_common::protos::temporal::api::history::v1::{
    ActivityTaskScheduledEventAttributes, ActivityTaskStartedEventAttributes, HistoryEvent,
    history_event::Attributes,
};

use super::{
    Row, Run,
    endings::{self, End},
};
use crate::{
    chaos::{counted::Counted, parts::Incarnation, plan::Change, world::Task},
    history::time_of,
};

/// Attempts to record an outcome that a worker leaves to others if it does not serve the account. A later one counts the end too,
/// without the name of the account, unless an earlier one did.
const ROLLOUT_ATTEMPTS: i32 = 5;
const NO_ACCOUNT: &str = "";

/// Compares the counts of all processes with the largest possible ones. What a killed process counted last is not known, and
/// what one of another version counted is left out: both make the sum smaller.
pub(super) fn check(
    tasks: &[Task],
    runs: &[Run],
    processes: &[Incarnation],
    other_version: &BTreeSet<u32>,
) -> Row {
    let mut possible = possible(tasks, runs);
    let mut changes = processes.iter().map(|it| it.change);
    if !changes.any(|it| it == Some(Change::FewerAccounts)) {
        possible.retain(|(account, _), _| account != NO_ACCOUNT);
    }
    let own = processes
        .iter()
        .filter(|it| !other_version.contains(&it.pid));
    let mut counted = Counted::new();
    for (key, count) in own
        .filter_map(|it| it.counted.as_ref())
        .flat_map(|it| &it.1)
    {
        *counted.entry(key.clone()).or_default() += count;
    }
    let findings = counted.into_iter().filter_map(|(key, count)| {
        let possible = possible.get(&key).copied().unwrap_or_default();
        let (account, outcome) = key;
        (count > possible)
            .then(|| format!("{count} times `{outcome}` of {account}, at most {possible} possible"))
    });
    Row::none_of(
        "endings that were counted more than once",
        findings.collect(),
    )
}

/// Returns how often the ends of lifecycles may have been counted.
fn possible(tasks: &[Task], runs: &[Run]) -> Counted {
    let mut possible = Counted::new();
    for task in tasks {
        let account = task.video.account().name();
        let id = names::lifecycle_workflow_id(account, &task.id);
        for run in runs.iter().filter(|run| run.workflow_id == id) {
            for (account, outcome, count) in counts(account, &run.events) {
                *possible.entry((account.to_owned(), outcome)).or_default() += count;
            }
        }
    }
    possible
}

/// Returns how often the end of one run may have been counted, by account and outcome.
fn counts<'a>(account: &'a str, events: &[HistoryEvent]) -> Vec<(&'a str, String, u64)> {
    let ended = match endings::end(events) {
        End::Result { outcome, .. } => outcome,
        End::Failed(_) | End::Open => String::new(),
    };
    let mut counts = Vec::new();
    for (event, started) in events.iter().filter_map(started) {
        let Some((scheduled_at, scheduled)) = scheduled(events, started.scheduled_event_id) else {
            continue;
        };
        let outcome = match scheduled.activity_id.as_str() {
            names::ARCHIVE_ACTIVITY_ID => ARCHIVED.to_owned(),
            names::RECORD_ACTIVITY_ID | names::RECORD_AGAIN_ACTIVITY_ID => {
                if started.attempt > ROLLOUT_ATTEMPTS {
                    counts.push((NO_ACCOUNT, ended.clone(), 1));
                }
                ended.clone()
            }
            _ => continue,
        };
        let waited = time_of(event).and_then(|at| at.duration_since(scheduled_at).ok());
        let attempts = attempts(started, scheduled, waited.unwrap_or_default());
        counts.push((account, outcome, attempts));
    }
    counts
}

fn started(event: &HistoryEvent) -> Option<(&HistoryEvent, &ActivityTaskStartedEventAttributes)> {
    match event.attributes.as_ref()? {
        Attributes::ActivityTaskStartedEventAttributes(it) => Some((event, it)),
        _ => None,
    }
}

fn scheduled(
    events: &[HistoryEvent],
    event_id: i64,
) -> Option<(SystemTime, &ActivityTaskScheduledEventAttributes)> {
    let event = events.iter().find(|event| event.event_id == event_id)?;
    match event.attributes.as_ref()? {
        Attributes::ActivityTaskScheduledEventAttributes(it) => Some((time_of(event)?, it)),
        _ => None,
    }
}

/// Returns how many attempts at an activity may have counted: the last one, and those before that the server believed dead.
/// `waited`: from the schedule to the start of the last attempt.
fn attempts(
    started: &ActivityTaskStartedEventAttributes,
    scheduled: &ActivityTaskScheduledEventAttributes,
    waited: Duration,
) -> u64 {
    let earlier = u64::try_from(started.attempt - 1).unwrap_or_default();
    let timeout = scheduled.heartbeat_timeout;
    let timeout = timeout.and_then(|it| Duration::try_from(it).ok());
    let dead = match timeout.filter(|timeout| !timeout.is_zero()) {
        Some(timeout) => waited.as_secs() / timeout.as_secs().max(1),
        None => earlier,
    };
    1 + earlier.min(dead)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chaos::{
        checker::testing::{completed, process_with_count as process},
        plan::Expected,
    };

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn event(event_id: i64, seconds: u64, attributes: Attributes) -> HistoryEvent {
        HistoryEvent {
            event_id,
            event_time: Some(at(seconds).into()),
            attributes: Some(attributes),
            ..HistoryEvent::default()
        }
    }

    /// Returns a lifecycle whose last activity has this id, was scheduled at 0, and whose last attempt started at `started_at`.
    fn lifecycle(activity_id: &str, outcome: &str, attempt: i32, started_at: u64) -> Run {
        let scheduled = ActivityTaskScheduledEventAttributes {
            activity_id: activity_id.into(),
            heartbeat_timeout: Duration::from_secs(20).try_into().ok(),
            ..Default::default()
        };
        let started = ActivityTaskStartedEventAttributes {
            scheduled_event_id: 5,
            attempt,
            ..Default::default()
        };
        let result = json!({"outcome": outcome}).to_string();
        Run {
            workflow_id: names::lifecycle_workflow_id("called", "cgt-1"),
            events: vec![
                event(
                    5,
                    0,
                    Attributes::ActivityTaskScheduledEventAttributes(scheduled),
                ),
                event(
                    6,
                    started_at,
                    Attributes::ActivityTaskStartedEventAttributes(started),
                ),
                event(7, started_at, completed("json/plain", result)),
            ],
        }
    }

    fn is_found(run: &Run, processes: &[Incarnation]) -> bool {
        let task = Task::called("cgt-1", Expected::Archived);
        let runs = std::slice::from_ref(run);
        check(&[task], runs, processes, &BTreeSet::from([9])).count > 0
    }

    #[test]
    fn an_end_that_was_counted_twice_is_found_in_one_process_and_in_two() {
        for (id, outcome) in [("archive", "archived"), ("record", "lost")] {
            let run = lifecycle(id, outcome, 1, 0);
            assert!(!is_found(&run, &[process(7, outcome, 1)]), "{id}");
            assert!(is_found(&run, &[process(7, outcome, 2)]), "{id}");
            let both = [process(7, outcome, 1), process(8, outcome, 1)];
            assert!(is_found(&run, &both), "{id}");
            // Those of another version count for themselves.
            let other = [process(7, outcome, 1), process(9, outcome, 1)];
            assert!(!is_found(&run, &other), "{id}");
        }
    }

    #[test]
    fn an_end_that_did_not_happen_is_found() {
        let archived = lifecycle("archive", "archived", 1, 0);
        for outcome in ["lost", "unknown"] {
            assert!(is_found(&archived, &[process(7, outcome, 1)]), "{outcome}");
        }
    }

    #[test]
    fn only_attempts_that_a_heartbeat_timeout_ended_may_have_counted_too() {
        for (attempt, started_at, count, expected) in [
            (2, 20, 2, false),
            (2, 20, 3, true),
            // They failed, and an attempt that fails counts nothing.
            (2, 19, 2, true),
            (5, 59, 3, false),
            (5, 59, 4, true),
            (2, 600, 3, true),
        ] {
            let run = lifecycle("archive", "archived", attempt, started_at);
            let is_found = is_found(&run, &[process(7, "archived", count)]);
            assert_eq!(is_found, expected, "{attempt} {started_at} {count}");
        }
    }

    #[test]
    fn a_worker_without_the_account_may_count_an_end_after_five_attempts_of_others() {
        let counted = |change: Option<Change>| {
            let key = (String::new(), "lost".to_owned());
            Incarnation {
                change,
                counted: Some((at(100), [(key, 1)].into())),
                ..process(7, "lost", 0)
            }
        };
        let without = Some(Change::FewerAccounts);
        for (id, attempt, change, expected) in [
            ("record", 6, without, false),
            ("record", 6, None, true),
            ("record", 5, without, true),
            ("archive", 6, without, true),
        ] {
            let run = lifecycle(id, "lost", attempt, 0);
            let is_found = is_found(&run, &[counted(change)]);
            assert_eq!(is_found, expected, "{id} {attempt} {change:?}");
        }
    }

    #[test]
    fn a_record_that_found_the_receipt_of_an_earlier_attempt_counts_as_archived() {
        let archive = lifecycle("archive", "archived", 1, 0);
        let mut run = lifecycle("record", "archived", 1, 0);
        run.events.splice(0..0, archive.events[..2].to_vec());
        for (index, event) in run.events.iter_mut().enumerate() {
            event.event_id = index as i64 + 1;
        }
        for event in &mut run.events {
            if let Some(Attributes::ActivityTaskStartedEventAttributes(started)) =
                &mut event.attributes
            {
                started.scheduled_event_id = event.event_id - 1;
            }
        }
        assert!(!is_found(&run, &[process(7, "archived", 2)]));
        assert!(is_found(&run, &[process(7, "archived", 3)]));
    }
}
