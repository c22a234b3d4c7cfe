//! Buckets whose archive is below a prefix.

use anyhow::{Context, anyhow, ensure};
use object_store::{Attribute, ObjectStoreExt, path::Path};
use reqwest::Url;

use super::terminal::Terminal;
use crate::harness::{
    Fixture,
    minio::{Bucket, Minio},
    task_prefix, tools,
};

/// Checks that the archive below a prefix of a bucket has the video that the simulator served, with its metadata, and its
/// receipt.
pub(super) async fn assert_stored(
    fixture: &Fixture,
    bucket: &Bucket,
    prefix: &str,
    task_id: &str,
) -> anyhow::Result<()> {
    let directory = format!("{prefix}/{}", task_prefix(task_id)?);
    let key = Path::from(format!("{directory}/video.mp4"));
    let video = bucket.store.get(&key).await;
    let video = video.with_context(|| format!("{task_id} has no video"))?;
    let attributes = &video.attributes;
    let task = attributes.get(&Attribute::Metadata("seedancetask".into()));
    let task = task.map(|value| value.as_ref());
    ensure!(task == Some(task_id), "{task_id}: {attributes:?}");
    let served = fixture.simulator.source(task_id).context("no source")?;
    ensure!(
        video.bytes().await? == served.bytes(),
        "the archived bytes differ from the served ones"
    );
    bucket.read(&format!("{directory}/manifest.json")).await?;
    Ok(())
}

/// Returns whether the archive below a prefix of a bucket has the receipt of a task.
pub(super) async fn has_receipt(
    bucket: &Bucket,
    prefix: &str,
    task_id: &str,
) -> anyhow::Result<bool> {
    let receipt = format!("{prefix}/{}/manifest.json", task_prefix(task_id)?);
    Ok(bucket.keys().await?.contains(&receipt))
}

/// Returns the URL of a directory that takes the place of a bucket.
pub(super) fn directory_url(path: &std::path::Path) -> anyhow::Result<Url> {
    Url::from_directory_path(path).map_err(|()| anyhow!("the directory has no file URL"))
}

/// Installs the AWS CLI in a terminal, for the buckets of a server.
pub(super) fn install_aws(terminal: &mut Terminal, minio: &Minio) -> anyhow::Result<()> {
    let [endpoint, ..] = minio.environment().map(|(_, value)| value);
    terminal.set("AWS_ENDPOINT_URL", endpoint);
    terminal.set("AWS_DEFAULT_REGION", "us-east-1");
    terminal.add_program("aws", &tools::aws()?)
}

/// Adds a remote to the configuration of rclone.
pub(super) fn add_remote(terminal: &mut Terminal, name: &str, minio: &Minio) {
    // Not the configuration of whoever runs the tests.
    terminal.set("RCLONE_CONFIG", "/dev/null");
    let [endpoint, _, region, key_id, key] = minio.environment().map(|(_, value)| value);
    let options = [
        ("TYPE", "s3".to_owned()),
        ("PROVIDER", "Minio".to_owned()),
        ("ENDPOINT", endpoint),
        ("REGION", region),
        ("ACCESS_KEY_ID", key_id),
        ("SECRET_ACCESS_KEY", key),
    ];
    let name = name.to_uppercase();
    for (option, value) in options {
        terminal.set(&format!("RCLONE_CONFIG_{name}_{option}"), value);
    }
}
