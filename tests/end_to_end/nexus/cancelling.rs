//! Callers that stop waiting. The lifecycle continues in any case.

use std::sync::Arc;

use anyhow::ensure;
use seedance_archiver_proto::v1::VideoTaskLifecycleResult;
use seedance_archiver_simulator::Script;
use temporalio_client::{WorkflowCancelOptions, WorkflowTerminateOptions};
use temporalio_sdk::NexusOperationCancellationType;

use super::request;
use crate::harness::{
    Fixture, HOUR, Server, nexus,
    nexus::{NexusCall, Operation, with_worker_and_callers},
    register,
};

async fn cancelling_ends_the_wait_and_not_the_lifecycle(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let id = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    with_worker_and_callers(&server, &fixture, async {
        for cancellation_type in [
            NexusOperationCancellationType::TryCancel,
            NexusOperationCancellationType::WaitCancellationRequested,
            NexusOperationCancellationType::Abandon,
        ] {
            let call = call(&server, &endpoint, &id, cancellation_type).await?;
            call.workflow
                .cancel(WorkflowCancelOptions::default())
                .await?;
            let ending = call.ending().await?;
            ensure!(
                ending.status == "cancelled",
                "{cancellation_type:?}: {ending:?}"
            );
        }
        archived_nevertheless(&server, &fixture, &id).await
    })
    .await
}
register!(cancelling_ends_the_wait_and_not_the_lifecycle);

async fn a_caller_that_waits_for_the_cancellation_gets_the_result(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let id = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    with_worker_and_callers(&server, &fixture, async {
        let until_completed = NexusOperationCancellationType::WaitCancellationCompleted;
        let call = call(&server, &endpoint, &id, until_completed).await?;
        call.workflow
            .cancel(WorkflowCancelOptions::default())
            .await?;
        call.until_cancel_requested().await?;
        archived_nevertheless(&server, &fixture, &id).await?;
        let result: VideoTaskLifecycleResult = call.ending().await?.completed()?;
        ensure!(result.outcome == "archived", "{result:?}");
        Ok(())
    })
    .await
}
register!(a_caller_that_waits_for_the_cancellation_gets_the_result);

async fn the_lifecycle_of_a_terminated_caller_continues(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let id = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    with_worker_and_callers(&server, &fixture, async {
        let try_cancel = NexusOperationCancellationType::TryCancel;
        let call = call(&server, &endpoint, &id, try_cancel).await?;
        call.workflow
            .terminate(WorkflowTerminateOptions::default())
            .await?;
        archived_nevertheless(&server, &fixture, &id).await
    })
    .await
}
register!(the_lifecycle_of_a_terminated_caller_continues);

/// Starts a call, and waits until it waits.
async fn call(
    server: &Server,
    endpoint: &str,
    id: &str,
    cancellation_type: NexusOperationCancellationType,
) -> anyhow::Result<NexusCall> {
    let operation = Operation {
        cancellation_type,
        ..Operation::new(endpoint, "AwaitVideoTask")
    };
    let call = NexusCall::send(server, operation, &request(id)).await?;
    call.until_waiting().await?;
    Ok(call)
}

/// Lets the task end, and checks that its first lifecycle archives the video.
async fn archived_nevertheless(server: &Server, fixture: &Fixture, id: &str) -> anyhow::Result<()> {
    let run_id = server.run_id(id).await?;
    fixture.advance_clock(HOUR).await;
    let lifecycle = fixture.start_lifecycle(server, id).await?;
    ensure!(
        lifecycle.run_id() == run_id,
        "the first lifecycle has ended"
    );
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    Ok(())
}
