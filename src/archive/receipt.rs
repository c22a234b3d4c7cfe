//! The receipt, `manifest.json`: written last and create-only. Its presence is the commit. And the
//! record of every other ending, `outcome.json`.

use object_store::{ObjectStoreExt, PutMode, path::Path};
use seedance_archiver_proto::{
    names,
    v1::{ArchivedObject, Manifest, OutcomeRecord},
};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Archive, Error, Layout};

/// The receipt under this key, if there is one.
pub async fn find(archive: &Archive, key: &Path) -> Result<Option<Manifest>, Error> {
    let object = match archive.store.get(key).await {
        Ok(object) => object,
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let json = object.bytes().await?;
    serde_json::from_slice(&json)
        .map(Some)
        .map_err(|error| Error::Corrupt(format!("{key} is not a receipt: {error}")))
}

/// Writes the receipt, unless another attempt has: then that one counts.
pub async fn write(archive: &Archive, key: &Path, manifest: Manifest) -> Result<Manifest, Error> {
    match put(archive, key, &manifest, PutMode::Create).await {
        Ok(()) => Ok(manifest),
        Err(Error::Store(object_store::Error::AlreadyExists { .. })) => {
            Ok(find(archive, key).await?.unwrap_or(manifest))
        }
        Err(error) => Err(error),
    }
}

/// Writes the record of a task whose video is archived, unless there is one.
pub async fn write_task(
    archive: &Archive,
    layout: &Layout,
    task: &Value,
) -> Result<ArchivedObject, Error> {
    let key = layout.task();
    match put(archive, &key, task, PutMode::Create).await {
        Ok(()) | Err(Error::Store(object_store::Error::AlreadyExists { .. })) => {}
        Err(error) => return Err(error),
    }
    let stored = archive.store.get(&key).await?;
    let meta = stored.meta.clone();
    let bytes = stored.bytes().await?;
    Ok(ArchivedObject {
        name: names::TASK.to_owned(),
        url: archive.url_of(&key),
        size_bytes: bytes.len() as i64,
        sha256: hex::encode(Sha256::digest(&bytes)),
        content_type: "application/json".to_owned(),
        etag: meta.e_tag.unwrap_or_default(),
        version: meta.version.unwrap_or_default(),
        checks: Vec::new(),
    })
}

/// Writes how a task ended without a video: its last record, then the outcome. Neither is the last
/// word: a later one replaces them, and a receipt makes them void.
pub async fn write_outcome(
    archive: &Archive,
    layout: &Layout,
    task: &Value,
    outcome: &OutcomeRecord,
) -> Result<(), Error> {
    if find(archive, &layout.manifest()).await?.is_some() {
        return Ok(());
    }
    put(archive, &layout.task(), task, PutMode::Overwrite).await?;
    put(archive, &layout.outcome(), outcome, PutMode::Overwrite).await
}

/// Deletes what an earlier lifecycle has recorded of a task that has a receipt now.
pub async fn forget_outcome(archive: &Archive, layout: &Layout) {
    match archive.store.delete(&layout.outcome()).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
        Err(error) => tracing::warn!(%error, "could not delete an outcome that is void"),
    }
}

async fn put(
    archive: &Archive,
    key: &Path,
    value: &impl Serialize,
    mode: PutMode,
) -> Result<(), Error> {
    let mut json = serde_json::to_vec_pretty(value)
        .map_err(|error| Error::Corrupt(format!("{key} cannot be written: {error}")))?;
    json.push(b'\n');
    archive
        .store
        .put_opts(key, json.into(), mode.into())
        .await?;
    Ok(())
}
