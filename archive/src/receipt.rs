//! The JSON records of a task in the archive.
//!
//! - `manifest.json`, the receipt: written last and create-only. It commits the archival.
//! - `task.json`: the record of the task.
//! - `outcome.json`: the record of an outcome without a video.

use object_store::{ObjectStoreExt, PutMode, PutOptions, PutResult, UpdateVersion, path::Path};
use seedance_archiver_proto::{
    external, names,
    v1::{ArchivedObject, Manifest, OutcomeRecord},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{Archive, Error, Format, Layout, error::optional, store::store_span};

/// Maximum size of a receipt, in bytes. It is the result of an activity, whose size Temporal limits.
const MAX_RECEIPT: u64 = 1024 * 1024;

const JSON: Format = Format {
    name: "",
    content_type: "application/json",
};

/// Returns the key of a file in the directory of a receipt. Unlike the URLs in the receipt, it stays correct if
/// the archive is moved.
pub fn beside(receipt: &Path, name: &str) -> Path {
    let mut directory: Vec<_> = receipt.parts().collect();
    directory.pop();
    Path::from_iter(directory).join(name)
}

/// Reads the receipt at a key. Returns `None` if it does not exist.
///
/// # Errors
///
/// Returns [`Error::InvalidRecord`] if the object is not a receipt, and another error if the store fails.
pub async fn find(archive: &Archive, key: &Path) -> Result<Option<Manifest>, Error> {
    // Inside the span, so that a missing receipt does not mark the span as failed.
    let get = async { optional(archive.store.get(key).await) };
    let Some(object) = store_span("store get", key, get).await? else {
        return Ok(None);
    };
    let invalid =
        |problem: &str| Error::InvalidRecord(format!("{key} is not a receipt: {problem}"));
    if object.meta.size > MAX_RECEIPT {
        return Err(invalid(&format!("it has {} bytes", object.meta.size)));
    }
    let json = object.bytes().await?;
    serde_json::from_slice(&json)
        .map(Some)
        .map_err(|error| invalid(&external::quote(&error.to_string())))
}

/// Returns whether a task has a receipt, without reading it.
///
/// # Errors
///
/// Returns an error if the store fails.
pub async fn exists(archive: &Archive, layout: &Layout) -> Result<bool, Error> {
    Ok(optional(archive.store.head(&layout.manifest()).await)?.is_some())
}

/// Writes a receipt and returns it. If another attempt already wrote a receipt, returns that one instead.
///
/// # Errors
///
/// Returns an error if the store fails.
pub async fn write(archive: &Archive, key: &Path, manifest: Manifest) -> Result<Manifest, Error> {
    let json = to_json(key, &manifest)?;
    match put(archive, key, json, PutMode::Create).await {
        Ok(_) => Ok(manifest),
        Err(error) if error.is_already_exists() => find(archive, key).await?.ok_or(error),
        Err(error) => Err(error),
    }
}

/// Returns the receipt entry for `task.json`, or `None` if the file does not exist.
///
/// # Errors
///
/// Returns an error if the store fails.
pub async fn find_task(
    archive: &Archive,
    layout: &Layout,
) -> Result<Option<ArchivedObject>, Error> {
    let key = layout.task();
    let Some(stored) = optional(archive.store.get(&key).await)? else {
        return Ok(None);
    };
    let version = UpdateVersion {
        e_tag: stored.meta.e_tag.clone(),
        version: stored.meta.version.clone(),
    };
    let json = stored.bytes().await?;
    Ok(Some(task_object(archive, &key, &json, version)))
}

/// Writes `task.json` and returns its receipt entry. Replaces the version `stale`, but no other one. If another
/// attempt wrote the file first, returns the entry for that file.
///
/// # Errors
///
/// Returns an error if the store fails.
pub async fn write_task(
    archive: &Archive,
    layout: &Layout,
    task: &str,
    stale: Option<ArchivedObject>,
) -> Result<ArchivedObject, Error> {
    let key = layout.task();
    let json = task.as_bytes().to_vec();
    let mode = stale.map_or(PutMode::Create, |stale| PutMode::Update(version_of(stale)));
    let mut written = put(archive, &key, json.clone(), mode).await;
    if matches!(&written, Err(error) if error.is_not_supported()) {
        // A local file system does not support conditional updates.
        written = put(archive, &key, json.clone(), PutMode::Overwrite).await;
    }
    match written {
        Ok(version) => Ok(task_object(archive, &key, &json, version.into())),
        Err(error) if error.is_already_exists() => find_task(archive, layout).await?.ok_or(error),
        Err(error) => Err(error),
    }
}

fn version_of(object: ArchivedObject) -> UpdateVersion {
    let non_empty = |text: String| Some(text).filter(|text| !text.is_empty());
    UpdateVersion {
        e_tag: non_empty(object.etag),
        version: non_empty(object.version),
    }
}

fn task_object(
    archive: &Archive,
    key: &Path,
    json: &[u8],
    version: UpdateVersion,
) -> ArchivedObject {
    ArchivedObject {
        name: names::TASK.to_owned(),
        url: archive.url_of(key),
        size_bytes: json.len() as i64,
        sha256: hex::encode(Sha256::digest(json)),
        content_type: JSON.content_type.to_owned(),
        etag: version.e_tag.unwrap_or_default(),
        version: version.version.unwrap_or_default(),
        checks: Vec::new(),
    }
}

/// Records that a task ended without a video: writes `outcome.json`, then `task.json`. Does nothing if the task
/// has a receipt. A later outcome replaces both files.
///
/// # Errors
///
/// Returns an error if the store fails.
pub async fn write_outcome(
    archive: &Archive,
    layout: &Layout,
    task: &str,
    outcome: &OutcomeRecord,
) -> Result<(), Error> {
    if find(archive, &layout.manifest()).await?.is_some() {
        return Ok(());
    }
    // The outcome first: it shows a later archival that `task.json` is stale.
    for (key, json) in [
        (layout.outcome(), to_json(&layout.outcome(), outcome)?),
        (layout.task(), task.as_bytes().to_vec()),
    ] {
        put(archive, &key, json, PutMode::Overwrite).await?;
    }
    Ok(())
}

/// Returns whether a task has an `outcome.json`.
///
/// # Errors
///
/// Returns an error if the store fails.
pub async fn has_outcome(archive: &Archive, layout: &Layout) -> Result<bool, Error> {
    Ok(optional(archive.store.head(&layout.outcome()).await)?.is_some())
}

/// Deletes the `outcome.json` of a task, because the task is now being archived.
///
/// # Errors
///
/// Returns an error if the store fails.
pub async fn delete_outcome(archive: &Archive, layout: &Layout) -> Result<(), Error> {
    optional(archive.store.delete(&layout.outcome()).await).map(drop)
}

fn to_json(key: &Path, value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut json = serde_json::to_vec_pretty(value)
        .map_err(|error| Error::InvalidRecord(format!("cannot serialize {key}: {error}")))?;
    json.push(b'\n');
    Ok(json)
}

async fn put(
    archive: &Archive,
    key: &Path,
    json: Vec<u8>,
    mode: PutMode,
) -> Result<PutResult, Error> {
    let options = PutOptions {
        mode,
        ..archive.put_options(JSON, None)
    };
    let put = archive.store.put_opts(key, json.into(), options);
    Ok(store_span("store put", key, put).await?)
}
