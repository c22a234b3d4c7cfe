//! Whether watchers, callbacks and sweeps had an effect. Without one, the run shows nothing about them.
//!
//! In a short run they need not have any, so only many tasks count. [`signs`] of them are expected in each run.

mod signs;
mod sweeps;

use std::{fs, time::Duration};

use anyhow::Context;
use seedance_archiver_proto::names::{self, QUERY_ACTIVITY_ID};

use super::{Evidence, Row, Run, completions};
use crate::{
    chaos::{parts::Incarnation, plan::Account, world::Task},
    history::time_of,
};

/// Tasks that nobody calls for. A watcher and a sweep then had something to do.
const MANY_FOUND: usize = 100;
/// Called tasks with callbacks, of each of which there are two or three.
const MANY_CALLBACKS: usize = 50;
/// How long after its creation a task is in every list.
const LISTED: Duration = Duration::from_secs(60);
/// What a worker logs when it has processed a callback, and the effect if a lifecycle waited for it.
const PROCESSED: &str = "callback processed";
const DELIVERED: &str = "\"delivered\"";

/// `lists`: list requests of the account whose tasks nobody calls for.
pub(super) fn check(tasks: &[Task], evidence: &Evidence, lists: u64) -> anyhow::Result<Row> {
    let processed = processed_callbacks(&evidence.incarnations)?;
    let runs = &evidence.runs;
    let effects = [
        watcher(tasks, runs, lists),
        callbacks(tasks, runs, &processed),
        sweeps(tasks, runs),
    ];
    let missing = effects.into_iter().flatten();
    let missing = missing.chain(signs::missing(tasks, runs, processed.len()));
    Ok(Row::none_of("parts that had no effect", missing.collect()))
}

/// Returns the finding if no watcher delivered a record: only one could to a task without callbacks.
fn watcher(tasks: &[Task], runs: &[Run], lists: u64) -> Option<String> {
    let found: Vec<_> = of(tasks, Account::Automatic).collect();
    let mut without_callback = found.iter().filter(|task| task.video.callback.is_none());
    let has_effect = lists > 0 && without_callback.any(|task| was_delivered(task, runs));
    (found.len() >= MANY_FOUND && !has_effect).then(|| {
        let count = found.len();
        format!("watchers: {lists} list requests, and none of {count} tasks was delivered")
    })
}

/// Returns the finding if no callback completed the poll of a lifecycle. `processed`: what workers logged of callbacks.
fn callbacks(tasks: &[Task], runs: &[Run], processed: &[String]) -> Option<String> {
    let called = of(tasks, Account::Called).filter(|task| task.video.callback.is_some());
    let called: Vec<_> = called.collect();
    let delivered = processed.iter().filter(|line| line.contains(DELIVERED));
    let delivered: Vec<_> = delivered.collect();
    let is_logged = |task: &Task| delivered.iter().any(|line| line.contains(&task.id));
    let has_effect = called
        .iter()
        .any(|task| is_logged(task) && was_delivered(task, runs));
    (called.len() >= MANY_CALLBACKS && !has_effect).then(|| {
        let (count, lines) = (called.len(), delivered.len());
        format!("callbacks: none of {count} tasks was delivered, {lines} are logged")
    })
}

/// Returns the finding if no sweep completed, or if none listed a task although there were some.
fn sweeps(tasks: &[Task], runs: &[Run]) -> Option<String> {
    let found: Vec<_> = of(tasks, Account::Automatic).collect();
    let listed_from = found.iter().map(|task| task.created_at + LISTED).min();
    let completed = sweeps::of(runs).filter_map(|run| {
        let started_at = run.events.first().and_then(time_of)?;
        Some((Some(started_at) > listed_from, sweeps::result(run)?.listed))
    });
    let completed: Vec<(bool, i64)> = completed.collect();
    let has_tasks = completed.iter().any(|(has_tasks, _)| *has_tasks);
    let listed: i64 = completed.iter().map(|(_, listed)| listed).sum();
    let has_effect = !completed.is_empty() && (listed > 0 || !has_tasks);
    (found.len() >= MANY_FOUND && !has_effect).then(|| {
        format!(
            "sweeps: {} completed, {listed} tasks listed",
            completed.len()
        )
    })
}

fn of(tasks: &[Task], account: Account) -> impl Iterator<Item = &Task> {
    tasks
        .iter()
        .filter(move |task| task.video.account() == account)
}

/// Returns whether somebody else than an attempt completed a poll of a task.
fn was_delivered(task: &Task, runs: &[Run]) -> bool {
    let id = names::lifecycle_workflow_id(task.video.account().name(), &task.id);
    let mut completions = runs
        .iter()
        .filter(|run| run.workflow_id == id)
        .flat_map(completions::of);
    completions.any(|it| it.is_delivered && it.activity_id == QUERY_ACTIVITY_ID)
}

