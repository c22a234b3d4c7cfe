//! Runs the example in each mode, against a Temporal dev server and the simulator.

use std::{path::Path, process::Output, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver::{
    config::{Account, Accounts, Config},
    dev_server::{self, DevServer},
    worker::Worker,
};
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::names;
use seedance_archiver_simulator::{Ending, Misuse, Script, Simulator};
use temporalio_client::{NamespacedClient, tonic::IntoRequest};
use temporalio_common::protos::temporal::api::{
    nexus::v1::{EndpointSpec, EndpointTarget, endpoint_target},
    operatorservice::v1::CreateNexusEndpointRequest,
};
use temporalio_sdk::Runtime;
use tokio::process::Command;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test(flavor = "multi_thread")]
async fn every_mode_prints_the_receipt() -> anyhow::Result<()> {
    let server = dev_server::start(false, &|_| {}).await?;
    let result = every_mode(&server).await;
    server.stop().await;
    result
}

async fn every_mode(server: &DevServer) -> anyhow::Result<()> {
    let short = Duration::from_millis(500);
    let clock = Clock::default();
    let simulator = Simulator::builder().queued(short).running(short);
    let simulator = simulator.clock(clock.clone()).start().await?;
    let archive = tempfile::tempdir()?;
    let config = config(&simulator, archive.path())?;
    let example = Example {
        server,
        simulator: &simulator,
        archive: &config,
        clock: &clock,
    };

    // No other worker runs yet, so the embedded archiver must run the lifecycle.
    example.archives("embedded").await?;

    let runtime = Runtime::from_current_tokio(Default::default())?;
    let worker = Worker::with_clock(&runtime, &server.client, &config, clock.clone()).await?;
    create_endpoint(server).await?;
    let modes = async {
        tokio::try_join!(
            example.archives("nexus"),
            example.archives("await"),
            example.archives("child"),
            example.archives("start"),
            example.joins_a_running_lifecycle(),
            example.prints_the_reason(),
        )?;
        // Counts the tasks.
        example.creates_one_task_for_an_order().await?;
        // Advances the clock of all.
        example.prints_why_a_video_is_lost().await
    };
    worker.run_during(modes).await??;
    let misuse = simulator.misuse();
    ensure!(
        misuse == Misuse::default(),
        "requests that the API does not allow: {misuse:?}"
    );
    Ok(())
}

/// Creates the Nexus endpoint, as `seedance-archiver setup` does.
async fn create_endpoint(server: &DevServer) -> anyhow::Result<()> {
    let worker = endpoint_target::Worker {
        namespace: server.client.namespace(),
        task_queue: names::nexus_task_queue(names::TASK_QUEUE),
    };
    let request = CreateNexusEndpointRequest {
        spec: Some(EndpointSpec {
            name: names::NEXUS_ENDPOINT.to_owned(),
            description: None,
            target: Some(EndpointTarget {
                variant: Some(endpoint_target::Variant::Worker(worker)),
            }),
        }),
    };
    let mut service = server.client.connection().operator_service();
    service
        .create_nexus_endpoint(request.into_request())
        .await?;
    Ok(())
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
    clock: &'a Clock,
}

impl Example<'_> {
    async fn archives(&self, mode: &str) -> anyhow::Result<()> {
        let task_id = self.simulator.create(Script::default());
        let output = self.run(mode, &task_id).await?;
        check_archived(mode, &output)
    }

    async fn creates_one_task_for_an_order(&self) -> anyhow::Result<()> {
        let tasks = || self.simulator.task_ids().len();
        let before = tasks();
        for _ in 0..2 {
            let output = self.run("generate", "order-7").await?;
            check_archived("generate", &output)?;
            let receipt = std::fs::read_to_string(receipt_path(&output)?)?;
            // By which `list --user` and `erase --user` find the video.
            ensure!(receipt.contains("user-7"), "no end user in {receipt}");
        }
        ensure!(tasks() == before + 1, "{} tasks more", tasks() - before);
        Ok(())
    }

    /// The child workflow is already running, so the example waits for it by the activity.
    async fn joins_a_running_lifecycle(&self) -> anyhow::Result<()> {
        let task_id = self.simulator.create(Script {
            running: Some(Duration::from_secs(3)),
            ..Script::default()
        });
        let (first, second) =
            tokio::try_join!(self.run("start", &task_id), self.run("child", &task_id))?;
        check_archived("start", &first)?;
        check_archived("child", &second)?;
        let downloads = self.simulator.stats(&task_id).downloads;
        ensure!(downloads == 1, "{downloads} downloads");
        Ok(())
    }

    async fn prints_the_reason(&self) -> anyhow::Result<()> {
        let task_id = self.simulator.create(Script {
            ending: Ending::Failed,
            ..Script::default()
        });
        for mode in ["await", "nexus"] {
            let output = self.run(mode, &task_id).await?;
            let printed = String::from_utf8_lossy(&output.stdout);
            ensure!(output.status.code() == Some(1), "{mode}: {output:?}");
            ensure!(
                printed.starts_with("unsuccessful Output"),
                "{mode}: {printed}"
            );
        }
        Ok(())
    }

    /// The result is in the details of the failure.
    async fn prints_why_a_video_is_lost(&self) -> anyhow::Result<()> {
        let task_id = self.simulator.create(Script {
            running: Some(30 * DAY),
            ..Script::default()
        });
        let close_window = async {
            // A poll starts after the response to the previous one was handled.
            while self.simulator.stats(&task_id).queries < 3 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            self.clock.advance(7 * DAY).await;
            Ok(())
        };
        let (output, ()) = tokio::try_join!(self.run("nexus", &task_id), close_window)?;
        let printed = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.code() == Some(1), "{output:?}");
        ensure!(
            printed.starts_with("lost query_window_closed: "),
            "{printed}"
        );
        Ok(())
    }

    async fn run(&self, mode: &str, task_id: &str) -> anyhow::Result<Output> {
        let run = Command::new(env!("CARGO_BIN_EXE_archive-example"))
            .args([mode, task_id])
            .env("TEMPORAL_ADDRESS", &self.server.address)
            .env("SEEDANCE_BASE_URL", self.simulator.base_url())
            .env("SEEDANCE_API_KEY", self.simulator.api_key())
            .env("SEEDANCE_ARCHIVE_URL", self.archive.archive_url.as_str())
            .kill_on_drop(true)
            .output();
        let run = tokio::time::timeout(Duration::from_secs(120), run).await;
        run.with_context(|| format!("`{mode}` did not finish within 120 s"))?
            .context("cannot run the example")
    }
}

fn check_archived(mode: &str, output: &Output) -> anyhow::Result<()> {
    ensure!(output.status.success(), "{mode}: {output:?}");
    let receipt = receipt_path(output).with_context(|| mode.to_owned())?;
    ensure!(
        Path::new(&receipt).is_file(),
        "{mode}: {receipt} does not exist"
    );
    Ok(())
}

/// Returns the path of the receipt whose URL the example printed.
fn receipt_path(output: &Output) -> anyhow::Result<String> {
    let printed = String::from_utf8_lossy(&output.stdout);
    let receipt = printed.trim().strip_prefix("archived file://");
    let receipt = receipt.with_context(|| format!("no receipt: {printed}"))?;
    Ok(receipt.to_owned())
}
