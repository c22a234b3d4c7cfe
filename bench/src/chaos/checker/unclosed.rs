//! Workflows that still run at the end although they should have closed.

use std::time::{Duration, SystemTime};

use seedance_archiver_proto::names;

use super::{Row, Run, workflows};
use crate::{
    chaos::{callers, plan::Account, world::Task},
    history::{closes_run, time_of},
};

/// How long a sweep may take that the schedule started after all others had been waited for.
const SWEEP_TIME: Duration = Duration::from_secs(60);

/// Counts the workflows that run besides those that are compared with the plan. Watchers run by design, and the answers to a
/// crowd are counted elsewhere.
pub(super) fn check(tasks: &[Task], runs: &[Run]) -> Row {
    let checked_elsewhere = workflows::checked_elsewhere(tasks);
    let events = runs.iter().flat_map(|run| &run.events);
    let end = events.filter_map(time_of).max();
    let open = runs.iter().filter(|run| {
        let is_open = run.events.last().is_some_and(|event| !closes_run(event));
        is_open && !checked_elsewhere.contains(&run.workflow_id) && !may_run(run, end)
    });
    Row::none_of(
        "other workflows that still run at the end",
        open.map(|run| run.workflow_id.clone()).collect(),
    )
}

fn may_run(run: &Run, end: Option<SystemTime>) -> bool {
    let id = &run.workflow_id;
    let is_watcher = |account: Account| *id == names::watcher_workflow_id(account.name());
    let is_sweep = |account: Account| id.starts_with(&names::sweep_workflow_id(account.name()));
    let started_at = run.events.first().and_then(time_of);
    let is_new = started_at
        .zip(end)
        .is_some_and(|(started_at, end)| end <= started_at + SWEEP_TIME);
    id.starts_with(callers::CROWD_PREFIX)
        || Account::ALL.into_iter().any(is_watcher)
        || is_new && Account::ALL.into_iter().any(is_sweep)
}

#[cfg(test)]
mod tests {
    use temporalio_common::protos::temporal::api::history::v1::{
        HistoryEvent, WorkflowExecutionCompletedEventAttributes,
        WorkflowExecutionStartedEventAttributes, history_event::Attributes,
    };

    use super::*;
    use crate::chaos::plan::Expected;

    /// Returns a run that started at a time, and completed at another one if it did.
    fn run(workflow_id: &str, started_at: u64, completed_at: Option<u64>) -> Run {
        let event = |seconds: u64, attributes: Attributes| HistoryEvent {
            event_time: Some((SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).into()),
            attributes: Some(attributes),
            ..HistoryEvent::default()
        };
        let started = WorkflowExecutionStartedEventAttributes::default();
        let started = Attributes::WorkflowExecutionStartedEventAttributes(started);
        let completed = completed_at.map(|at| {
            let completed = WorkflowExecutionCompletedEventAttributes::default();
            event(
                at,
                Attributes::WorkflowExecutionCompletedEventAttributes(completed),
            )
        });
        Run {
            workflow_id: workflow_id.to_owned(),
            events: [event(started_at, started)]
                .into_iter()
                .chain(completed)
                .collect(),
        }
    }

    #[test]
    fn a_workflow_that_still_runs_is_found_unless_it_may() {
        const SWEEP: &str = "sweep-video-tasks/automatic-2026-11-30T00:00:00Z";
        let task = Task::called("cgt-1", Expected::Archived);
        let last = run("crowd/1", 990, Some(1_000));
        for (id, started_at, expected) in [
            (SWEEP, 900, 1),
            (SWEEP, 940, 0),
            ("account-watcher/called", 0, 0),
            ("account-watcher/other", 0, 1),
            ("crowd/2", 0, 0),
            ("video-task/called/cgt-2", 0, 1),
            // Compared with the plan.
            ("video-task/called/cgt-1", 0, 0),
            ("caller/cgt-1", 0, 0),
        ] {
            let tasks = std::slice::from_ref(&task);
            let open = [run(id, started_at, None), last.clone()];
            assert_eq!(check(tasks, &open).count, expected, "{id} {started_at}");
            let closed = [run(id, started_at, Some(950)), last.clone()];
            assert_eq!(check(tasks, &closed).count, 0, "{id}");
        }
    }

    #[test]
    fn a_run_that_continued_as_new_is_closed_and_the_next_one_is_not() {
        const ID: &str = "video-task/called/cgt-1";
        let mut first = run(ID, 0, None);
        let continued =
            Attributes::WorkflowExecutionContinuedAsNewEventAttributes(Default::default());
        first.events.push(HistoryEvent {
            attributes: Some(continued),
            ..HistoryEvent::default()
        });
        let next = run(ID, 10, None);
        assert_eq!(check(&[], std::slice::from_ref(&first)).count, 0);
        assert_eq!(check(&[], &[first, next]).count, 1);
    }
}
