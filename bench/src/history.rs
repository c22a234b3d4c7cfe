//! Histories of workflows.

use std::time::SystemTime;

use temporalio_client::{
    Client, NamespacedClient, UntypedWorkflow, WorkflowExecutionInfo, WorkflowFetchHistoryOptions,
    WorkflowHandle, errors::WorkflowInteractionError, tonic::Code,
};
use temporalio_common::protos::temporal::api::history::v1::{
    HistoryEvent, history_event::Attributes,
};

/// Returns the events of a workflow, none if it does not exist. Without a run, they are those of the latest one.
pub(crate) async fn events(
    client: &Client,
    workflow_id: &str,
    run_id: Option<&str>,
) -> anyhow::Result<Vec<HistoryEvent>> {
    let info = WorkflowExecutionInfo::builder()
        .namespace(client.namespace())
        .workflow_id(workflow_id)
        .maybe_run_id(run_id.map(str::to_owned))
        .build();
    let handle = WorkflowHandle::<Client, UntypedWorkflow>::new(client.clone(), info);
    let history = handle.fetch_history(WorkflowFetchHistoryOptions::default());
    match history.into_events().await {
        Ok(events) => Ok(events),
        Err(WorkflowInteractionError::NotFound(_)) => Ok(Vec::new()),
        Err(WorkflowInteractionError::Rpc(status)) if status.code() == Code::NotFound => {
            Ok(Vec::new())
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn time_of(event: &HistoryEvent) -> Option<SystemTime> {
    SystemTime::try_from(event.event_time?).ok()
}

/// Returns whether a run ends with this event. Another one of the same workflow may follow.
pub(crate) fn closes_run(event: &HistoryEvent) -> bool {
    closes_workflow(event) || continues_as_new(event)
}

/// Returns whether a workflow ends with this event of its latest run.
pub(crate) fn closes_workflow(event: &HistoryEvent) -> bool {
    matches!(
        &event.attributes,
        Some(
            Attributes::WorkflowExecutionCompletedEventAttributes(_)
                | Attributes::WorkflowExecutionFailedEventAttributes(_)
                | Attributes::WorkflowExecutionTerminatedEventAttributes(_)
                | Attributes::WorkflowExecutionTimedOutEventAttributes(_)
                | Attributes::WorkflowExecutionCanceledEventAttributes(_)
        )
    )
}

/// Returns whether the next run of the same workflow follows this event.
pub(crate) fn continues_as_new(event: &HistoryEvent) -> bool {
    matches!(
        &event.attributes,
        Some(Attributes::WorkflowExecutionContinuedAsNewEventAttributes(
            _
        ))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_continues_as_new_is_closed_and_its_workflow_is_not() {
        let completed = Attributes::WorkflowExecutionCompletedEventAttributes(Default::default());
        let continued =
            Attributes::WorkflowExecutionContinuedAsNewEventAttributes(Default::default());
        let started = Attributes::WorkflowExecutionStartedEventAttributes(Default::default());
        for (attributes, expected) in [
            (completed, [true, true]),
            (continued, [true, false]),
            (started, [false, false]),
        ] {
            let event = HistoryEvent {
                attributes: Some(attributes),
                ..HistoryEvent::default()
            };
            let closed = [closes_run(&event), closes_workflow(&event)];
            assert_eq!(closed, expected, "{event:?}");
        }
    }
}