/// Returns what workers logged of callbacks.
fn processed_callbacks(processes: &[Incarnation]) -> anyhow::Result<Vec<String>> {
    let mut processed = Vec::new();
    for process in processes {
        let name = process.log.display();
        let log = fs::read(&process.log).with_context(|| format!("cannot read {name}"))?;
        let lines = String::from_utf8_lossy(&log);
        let lines = lines.lines();
        let lines = lines.filter(|line| line.contains(PROCESSED));
        processed.extend(lines.map(str::to_owned));
    }
    Ok(processed)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use serde_json::json;
    use temporalio_common::protos::temporal::api::history::v1::{
        HistoryEvent, WorkflowExecutionStartedEventAttributes, history_event::Attributes,
    };

    use super::*;
    use crate::chaos::{
        checker::testing::{self, completed},
        plan::{Expected, Trigger},
    };

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// Returns tasks of an account with or without callbacks.
    pub(super) fn tasks(count: usize, trigger: Trigger, callback: Option<usize>) -> Vec<Task> {
        let task = |number: usize| {
            let mut task = Task::called(&format!("cgt-{number}"), Expected::Archived);
            task.video.trigger = trigger;
            task.video.callback = callback;
            task
        };
        (0..count).map(task).collect()
    }

    /// Returns the lifecycle of the first task with an activity that was delivered, or that an attempt completed.
    pub(super) fn lifecycle(account: Account, request_id: &str) -> [Run; 1] {
        let id = names::lifecycle_workflow_id(account.name(), "cgt-0");
        [completions::testing::run(
            &id,
            "query",
            request_id,
            7,
            at(0),
        )]
    }

    #[test]
    fn watchers_that_delivered_nothing_are_found_in_a_long_run() {
        let is_found = |count: usize, callback: Option<usize>, request_id: &str, lists: u64| {
            let tasks = tasks(count, Trigger::Nobody, callback);
            let runs = lifecycle(Account::Automatic, request_id);
            watcher(&tasks, &runs, lists).is_some()
        };
        assert!(!is_found(MANY_FOUND, None, "", 1));
        assert!(is_found(MANY_FOUND, None, "", 0));
        assert!(is_found(MANY_FOUND, None, "1", 1));
        // A callback may have delivered it.
        assert!(is_found(MANY_FOUND, Some(1), "", 1));
        assert!(!is_found(MANY_FOUND - 1, None, "1", 0));
    }

    #[test]
    fn callbacks_that_completed_nothing_are_found_in_a_long_run() {
        let is_found = |count: usize, request_id: &str, logged: &str| {
            let tasks = tasks(count, Trigger::Call, Some(1));
            let runs = lifecycle(Account::Called, request_id);
            callbacks(&tasks, &runs, &[logged.to_owned()]).is_some()
        };
        let line = r#"{"message":"callback processed","task_id":"cgt-0","effect":"delivered"}"#;
        assert!(!is_found(MANY_CALLBACKS, "", line));
        assert!(is_found(MANY_CALLBACKS, "1", line));
        let other_effect = line.replace("delivered", "no news");
        assert!(is_found(MANY_CALLBACKS, "", &other_effect));
        assert!(is_found(MANY_CALLBACKS, "", ""));
        assert!(!is_found(MANY_CALLBACKS - 1, "1", ""));
        let without = tasks(MANY_CALLBACKS, Trigger::Call, None);
        assert_eq!(callbacks(&without, &[], &[]), None);
    }

    #[test]
    fn only_callbacks_that_were_processed_are_read_from_the_logs() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let lines = [
            r#"{"message":"callback processed","task_id":"cgt-1","effect":"delivered"}"#,
            r#"{"message":"callback processed","task_id":"cgt-2","effect":"no news"}"#,
            r#"{"message":"callback rejected","task_id":"cgt-3"}"#,
        ];
        fs::write(log.path(), lines.join("\n")).unwrap();
        let process = Incarnation {
            log: log.path().to_owned(),
            ..testing::process(0, 7)
        };
        let processed = processed_callbacks(&[process]).unwrap();
        assert_eq!(processed, lines[..2]);
    }

    /// Returns a sweep that started at a time and completed with a number of tasks, if it did.
    pub(super) fn sweep(started_at: u64, listed: Option<i64>) -> Run {
        let event = |attributes: Attributes| HistoryEvent {
            event_time: Some(at(started_at).into()),
            attributes: Some(attributes),
            ..HistoryEvent::default()
        };
        let completed = listed.map(|listed| {
            let result = json!({"listed": listed}).to_string();
            event(completed("json/plain", result))
        });
        let started = WorkflowExecutionStartedEventAttributes::default();
        let started = event(Attributes::WorkflowExecutionStartedEventAttributes(started));
        Run {
            workflow_id: "sweep-video-tasks/automatic-2026-11-30T00:00:00Z".to_owned(),
            events: [started].into_iter().chain(completed).collect(),
        }
    }

    #[test]
    fn sweeps_that_did_not_complete_or_list_tasks_are_found_in_a_long_run() {
        let is_found = |count: usize, runs: &[Run]| {
            let tasks = tasks(count, Trigger::Nobody, None);
            sweeps(&tasks, runs).is_some()
        };
        assert!(is_found(MANY_FOUND, &[]));
        assert!(is_found(MANY_FOUND, &[sweep(100, None)]));
        assert!(is_found(MANY_FOUND, &[sweep(100, Some(0))]));
        assert!(!is_found(MANY_FOUND, &[sweep(100, Some(7))]));
        // The first one runs before there are tasks.
        assert!(!is_found(MANY_FOUND, &[sweep(0, Some(0))]));
        assert!(!is_found(MANY_FOUND - 1, &[]));
    }
}
