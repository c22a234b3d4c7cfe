//! Sweeps of tasks whose lifecycle ended without a receipt.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use seedance_archiver_simulator::{Ending, Script};
use seedance_archiver_workflows::VideoTaskLifecycle;
use temporalio_client::{Client, WorkflowCancelOptions, WorkflowHandle, WorkflowTerminateOptions};

use crate::harness::{
    Server, register,
    sweeps::{self, fixture, start_lifecycle},
    until,
};

async fn a_cancelled_lifecycle_is_not_restarted(server: Arc<Server>) -> anyhow::Result<()> {
    let (fixture, account) = fixture(&server, |_| {}).await?;
    let id = fixture.simulator.create(Script {
        running: Some(Duration::from_secs(3600)),
        ..Script::default()
    });
    fixture
        .with_worker(&server, async {
            let lifecycle = start_lifecycle(&fixture, &server, &account, &id).await?;
            until("the task was polled", || {
                fixture.simulator.stats(&id).queries > 1
            })
            .await?;
            let handle: WorkflowHandle<Client, VideoTaskLifecycle> =
                server.client.get_workflow_handle(lifecycle.workflow_id());
            handle.cancel(WorkflowCancelOptions::default()).await?;
            let ended = lifecycle.result().await?;
            ensure!(ended.reason == "cancelled_by_caller", "{ended:?}");

            let swept = sweeps::run(&fixture, &server, &account).await?;
            ensure!(swept == sweeps::counts([1, 0, 1, 0, 0]), "{swept:?}");
            Ok(())
        })
        .await
}
register!(a_cancelled_lifecycle_is_not_restarted);

/// A lifecycle that completed without writing to the archive would end in the same way again.
async fn without_archived_files_only_a_terminated_lifecycle_is_restarted(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let (fixture, account) = fixture(&server, |_| {}).await?;
    let failed = || Script {
        ending: Ending::Failed,
        ..Script::default()
    };
    let [ended, terminated] = [failed(), failed()].map(|script| fixture.simulator.create(script));
    fixture
        .with_worker(&server, async {
            let ended = start_lifecycle(&fixture, &server, &account, &ended).await?;
            let outcome = ended.result().await?.outcome;
            ensure!(outcome == "unsuccessful", "{outcome}");
            Ok(())
        })
        .await?;
    fixture.delete_archived_files()?;
    // No worker runs, so the lifecycle cannot complete before it is terminated.
    let lifecycle = start_lifecycle(&fixture, &server, &account, &terminated).await?;
    let handle: WorkflowHandle<Client, VideoTaskLifecycle> =
        server.client.get_workflow_handle(lifecycle.workflow_id());
    handle
        .terminate(WorkflowTerminateOptions::default())
        .await?;
    let swept = fixture
        .with_worker(&server, sweeps::run(&fixture, &server, &account))
        .await?;
    ensure!(swept == sweeps::counts([2, 0, 1, 0, 1]), "{swept:?}");
    Ok(())
}
register!(without_archived_files_only_a_terminated_lifecycle_is_restarted);
