//! The region of the workers is gone.

use std::sync::Arc;

use anyhow::ensure;
use seedance_archiver::archive::PART_SIZE;
use seedance_archiver_simulator::Script;

use super::{
    buckets::assert_stored,
    paused::{PausedTransfer, archived},
    procedure::Procedure,
    terminal::Terminal,
};
use crate::harness::{
    Fixture, HOUR, Server, lifecycle::until_running, minio::Minio, register, tools,
};

async fn workers_in_another_region_take_over(server: Arc<Server>) -> anyhow::Result<()> {
    let mut text = Procedure::below("The region of the workers")?;
    let minio = Minio::start(tools::minio()?).await?;
    let bucket = minio.new_bucket("bucket")?;
    let fixture = Fixture::new(&server).await?;
    let mut terminal = Terminal::open(&server, &fixture).await?;
    for (name, value) in bucket.environment() {
        terminal.set(name, value);
    }
    let mut workers = [terminal.start_worker()?, terminal.start_worker()?];
    let transfer = PausedTransfer::start(&fixture, &server).await?;
    transfer.until_stored(&server, 2).await?;
    let polled = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    let polled_lifecycle = fixture.start_lifecycle(&server, &polled).await?;
    until_running(&polled_lifecycle).await?;
    for worker in &mut workers {
        worker.kill().await?;
    }
    fixture.release_stopped_download(&transfer.id).await?;

    text.step("Start workers in another region with the same settings and keys.")?;
    let _worker = terminal.start_worker()?;

    text.step(
        "Run `seedance-archiver doctor`, and check `seedance-archiver list --before-deadline 1d`.",
    )?;
    terminal.run_doctor(&text.command()?).await?;
    terminal.run_json(&text.command()?).await?;

    text.says("The new workers continue what the old ones did after 20 s without a heartbeat.")?;
    let manifest = archived(&transfer.lifecycle).await?;
    text.says("Uploads to S3 and Google Cloud resume.")?;
    let again = manifest.bytes_fetched_again;
    ensure!(
        again <= PART_SIZE as i64,
        "{again} bytes were fetched again"
    );
    fixture.advance_clock(HOUR).await;
    archived(&polled_lifecycle).await?;
    text.says(
        "Nothing is lost, unless the workers were gone for [a day or more](#a-weeks-outage).",
    )?;
    for id in [&transfer.id, &polled] {
        assert_stored(&fixture, &bucket, "team-a", id).await?;
    }
    text.end()
}
register!(
    workers_in_another_region_take_over,
    needs = [minio],
    takes_long
);
