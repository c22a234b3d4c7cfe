//! Whether workflow code failed, also if another worker healed it, and whether the other workflows ended well.

use std::{collections::BTreeSet, time::SystemTime};

use seedance_archiver_proto::names;
use temporalio_common::protos::temporal::api::{
    enums::v1::WorkflowTaskFailedCause,
    history::v1::{HistoryEvent, WorkflowTaskFailedEventAttributes, history_event::Attributes},
};

use super::{Evidence, Row, Run, identities};
use crate::{
    chaos::{callers, world::Task},
    history::time_of,
};

/// Begins the failure of a workflow task whose worker could not read the history: Temporal was away.
const NO_HISTORY: &str = "Fetching history failed";

/// `other_version`: the processes of another version, which cannot replay every history of this one.
pub(super) fn check(tasks: &[Task], runs: &[Run], other_version: &BTreeSet<u32>) -> [Row; 2] {
    let expected = checked_elsewhere(tasks);
    let failed_tasks = runs
        .iter()
        .flat_map(|run| failed_tasks(run, other_version))
        .collect();
    let others = runs
        .iter()
        .filter(|run| !expected.contains(&run.workflow_id));
    let failed = others.filter_map(|run| failure(run, other_version));
    [
        Row::none_of("workflow tasks that failed in workflow code", failed_tasks),
        Row::none_of(
            "watchers, sweeps and other workflows that failed or were stopped",
            failed.collect(),
        ),
    ]
}

/// Returns how long it took until the last lifecycle and its caller had closed.
pub(super) fn last_close(tasks: &[Task], evidence: &Evidence) -> Row {
    let ids = checked_elsewhere(tasks);
    let runs = evidence
        .runs
        .iter()
        .filter(|run| ids.contains(&run.workflow_id));
    let events = runs.filter_map(|run| run.events.last());
    Row::of(
        "seconds from the last fault or video to the last close of a lifecycle",
        seconds_to_last(events, evidence.ended_at),
    )
}

/// Returns how long after a time the last of the events was.
fn seconds_to_last<'a>(
    events: impl Iterator<Item = &'a HistoryEvent>,
    since: Option<SystemTime>,
) -> u64 {
    let last = events.filter_map(time_of).max();
    let time = last
        .zip(since)
        .and_then(|(last, since)| last.duration_since(since).ok());
    time.map_or(0, |time| time.as_secs())
}

/// Returns the ids of the workflows whose ends are compared with the plan.
pub(super) fn checked_elsewhere(tasks: &[Task]) -> BTreeSet<String> {
    let ids = tasks.iter().flat_map(|task| {
        let account = task.video.account().name();
        [
            names::lifecycle_workflow_id(account, &task.id),
            callers::workflow_id(&task.id),
        ]
    });
    ids.collect()
}

/// Returns the workflow tasks of a run that failed because of the code of the workflow or its worker.
fn failed_tasks(run: &Run, other_version: &BTreeSet<u32>) -> Vec<String> {
    let failed = run.events.iter().filter_map(|event| {
        let failed = failed_task(event)?;
        is_of_code(failed, other_version).then(|| describe(run, event, failed))
    });
    failed.collect()
}

fn failed_task(event: &HistoryEvent) -> Option<&WorkflowTaskFailedEventAttributes> {
    match event.attributes.as_ref()? {
        Attributes::WorkflowTaskFailedEventAttributes(it) => Some(it),
        _ => None,
    }
}

fn is_of_code(failed: &WorkflowTaskFailedEventAttributes, other_version: &BTreeSet<u32>) -> bool {
    let is_of_worker = matches!(
        failed.cause(),
        WorkflowTaskFailedCause::NonDeterministicError
            | WorkflowTaskFailedCause::WorkflowWorkerUnhandledFailure
    );
    let pid = identities::pid(&failed.identity);
    let is_excused = pid.is_some_and(|pid| other_version.contains(&pid));
    is_of_worker && !is_excused && !message(failed).starts_with(NO_HISTORY)
}

fn message(failed: &WorkflowTaskFailedEventAttributes) -> &str {
    let failure = failed.failure.as_ref();
    failure.map_or("", |failure| failure.message.as_str())
}

fn describe(run: &Run, event: &HistoryEvent, failed: &WorkflowTaskFailedEventAttributes) -> String {
    let (id, number, cause) = (&run.workflow_id, event.event_id, failed.cause());
    let (identity, message) = (&failed.identity, message(failed));
    format!("{id}, event {number}: {cause:?} on {identity}: {message}")
}

