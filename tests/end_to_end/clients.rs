//! Other programs: ByteDance's own client against the simulator, a real S3 server as the archive.

use std::{process::Stdio, sync::Arc};

use anyhow::{Context, ensure};
use seedance_archiver_simulator::Script;
use tokio::process::Command;

use crate::{
    Suite,
    minio::Minio,
    tools,
    world::{Server, World},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    let python = tools::python_with_ark();
    let minio = tools::minio();
    let (has_python, python) = tools::split(python);
    let (has_minio, minio) = tools::split(minio);
    suite
        .test_with(
            "clients::the_python_client_works_unchanged",
            has_python,
            |server| the_python_client(server, python),
        )
        .test_with(
            "clients::archives_into_a_real_s3_server",
            has_minio,
            |server| archives_into_s3(server, minio),
        )
}

async fn the_python_client(server: Arc<Server>, python: std::path::PathBuf) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let output = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ark_client.py"))
        .args(["--base-url", &world.simulator.base_url()])
        .args(["--api-key", world.simulator.api_key()])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {errors}", output.status);
    let _: serde_json::Value =
        serde_json::from_slice(&output.stdout).context("it printed no JSON")?;
    Ok(())
}

/// The worker is a process of its own: stores are configured by its environment.
async fn archives_into_s3(server: Arc<Server>, minio: std::path::PathBuf) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let minio = Minio::start(minio).await?;
    let bucket = minio.bucket("videos")?;
    let _worker = world.spawn_worker_with(&server, &bucket.environment())?;
    let id = world.simulator.create(Script {
        bytes: Some(20_000_003),
        ..Script::default()
    });
    let result = world.start(&server, &id).await?.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");

    let object = result.manifest.context("no receipt")?.objects.remove(0);
    ensure!(
        object.url.starts_with("s3://videos/team-a/default/"),
        "{object:?}"
    );
    let served = world.simulator.source(&id).context("no source")?.bytes();
    ensure!(
        bucket.read(&object.url).await? == served,
        "the archived bytes are not the served ones"
    );
    Ok(())
}
