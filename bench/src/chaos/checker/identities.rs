//! Which processes took part in histories, by the identities of workers: `{pid}@{host}`.

use std::{collections::BTreeSet, time::SystemTime};

use temporalio_common::protos::temporal::api::history::v1::{
    HistoryEvent, history_event::Attributes,
};

use crate::chaos::{parts::Incarnation, plan::Change};

/// Returns the processes of another version of the program.
pub(super) fn of_other_version(processes: &[Incarnation]) -> BTreeSet<u32> {
    let is_other = |it: &&Incarnation| it.change == Some(Change::Version);
    processes.iter().filter(is_other).map(|it| it.pid).collect()
}

/// Returns the process that a worker was at a time.
pub(super) fn of_worker(
    worker: usize,
    at: SystemTime,
    processes: &[Incarnation],
) -> Option<&Incarnation> {
    let of_worker = processes.iter().filter(|it| it.worker == worker);
    let started = of_worker.filter(|it| it.started_at <= at);
    started.max_by_key(|it| it.started_at)
}

/// Returns the processes that took part in what the events say.
pub(super) fn pids<'a>(events: impl IntoIterator<Item = &'a HistoryEvent>) -> BTreeSet<u32> {
    let identities = events.into_iter().filter_map(identity);
    identities.filter_map(pid).collect()
}

/// Returns the process with an identity.
pub(super) fn pid(identity: &str) -> Option<u32> {
    identity.split('@').next()?.parse().ok()
}

/// Returns the identity of the worker that started or ended a task.
fn identity(event: &HistoryEvent) -> Option<&str> {
    let identity = match event.attributes.as_ref()? {
        Attributes::WorkflowTaskStartedEventAttributes(it) => &it.identity,
        Attributes::WorkflowTaskCompletedEventAttributes(it) => &it.identity,
        Attributes::WorkflowTaskFailedEventAttributes(it) => &it.identity,
        Attributes::ActivityTaskStartedEventAttributes(it) => &it.identity,
        Attributes::ActivityTaskCompletedEventAttributes(it) => &it.identity,
        Attributes::ActivityTaskFailedEventAttributes(it) => &it.identity,
        _ => return None,
    };
    Some(identity.as_str())
}

#[cfg(test)]
mod tests {
    use temporalio_common::protos::temporal::api::history::v1::{
        ActivityTaskCompletedEventAttributes, TimerStartedEventAttributes,
        WorkflowTaskFailedEventAttributes,
    };

    use super::*;

    #[test]
    fn processes_are_found_by_the_identities_of_workers() {
        let activity = |identity: &str| {
            Attributes::ActivityTaskCompletedEventAttributes(ActivityTaskCompletedEventAttributes {
                identity: identity.into(),
                ..Default::default()
            })
        };
        let failed = WorkflowTaskFailedEventAttributes {
            identity: "8@host".into(),
            ..Default::default()
        };
        let attributes = [
            activity("7@host"),
            activity("7@host"),
            activity("history-service"),
            Attributes::WorkflowTaskFailedEventAttributes(failed),
            Attributes::TimerStartedEventAttributes(TimerStartedEventAttributes::default()),
        ];
        let events = attributes.map(|attributes| HistoryEvent {
            attributes: Some(attributes),
            ..HistoryEvent::default()
        });
        assert_eq!(pids(&events), BTreeSet::from([7, 8]));
    }
}