/// Returns how a run failed or was stopped, if it was without another version.
fn failure(run: &Run, other_version: &BTreeSet<u32>) -> Option<String> {
    let failure = match run.events.last()?.attributes.as_ref()? {
        Attributes::WorkflowExecutionFailedEventAttributes(it) => {
            let failure = it.failure.as_ref();
            failure.map_or("failed", |failure| failure.message.as_str())
        }
        Attributes::WorkflowExecutionTimedOutEventAttributes(_) => "timed out",
        Attributes::WorkflowExecutionTerminatedEventAttributes(_) => "terminated",
        Attributes::WorkflowExecutionCanceledEventAttributes(_) => "cancelled",
        _ => return None,
    };
    let is_own = identities::pids(&run.events).is_disjoint(other_version);
    is_own.then(|| format!("{}: {failure}", run.workflow_id))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use temporalio_common::protos::temporal::api::{
        failure::v1::Failure,
        history::v1::{
            WorkflowExecutionCanceledEventAttributes, WorkflowExecutionCompletedEventAttributes,
            WorkflowExecutionFailedEventAttributes, WorkflowExecutionTerminatedEventAttributes,
            WorkflowExecutionTimedOutEventAttributes,
        },
    };

    use super::*;
    use crate::chaos::plan::Expected;

    const SWEEP: &str = "sweep-video-tasks/automatic-2026-11-30T00:00:00Z";

    fn run(workflow_id: &str, events: Vec<Attributes>) -> Run {
        let events = events.into_iter().map(|attributes| HistoryEvent {
            attributes: Some(attributes),
            ..HistoryEvent::default()
        });
        Run {
            workflow_id: workflow_id.to_owned(),
            events: events.collect(),
        }
    }

    fn failed_task(cause: WorkflowTaskFailedCause, pid: u32, message: &str) -> Attributes {
        Attributes::WorkflowTaskFailedEventAttributes(WorkflowTaskFailedEventAttributes {
            cause: cause.into(),
            identity: format!("{pid}@host"),
            failure: Some(Failure {
                message: message.to_owned(),
                ..Failure::default()
            }),
            ..Default::default()
        })
    }

    fn completed() -> Attributes {
        let completed = WorkflowExecutionCompletedEventAttributes::default();
        Attributes::WorkflowExecutionCompletedEventAttributes(completed)
    }

    fn failed() -> Attributes {
        let failed = WorkflowExecutionFailedEventAttributes::default();
        Attributes::WorkflowExecutionFailedEventAttributes(failed)
    }

    fn timed_out() -> Attributes {
        let timed_out = WorkflowExecutionTimedOutEventAttributes::default();
        Attributes::WorkflowExecutionTimedOutEventAttributes(timed_out)
    }

    fn terminated() -> Attributes {
        let terminated = WorkflowExecutionTerminatedEventAttributes::default();
        Attributes::WorkflowExecutionTerminatedEventAttributes(terminated)
    }

    fn cancelled() -> Attributes {
        let cancelled = WorkflowExecutionCanceledEventAttributes::default();
        Attributes::WorkflowExecutionCanceledEventAttributes(cancelled)
    }

    #[test]
    fn the_last_event_counts_from_the_last_fault() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let event = |seconds| HistoryEvent {
            event_time: Some(at(seconds).into()),
            ..HistoryEvent::default()
        };
        let events = [event(150), event(190), event(120)];
        let seconds = |since| seconds_to_last(events.iter(), since);
        assert_eq!(seconds(Some(at(100))), 90);
        assert_eq!(seconds(Some(at(200))), 0);
        assert_eq!(seconds(None), 0);
    }

    fn counts(run: Run, other_version: &[u32]) -> [u64; 2] {
        let task = Task::called("cgt-1", Expected::Archived);
        let other_version = other_version.iter().copied().collect();
        check(&[task], &[run], &other_version).map(|row| row.count)
    }

    #[test]
    fn a_failure_of_workflow_code_is_found_although_the_workflow_completed() {
        use WorkflowTaskFailedCause::*;
        for (cause, message, expected) in [
            (NonDeterministicError, "[TMPRL1100] no timer", 1),
            (WorkflowWorkerUnhandledFailure, "panicked", 1),
            (
                WorkflowWorkerUnhandledFailure,
                "Fetching history failed: Status",
                0,
            ),
            (UnhandledCommand, "", 0),
            (ResetStickyTaskQueue, "", 0),
            (ResetWorkflow, "", 0),
        ] {
            let events = vec![failed_task(cause, 7, message), completed()];
            let run = run("video-task/called/cgt-1", events);
            assert_eq!(
                counts(run.clone(), &[8]),
                [expected, 0],
                "{cause:?} {message}"
            );
            assert_eq!(counts(run, &[7]), [0, 0], "{cause:?} {message}");
        }
    }

    #[test]
    fn another_workflow_that_failed_or_was_stopped_is_found() {
        for (end, expected) in [
            (failed(), 1),
            (timed_out(), 1),
            (terminated(), 1),
            (cancelled(), 1),
            (completed(), 0),
        ] {
            assert_eq!(counts(run(SWEEP, vec![end]), &[]), [0, expected]);
        }
        assert_eq!(counts(run(SWEEP, Vec::new()), &[]), [0, 0]);
        // The ends of these are compared with the plan.
        for id in ["video-task/called/cgt-1", "caller/cgt-1"] {
            assert_eq!(counts(run(id, vec![failed()]), &[]), [0, 0], "{id}");
        }
    }

    #[test]
    fn a_workflow_on_another_version_may_fail() {
        let unhandled = WorkflowTaskFailedCause::UnhandledCommand;
        let run = run(SWEEP, vec![failed_task(unhandled, 7, ""), failed()]);
        assert_eq!(counts(run.clone(), &[]), [0, 1]);
        assert_eq!(counts(run, &[7]), [0, 0]);
    }
}
