//! Third-party software: ByteDance's client library against the simulator, and an S3 server as the archive.

use std::{process::Stdio, sync::Arc};

use anyhow::{Context, ensure};
use seedance_archiver_simulator::Script;
use tokio::process::Command;

use crate::harness::{Fixture, Server, minio::Minio, register, tools};

async fn bytedances_python_client_works_against_the_simulator(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    // The client does not limit its rate.
    let fixture = Fixture::with(&server, |simulator| simulator.list_rate(1_000.0), |_| {}).await?;
    let output = Command::new(tools::python_with_ark()?)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ark_client.py"))
        .args(["--base-url", &fixture.simulator.base_url()])
        .args(["--api-key", fixture.simulator.api_key()])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {stderr}", output.status);
    let _: serde_json::Value =
        serde_json::from_slice(&output.stdout).context("stdout is not JSON")?;
    Ok(())
}
register!(
    bytedances_python_client_works_against_the_simulator,
    needs = [python_with_ark]
);

/// The worker is a separate process, because stores are configured by environment variables.
async fn a_video_is_archived_to_a_real_s3_server(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let minio = Minio::start(tools::minio()?).await?;
    let bucket = minio.new_bucket("videos")?;
    let _worker = fixture.spawn_worker_with(&server, &bucket.environment())?;
    let id = fixture.simulator.create(Script {
        bytes: Some(20_000_003),
        ..Script::default()
    });
    let result = fixture
        .start_lifecycle(&server, &id)
        .await?
        .result()
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");

    let object = result.manifest.context("no receipt")?.objects.remove(0);
    ensure!(
        object.url.starts_with("s3://videos/team-a/default/"),
        "{object:?}"
    );
    let served = fixture.simulator.source(&id).context("no source")?.bytes();
    ensure!(
        bucket.read(&object.url).await? == served,
        "the archived bytes differ from the served ones"
    );
    Ok(())
}
register!(a_video_is_archived_to_a_real_s3_server, needs = [minio]);
