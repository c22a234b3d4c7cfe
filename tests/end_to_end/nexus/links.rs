//! Links between the caller's workflow and the lifecycle, by which the Temporal UI leads from each to the other.

use std::sync::Arc;

use anyhow::{Context, ensure};
use seedance_archiver_simulator::Script;
use temporalio_client::{NamespacedClient, WorkflowFetchHistoryOptions};
use temporalio_common::protos::temporal::api::{
    common::v1::link::{Variant, WorkflowEvent},
    enums::v1::EventType,
    history::v1::{HistoryEvent, history_event::Attributes},
};

use super::request;
use crate::harness::{
    Fixture, HOUR, Server, nexus,
    nexus::{NexusCall, Operation, with_callers, with_worker_and_callers},
    register,
};

async fn the_lifecycle_and_its_callers_link_to_each_other(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let other = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let id = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    let work = with_callers(&other, async {
        let operation = || Operation::new(&endpoint, "AwaitVideoTask");
        let starting = NexusCall::send(&server, operation(), &request(&id)).await?;
        starting.until_waiting().await?;
        let joining = NexusCall::send(&other, operation(), &request(&id)).await?;
        joining.until_waiting().await?;
        fixture.advance_clock(HOUR).await;
        starting.ending().await?;
        joining.ending().await?;
        let lifecycle = server.lifecycle(&id);
        let lifecycle = lifecycle.fetch_history(WorkflowFetchHistoryOptions::default());
        let lifecycle = lifecycle.into_events().await?;
        for (call, namespace, event) in [
            (starting, &server, EventType::WorkflowExecutionStarted),
            (joining, &other, EventType::WorkflowExecutionOptionsUpdated),
        ] {
            let caller = call.workflow.info().workflow_id.clone();
            let history = WorkflowFetchHistoryOptions::default();
            let history = call.workflow.fetch_history(history).into_events().await?;
            let to_lifecycle = link(&history, EventType::NexusOperationStarted)?;
            ensure!(
                to_lifecycle.workflow_id == format!("video-task/default/{id}"),
                "{to_lifecycle:?}"
            );
            ensure!(
                to_lifecycle.namespace == server.client.namespace(),
                "{to_lifecycle:?}"
            );
            let to_caller = link(&lifecycle, event)?;
            ensure!(to_caller.workflow_id == caller, "{to_caller:?}");
            ensure!(
                to_caller.namespace == namespace.client.namespace(),
                "{to_caller:?}"
            );
        }
        Ok(())
    });
    with_worker_and_callers(&server, &fixture, work).await
}
register!(the_lifecycle_and_its_callers_link_to_each_other);

/// Returns the link of the first event of a type. Links to a caller are at its callback.
fn link(history: &[HistoryEvent], event_type: EventType) -> anyhow::Result<WorkflowEvent> {
    let event = history.iter().find(|it| it.event_type() == event_type);
    let event = event.with_context(|| format!("no event {event_type:?}"))?;
    let callbacks = match &event.attributes {
        Some(Attributes::WorkflowExecutionStartedEventAttributes(it)) => &it.completion_callbacks,
        Some(Attributes::WorkflowExecutionOptionsUpdatedEventAttributes(it)) => {
            &it.attached_completion_callbacks
        }
        _ => &Vec::new(),
    };
    let at_callbacks = callbacks.iter().flat_map(|callback| &callback.links);
    let mut links = event.links.iter().chain(at_callbacks);
    match links.next().and_then(|link| link.variant.clone()) {
        Some(Variant::WorkflowEvent(link)) => Ok(link),
        other => anyhow::bail!("{event_type:?} has the link {other:?}"),
    }
}
