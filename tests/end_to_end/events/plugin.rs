//! Events of a Rust worker that embeds the archiver.

use std::sync::Arc;

use anyhow::ensure;
use seedance_archiver::Plugin;
use seedance_archiver_simulator::Script;
use temporalio_sdk::{Worker, WorkerOptions};

use super::page;
use crate::harness::{
    Fixture, Server,
    deliveries::Delivery,
    receiver::{KEY, Receiver},
    register, tools,
};

/// Runs a worker that has nothing but the plugin, until `work` completes.
async fn with_plugin<T>(
    server: &Server,
    fixture: &Fixture,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let plugin = Plugin::builder()
        .client(&server.client)
        .accounts(fixture.config.accounts.clone())
        .archive_url(fixture.config.archive_url.clone())
        .clock(fixture.clock.clone())
        .build()
        .await?;
    let mut options = WorkerOptions::new(fixture.config.task_queue.as_str()).build();
    plugin.register(&mut options)?;
    let mut worker = Worker::new(&server.runtime, server.client.clone(), options)?;
    let shut_down = worker.shutdown_handle();
    let work = async {
        let result = work.await;
        shut_down();
        result
    };
    let (ended, result) = futures::join!(worker.run(), work);
    ended?;
    result
}

async fn a_worker_with_the_plugin_archives_a_video_and_delivers_its_event_signed(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let python = tools::python_example()?;
    let receiver = Receiver::start()?;
    let fixture = Fixture::with_account(&server, |account| receiver.set_webhook(account)).await?;
    let id = fixture.simulator.create(Script::default());
    let (result, delivered, received) = with_plugin(&server, &fixture, async {
        let lifecycle = fixture.start_lifecycle(&server, &id).await?;
        let result = lifecycle.result().await?;
        let received = receiver.until_received(1).await?;
        let delivered = Delivery::about(&server, &id).await?.result().await?;
        Ok((result, delivered, received))
    })
    .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let manifest = result.manifest.unwrap_or_default();
    fixture.assert_archived(&id, &manifest)?;
    let [request] = received.as_slice() else {
        anyhow::bail!("{received:?}");
    };
    ensure!(page::is_signed(&python, KEY, request).await?, "{request:?}");
    let event = request.event()?;
    let (kind, data) = (&event["type"], &event["data"]);
    ensure!(kind == "seedance-archiver.video.archived", "{event:#}");
    ensure!(data["manifest_url"] == manifest.manifest_url, "{event:#}");
    ensure!(delivered.status == 204, "{delivered:?}");
    Ok(())
}
register!(
    a_worker_with_the_plugin_archives_a_video_and_delivers_its_event_signed,
    needs = [python_example]
);
