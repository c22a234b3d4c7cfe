//! Worker versioning: Nexus requests go to the current version of the deployment.

use std::sync::Arc;

use anyhow::ensure;
use seedance_archiver_proto::v1::VideoTaskLifecycleResult;
use seedance_archiver_simulator::Script;

use super::answered;
use crate::{
    harness::{
        Fixture, HOUR, Server, nexus,
        nexus::{NexusCall, Operation, with_callers},
        register,
    },
    nexus::request,
    operations::{
        process::WorkerProcess,
        upgrades::{make_current, version},
    },
};

async fn requests_go_to_the_current_version(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let id = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    let start = async |build_id| {
        let worker = WorkerProcess::start(&fixture, &server, &version(&fixture, build_id))?;
        worker.wait_for_log("polling for Nexus requests").await?;
        anyhow::Ok(worker)
    };
    let call = async || {
        let operation = Operation::new(&endpoint, "AwaitVideoTask");
        let call = NexusCall::send(&server, operation, &request(&id)).await?;
        call.until_waiting().await?;
        anyhow::Ok(call)
    };
    with_callers(&server, async {
        let mut old = start("v1").await?;
        make_current(&server, &fixture, "v1").await?;
        let first = call().await?;
        let new = start("v2").await?;
        let second = call().await?;
        ensure!(answered(&old).await? == 2.0, "{:?}", old.log());
        ensure!(answered(&new).await? == 0.0, "{:?}", new.log());

        make_current(&server, &fixture, "v2").await?;
        let status = old.stop().await?;
        ensure!(status.code() == Some(0), "{status}: {:?}", old.log());
        let third = call().await?;
        ensure!(answered(&new).await? >= 1.0, "{:?}", new.log());
        fixture.advance_clock(HOUR).await;
        for call in [first, second, third] {
            let result: VideoTaskLifecycleResult = call.ending().await?.completed()?;
            ensure!(result.outcome == "archived", "{result:?}");
        }
        Ok(())
    })
    .await
}
register!(requests_go_to_the_current_version);
