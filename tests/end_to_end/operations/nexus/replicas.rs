//! Three workers serve the callers of one task. One is killed and one is stopped while callers wait.

use std::sync::Arc;

use anyhow::ensure;
use futures::future::try_join_all;
use rustix::process::Signal;
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
    operations::process::WorkerProcess,
};

/// Number of callers before a worker dies.
const CALLERS: usize = 12;

async fn callers_wait_while_replicas_die_and_stop(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let id = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    let start = || WorkerProcess::start(&fixture, &server, &[]);
    let [mut killed, mut stopped, last] = [start()?, start()?, start()?];
    for worker in [&killed, &stopped, &last] {
        worker.wait_for_log("polling for Nexus requests").await?;
    }
    let results = with_callers(&server, async {
        let call = async || {
            let operation = Operation::new(&endpoint, "AwaitVideoTask");
            let call = NexusCall::send(&server, operation, &request(&id)).await?;
            call.until_waiting().await?;
            anyhow::Ok(call)
        };
        let mut calls = try_join_all((0..CALLERS).map(|_| call())).await?;
        let mut count = 0.0;
        for worker in [&killed, &stopped, &last] {
            count += answered(worker).await?;
        }
        ensure!(count >= CALLERS as f64, "{count} requests were answered");
        let run_id = server.run_id(&id).await?;

        killed.send_signal(Signal::KILL)?;
        killed.wait_for_exit().await?;
        calls.push(call().await?);
        let status = stopped.stop().await?;
        ensure!(status.code() == Some(0), "{status}: {:?}", stopped.log());
        let before = answered(&last).await?;
        calls.push(call().await?);
        ensure!(answered(&last).await? > before, "{:?}", last.log());

        fixture.advance_clock(HOUR).await;
        let endings = try_join_all(calls.iter().map(NexusCall::ending)).await?;
        let results: Vec<VideoTaskLifecycleResult> = endings
            .into_iter()
            .map(|ending| ending.completed())
            .collect::<anyhow::Result<_>>()?;
        ensure!(
            server.run_id(&id).await? == run_id,
            "a second lifecycle was started"
        );
        Ok(results)
    })
    .await?;
    ensure!(results.len() == CALLERS + 2);
    let [first, others @ ..] = results.as_slice() else {
        anyhow::bail!("no results");
    };
    ensure!(first.outcome == "archived", "{first:?}");
    ensure!(others.iter().all(|result| result == first), "{results:?}");
    let stats = fixture.simulator.stats(&id);
    ensure!(stats.downloads == 1, "{stats:?}");
    fixture.assert_archived(&id, &first.manifest.clone().unwrap_or_default())
}
register!(callers_wait_while_replicas_die_and_stop, takes_long);
