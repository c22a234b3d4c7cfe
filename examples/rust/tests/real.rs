//! The example in each of its ways, against a real Temporal server and the simulator.

use std::{path::Path, process::Output, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver::{
    config::{Account, Accounts, Config},
    dev_server::{self, DevServer},
    worker::Worker,
};
use seedance_archiver_proto::names;
use seedance_archiver_simulator::{Ending, Script, Simulator};
use temporalio_sdk::Runtime;
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn every_way_ends_with_the_receipt() -> anyhow::Result<()> {
    let server = dev_server::start(false, &|_| {}).await?;
    let outcome = every_way(&server).await;
    server.stop().await;
    outcome
}

async fn every_way(server: &DevServer) -> anyhow::Result<()> {
    let moment = Duration::from_millis(500);
    let simulator = Simulator::builder().queued(moment).running(moment);
    let simulator = simulator.start().await?;
    let archive = tempfile::tempdir()?;
    let config = config(&simulator, archive.path())?;
    let example = Example {
        server,
        simulator: &simulator,
        archive: &config,
    };

    // It brings what serves its lifecycle, so no other worker is there.
    example.archives("embedded").await?;

    let runtime = Runtime::from_current_tokio(Default::default())?;
    let worker = Worker::new(&runtime, &server.client, &config).await?;
    let ways = async {
        for way in ["await", "child", "start"] {
            example.archives(way).await?;
        }
        example.joins_one_that_runs().await?;
        example.tells_what_failed().await
    };
    worker.run_during(ways).await?
}

fn config(simulator: &Simulator, archive: &Path) -> anyhow::Result<Config> {
    let account = Account::new(
        "default",
        simulator.base_url().parse()?,
        simulator.api_key().to_owned().into(),
    );
    Ok(Config {
        accounts: Accounts::from([account]),
        archive_url: format!("file://{}", archive.display()).parse()?,
        task_queue: names::TASK_QUEUE.to_owned(),
        ingress_address: None,
        worker: Default::default(),
    })
}

struct Example<'a> {
    server: &'a DevServer,
    simulator: &'a Simulator,
    archive: &'a Config,
}

impl Example<'_> {
    async fn archives(&self, way: &str) -> anyhow::Result<()> {
        let task_id = self.simulator.create(Script::default());
        let output = self.run(way, &task_id).await?;
        is_archived(way, &output)
    }

    /// Its child workflow has been started already: it awaits that one.
    async fn joins_one_that_runs(&self) -> anyhow::Result<()> {
        let task_id = self.simulator.create(Script {
            running: Some(Duration::from_secs(3)),
            ..Script::default()
        });
        let (first, second) =
            tokio::try_join!(self.run("start", &task_id), self.run("child", &task_id))?;
        is_archived("start", &first)?;
        is_archived("child", &second)?;
        let downloads = self.simulator.stats(&task_id).downloads;
        ensure!(downloads == 1, "{downloads} downloads");
        Ok(())
    }

    async fn tells_what_failed(&self) -> anyhow::Result<()> {
        let task_id = self.simulator.create(Script {
            ending: Ending::Failed,
            ..Script::default()
        });
        let output = self.run("await", &task_id).await?;
        let told = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.code() == Some(1), "{output:?}");
        ensure!(told.starts_with("unsuccessful Output"), "{told}");
        Ok(())
    }

    async fn run(&self, way: &str, task_id: &str) -> anyhow::Result<Output> {
        let run = Command::new(env!("CARGO_BIN_EXE_archive-example"))
            .args([way, task_id])
            .env("TEMPORAL_ADDRESS", &self.server.address)
            .env("SEEDANCE_BASE_URL", self.simulator.base_url())
            .env("SEEDANCE_API_KEY", self.simulator.api_key())
            .env("SEEDANCE_ARCHIVE_URL", self.archive.archive_url.as_str())
            .kill_on_drop(true)
            .output();
        let run = tokio::time::timeout(Duration::from_secs(120), run).await;
        run.with_context(|| format!("`{way}` takes too long"))?
            .context("it cannot be run")
    }
}

fn is_archived(way: &str, output: &Output) -> anyhow::Result<()> {
    ensure!(output.status.success(), "{way}: {output:?}");
    let told = String::from_utf8_lossy(&output.stdout);
    let receipt = told.trim().strip_prefix("archived file://");
    let receipt = receipt.with_context(|| format!("{way}: {told}"))?;
    ensure!(Path::new(receipt).is_file(), "{way}: there is no {receipt}");
    Ok(())
}
