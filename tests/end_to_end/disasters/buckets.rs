//! Buckets whose archive is below a prefix.

use anyhow::{Context, ensure};
use futures::TryStreamExt;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, path::Path};

use crate::harness::{Fixture, minio::Bucket, task_prefix};

/// Checks that the archive below a prefix of a bucket has the video that the simulator served, and its receipt.
pub(super) async fn assert_stored(
    fixture: &Fixture,
    bucket: &Bucket,
    prefix: &str,
    task_id: &str,
) -> anyhow::Result<()> {
    let directory = format!("{prefix}/{}", task_prefix(task_id)?);
    let video = bucket.read(&format!("{directory}/video.mp4")).await;
    let served = fixture.simulator.source(task_id).context("no source")?;
    ensure!(
        video.with_context(|| format!("{task_id} has no video"))? == served.bytes(),
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

/// Which objects a copy replaces.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Replace {
    /// Those whose size differs, or that are older than the source: as `aws s3 sync` and `rclone sync` do.
    Changed,
    /// None: as `rclone copy --ignore-existing` does.
    Nothing,
}

/// Copies the objects below a prefix to another bucket, without `.staging/`.
pub(super) async fn copy(
    from: &Bucket,
    to: &Bucket,
    prefix: &str,
    replace: Replace,
) -> anyhow::Result<()> {
    let prefix = Path::from(prefix);
    let objects: Vec<_> = from.store.list(Some(&prefix)).try_collect().await?;
    for object in objects {
        let path = &object.location;
        let is_staged = path.parts().any(|part| part.as_ref() == ".staging");
        let existing = to.store.head(path).await.ok();
        if is_staged || existing.is_some_and(|existing| is_kept(&existing, &object, replace)) {
            continue;
        }
        let bytes = from.store.get(path).await?.bytes().await?;
        to.store.put(path, bytes.into()).await?;
    }
    Ok(())
}

fn is_kept(existing: &ObjectMeta, source: &ObjectMeta, replace: Replace) -> bool {
    let is_current = existing.size == source.size && existing.last_modified >= source.last_modified;
    replace == Replace::Nothing || is_current
}
