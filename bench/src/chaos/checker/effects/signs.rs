//! Signs that watchers, callbacks and sweeps work at all, which a short run has too.

use std::time::SystemTime;

use seedance_archiver_proto::names;
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;

use crate::{
    chaos::{checker::Run, plan::Account, world::Task},
    history::time_of,
};

/// Tasks that nobody calls for: in a minute, a sweep cannot have found all of them.
const SOME_FOUND: usize = 10;
/// Tasks with callbacks, of each of which there are two or three.
const SOME_CALLBACKS: usize = 5;

/// `processed`: number of callbacks that workers logged.
pub(super) fn missing(tasks: &[Task], runs: &[Run], processed: usize) -> Vec<String> {
    let found = found(tasks).count();
    let has_sweep = sweeps(runs).any(has_completed);
    let with_callback = tasks.iter().filter(|task| task.video.callback.is_some());
    let with_callback = with_callback.count();
    let findings = [
        (found >= SOME_FOUND && !has_sweep).then(|| "sweeps: none completed".to_owned()),
        watcher(tasks, runs),
        (with_callback >= SOME_CALLBACKS && processed == 0)
            .then(|| format!("callbacks: none of {with_callback} tasks was logged")),
    ];
    findings.into_iter().flatten().collect()
}

/// Returns the finding if each lifecycle of a task that nobody calls for started while a sweep ran, which may have started it.
fn watcher(tasks: &[Task], runs: &[Run]) -> Option<String> {
    let started_at = |run: &Run| run.events.first().and_then(time_of);
    let starts: Vec<_> = found(tasks)
        .filter_map(|task| {
            let id = names::lifecycle_workflow_id(Account::Automatic.name(), &task.id);
            let mut runs = runs.iter().filter(|run| run.workflow_id == id);
            runs.find_map(started_at)
        })
        .collect();
    let is_swept = |at: &SystemTime| {
        sweeps(runs).any(|run| {
            let end = run.events.last().and_then(time_of);
            started_at(run).is_some_and(|start| start <= *at) && end.is_some_and(|end| *at <= end)
        })
    };
    let count = starts.len();
    (count >= SOME_FOUND && starts.iter().all(is_swept))
        .then(|| format!("watchers: {count} lifecycles, each of which a sweep may have started"))
}

/// Returns the tasks that nobody calls for.
fn found(tasks: &[Task]) -> impl Iterator<Item = &Task> {
    tasks
        .iter()
        .filter(|task| task.video.account() == Account::Automatic)
}

fn has_completed(run: &Run) -> bool {
    let last = run
        .events
        .last()
        .and_then(|event| event.attributes.as_ref());
    matches!(
        last,
        Some(Attributes::WorkflowExecutionCompletedEventAttributes(_))
    )
}

/// Returns the sweeps of the tasks that nobody calls for.
fn sweeps(runs: &[Run]) -> impl Iterator<Item = &Run> {
    let id = names::sweep_workflow_id(Account::Automatic.name());
    runs.iter()
        .filter(move |run| run.workflow_id.starts_with(&id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::{
        checker::effects::tests::{at, lifecycle, sweep, tasks},
        plan::Trigger,
    };

    /// Returns the lifecycles of tasks that nobody calls for, which start one second after the other from a time on.
    fn lifecycles(count: usize, start: u64) -> Vec<Run> {
        let runs = (0..count).zip(start..).map(|(number, seconds)| {
            let [mut run] = lifecycle(Account::Automatic, "1");
            run.workflow_id = names::lifecycle_workflow_id("automatic", &format!("cgt-{number}"));
            for event in &mut run.events {
                event.event_time = Some(at(seconds).into());
            }
            run
        });
        runs.collect()
    }

    /// Returns what is missing if there are this many tasks that nobody calls for.
    fn check(count: usize, runs: &[Vec<Run>]) -> Vec<String> {
        missing(&tasks(count, Trigger::Nobody, None), &runs.concat(), 0)
    }

    #[test]
    fn a_watcher_that_found_no_task_is_noticed_in_a_short_run() {
        let sweep = |start: u64| vec![sweep(start, Some(0))];
        let started = lifecycles(SOME_FOUND, 100);
        assert!(check(SOME_FOUND, &[started.clone(), sweep(99)]).is_empty());
        // Each of them started while a sweep ran.
        let sweeps = (100..110).map(sweep).collect::<Vec<_>>().concat();
        let findings = check(SOME_FOUND, &[started.clone(), sweeps.clone()]);
        assert!(findings[0].starts_with("watchers"), "{findings:?}");
        assert!(check(SOME_FOUND, &[started, sweeps[1..].to_vec()]).is_empty());
    }

    #[test]
    fn sweeps_that_did_not_complete_are_noticed_in_a_short_run() {
        let started = lifecycles(SOME_FOUND, 100);
        let findings = check(SOME_FOUND, &[started.clone(), vec![sweep(0, None)]]);
        assert_eq!(findings, ["sweeps: none completed"]);
        assert!(check(SOME_FOUND - 1, &[started]).is_empty());
    }

    #[test]
    fn callbacks_that_no_worker_processed_are_noticed_in_a_short_run() {
        let missing = |count: usize, processed: usize| {
            missing(&tasks(count, Trigger::Call, Some(1)), &[], processed)
        };
        assert_eq!(missing(SOME_CALLBACKS, 0).len(), 1);
        assert!(missing(SOME_CALLBACKS, 1).is_empty());
        assert!(missing(SOME_CALLBACKS - 1, 0).is_empty());
    }
}
