//! Other programs: ByteDance's own client against the simulator, a real S3 server as the archive.

use std::{net::TcpListener, process::Stdio, sync::Arc};

use anyhow::{Context, ensure};
use object_store::{ObjectStoreExt, aws::AmazonS3Builder, path::Path};
use seedance_archiver_simulator::Script;
use tokio::process::Command;

use crate::{
    Suite, tools,
    world::{Server, World, until},
};

const USER: &str = "minio-user";
const PASSWORD: &str = "minio-password";

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
    let data = tempfile::tempdir()?;
    // A bucket is a directory in MinIO's store.
    std::fs::create_dir(data.path().join("videos"))?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let endpoint = format!("http://127.0.0.1:{port}");
    let _minio = Command::new(minio)
        .args([
            "server",
            "--quiet",
            "--address",
            &format!("127.0.0.1:{port}"),
        ])
        .arg(data.path())
        .env("MINIO_ROOT_USER", USER)
        .env("MINIO_ROOT_PASSWORD", PASSWORD)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let listens = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
    until("MinIO listens", listens).await?;

    let _worker = world.spawn_worker_with(
        &server,
        &[
            ("SEEDANCE_ARCHIVE_URL", "s3://videos/team-a"),
            ("AWS_ENDPOINT", &endpoint),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", USER),
            ("AWS_SECRET_ACCESS_KEY", PASSWORD),
        ],
    )?;
    let id = world.simulator.create(Script {
        bytes: Some(20_000_003),
        ..Script::default()
    });
    let result = world.start(&server, &id).await?.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");

    let object = result.manifest.context("no receipt")?.objects.remove(0);
    let key = object
        .url
        .strip_prefix("s3://videos/")
        .context("not in the bucket")?
        .to_owned();
    ensure!(key.starts_with("team-a/default/"), "{key}");
    let bucket = AmazonS3Builder::new()
        .with_bucket_name("videos")
        .with_endpoint(endpoint)
        .with_allow_http(true)
        .with_access_key_id(USER)
        .with_secret_access_key(PASSWORD)
        .build()?;
    let archived = bucket.get(&Path::from(key)).await?.bytes().await?;
    let served = world.simulator.source(&id).context("no source")?.bytes();
    ensure!(
        archived == served,
        "the archived bytes are not the served ones"
    );
    Ok(())
}
