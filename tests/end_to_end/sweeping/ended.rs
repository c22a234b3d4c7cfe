//! What sweeps make of lifecycles that have ended without a receipt.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use seedance_archiver_simulator::{Ending, Script};
use seedance_archiver_workflows::VideoTaskLifecycle;
use temporalio_client::{Client, WorkflowCancelOptions, WorkflowHandle, WorkflowTerminateOptions};

use super::{lifecycle, result, sweep, world};
use crate::world::{Server, until};

pub(super) async fn cancelled(server: Arc<Server>) -> anyhow::Result<()> {
    let (world, account) = world(&server, |_| {}).await?;
    let id = world.simulator.create(Script {
        running: Some(Duration::from_secs(3600)),
        ..Script::default()
    });
    world
        .with_worker(&server, async {
            let lifecycle = lifecycle(&world, &server, &account, &id).await?;
            until("it is asked about", || {
                world.simulator.stats(&id).queries > 1
            })
            .await?;
            let handle: WorkflowHandle<Client, VideoTaskLifecycle> =
                server.client.get_workflow_handle(lifecycle.workflow_id());
            handle.cancel(WorkflowCancelOptions::default()).await?;
            let ended = lifecycle.result().await?;
            ensure!(ended.reason == "cancelled_by_caller", "{ended:?}");

            let swept = sweep(&world, &server, &account).await?;
            ensure!(swept == result([1, 0, 1, 0, 0]), "{swept:?}");
            Ok(())
        })
        .await
}

/// A lifecycle may end and leave nothing in the archive: to begin it again would bring the same.
pub(super) async fn without_a_trace(server: Arc<Server>) -> anyhow::Result<()> {
    let (world, account) = world(&server, |_| {}).await?;
    let failed = || Script {
        ending: Ending::Failed,
        ..Script::default()
    };
    let [ended, terminated] = [failed(), failed()].map(|script| world.simulator.create(script));
    world
        .with_worker(&server, async {
            let ended = lifecycle(&world, &server, &account, &ended).await?;
            let outcome = ended.result().await?.outcome;
            ensure!(outcome == "unsuccessful", "{outcome}");
            Ok(())
        })
        .await?;
    world.empty_archive()?;
    // Nobody serves it yet.
    let lifecycle = lifecycle(&world, &server, &account, &terminated).await?;
    let handle: WorkflowHandle<Client, VideoTaskLifecycle> =
        server.client.get_workflow_handle(lifecycle.workflow_id());
    handle
        .terminate(WorkflowTerminateOptions::default())
        .await?;
    let swept = world
        .with_worker(&server, sweep(&world, &server, &account))
        .await?;
    ensure!(swept == result([2, 0, 1, 0, 1]), "{swept:?}");
    Ok(())
}
