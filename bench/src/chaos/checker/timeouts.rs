//! Workflow tasks that a worker took and did not answer in time, although nothing was broken.
//!
//! Only timeouts from start to close count. A task that nobody took waited for the worker that has the workflow in its cache,
//! which may be gone.

use std::time::Duration;

use temporalio_common::protos::temporal::api::{
    enums::v1::TimeoutType,
    history::v1::{HistoryEvent, history_event::Attributes},
};

use super::{Row, Run, identities};
use crate::{
    chaos::{faults::Period, parts::Incarnation},
    history::time_of,
};

/// How long after a fault a workflow task may time out because of it.
const AFTERMATH: Duration = Duration::from_secs(60);

pub(super) fn check(runs: &[Run], processes: &[Incarnation], periods: &[Period]) -> Row {
    let findings = runs.iter().flat_map(|run| {
        let events = run.events.iter();
        events.filter_map(move |event| finding(run, event, processes, periods))
    });
    Row::none_of(
        "workflow tasks that timed out without a fault",
        findings.collect(),
    )
}

/// Returns the finding if an event is the timeout of a workflow task, and no fault explains it.
fn finding(
    run: &Run,
    event: &HistoryEvent,
    processes: &[Incarnation],
    periods: &[Period],
) -> Option<String> {
    let identity = identity(run, started_event_id(event)?)?;
    let at = time_of(event)?;
    let process = processes
        .iter()
        .find(|it| identities::pid(identity) == Some(it.pid));
    let worker = process.map(|it| it.worker);
    let mut faults = periods.iter().filter(|it| it.kind.interrupts(worker));
    let is_explained = faults.any(|it| it.explains(at, AFTERMATH));
    let (id, number) = (&run.workflow_id, event.event_id);
    (!is_explained).then(|| format!("{id}, event {number}: on {identity}"))
}

/// Returns the start of a workflow task that was not answered in time.
fn started_event_id(event: &HistoryEvent) -> Option<i64> {
    match event.attributes.as_ref()? {
        Attributes::WorkflowTaskTimedOutEventAttributes(it) => {
            let is_late = it.timeout_type() == TimeoutType::StartToClose;
            is_late.then_some(it.started_event_id)
        }
        _ => None,
    }
}

/// Returns the identity of the worker that started a workflow task.
fn identity(run: &Run, started_event_id: i64) -> Option<&str> {
    let mut events = run.events.iter();
    events.find_map(|event| match event.attributes.as_ref()? {
        Attributes::WorkflowTaskStartedEventAttributes(it)
            if event.event_id == started_event_id =>
        {
            Some(it.identity.as_str())
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use temporalio_common::protos::temporal::api::history::v1::{
        WorkflowTaskStartedEventAttributes, WorkflowTaskTimedOutEventAttributes,
    };

    use super::*;
    use crate::chaos::{
        checker::testing::process,
        plan::{Change, Kind, LinkTo},
    };

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// Returns the count of a workflow task that a process started and that timed out at 200.
    fn count(pid: u32, timeout: TimeoutType, periods: &[Period]) -> u64 {
        let started = WorkflowTaskStartedEventAttributes {
            identity: format!("{pid}@host"),
            ..Default::default()
        };
        let timed_out = WorkflowTaskTimedOutEventAttributes {
            started_event_id: 3,
            timeout_type: timeout.into(),
            ..Default::default()
        };
        let event = |event_id: i64, seconds: u64, attributes: Attributes| HistoryEvent {
            event_id,
            event_time: Some(at(seconds).into()),
            attributes: Some(attributes),
            ..HistoryEvent::default()
        };
        let run = Run {
            workflow_id: "video-task/called/cgt-1".into(),
            events: vec![
                event(
                    3,
                    190,
                    Attributes::WorkflowTaskStartedEventAttributes(started),
                ),
                event(
                    4,
                    200,
                    Attributes::WorkflowTaskTimedOutEventAttributes(timed_out),
                ),
            ],
        };
        check(&[run], &[process(1, 7)], periods).count
    }

    fn during(kind: Kind, start: u64, end: u64) -> Period {
        Period {
            kind,
            began_at: at(start),
            ended_at: at(end),
        }
    }

    #[test]
    fn a_workflow_task_that_timed_out_without_a_fault_is_found() {
        assert_eq!(count(7, TimeoutType::StartToClose, &[]), 1);
        // The worker that has the workflow in its cache is gone.
        assert_eq!(count(7, TimeoutType::ScheduleToStart, &[]), 0);
    }

    #[test]
    fn only_a_fault_of_the_worker_or_temporal_explains_a_timeout() {
        for (kind, expected) in [
            (Kind::KillWorker(1), 0),
            (Kind::KillWorker(2), 1),
            (Kind::StopWorker(1), 0),
            (Kind::RestartWorker(1, Change::Key), 0),
            (Kind::KillTemporal, 0),
            (Kind::KillDatabase, 0),
            (Kind::Slow(LinkTo::Temporal(1)), 0),
            (Kind::Slow(LinkTo::Temporal(2)), 1),
            (Kind::KillStore, 1),
        ] {
            let periods = [during(kind.clone(), 180, 185)];
            let count = count(7, TimeoutType::StartToClose, &periods);
            assert_eq!(count, expected, "{kind:?}");
        }
        for (start, end, expected) in [(100, 139, 1), (100, 140, 0), (200, 300, 0), (201, 300, 1)] {
            let periods = [during(Kind::KillTemporal, start, end)];
            let count = count(7, TimeoutType::StartToClose, &periods);
            assert_eq!(count, expected, "{start} {end}");
        }
    }

    #[test]
    fn only_a_fault_of_temporal_explains_a_timeout_of_the_callers() {
        for (kind, expected) in [
            (Kind::KillWorker(1), 1),
            (Kind::Cut(LinkTo::Temporal(1)), 1),
            (Kind::KillEverything, 0),
        ] {
            let periods = [during(kind.clone(), 180, 185)];
            let count = count(9, TimeoutType::StartToClose, &periods);
            assert_eq!(count, expected, "{kind:?}");
        }
    }
}
