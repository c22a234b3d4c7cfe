//! Lifecycles that continue as new while callers wait.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use seedance_archiver_proto::v1::VideoTaskLifecycleResult;
use seedance_archiver_simulator::Script;

use super::request;
use crate::harness::{
    Fixture, HOUR, Server, nexus,
    nexus::{NexusCall, Operation, with_worker_and_callers},
    query_activity, register, until, until_async,
};

async fn callers_of_all_runs_of_a_lifecycle_get_its_result(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let id = fixture.simulator.create(Script {
        queued: Some(Duration::ZERO),
        running: Some(HOUR),
        ..Script::default()
    });
    let call = async || {
        let operation = Operation::new(&endpoint, "AwaitVideoTask");
        let call = NexusCall::send(&server, operation, &request(&id)).await?;
        call.until_waiting().await?;
        anyhow::Ok(call)
    };
    with_worker_and_callers(&server, &fixture, async {
        let first = call().await?;
        let first_run = server.run_id(&id).await?;
        until("the task was returned as running", || {
            fixture.simulator.stats(&id).queries >= 2
        })
        .await?;
        until_async("the workflow has continued as new", || async {
            // Completes a poll without a change. Fails if none is pending.
            let _ = query_activity::complete(&server, &id, "running").await;
            Ok(server.run_id(&id).await? != first_run)
        })
        .await?;
        let second = call().await?;
        fixture.advance_clock(HOUR).await;
        let first: VideoTaskLifecycleResult = first.ending().await?.completed()?;
        let second: VideoTaskLifecycleResult = second.ending().await?.completed()?;
        ensure!(first.outcome == "archived", "{first:?}");
        ensure!(first == second, "{second:?}");
        Ok(())
    })
    .await
}
register!(callers_of_all_runs_of_a_lifecycle_get_its_result);
