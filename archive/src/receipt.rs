//! The receipt, `manifest.json`: written last and create-only. Its presence is the commit. And the
//! record of every other ending, `outcome.json`.

use object_store::{ObjectStoreExt, PutMode, PutOptions, PutResult, UpdateVersion, path::Path};
use seedance_archiver_proto::{
    names,
    v1::{ArchivedObject, Manifest, OutcomeRecord},
};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Archive, Error, Format, Layout, error::found};
use crate::store_span::store_span;

/// How the records are stored.
const JSON: Format = Format {
    name: "",
    content_type: "application/json",
};

/// Key of a file beside a receipt: an archive that was moved as a whole can be read too.
pub fn beside(receipt: &Path, name: &str) -> Path {
    let mut folder: Vec<_> = receipt.parts().collect();
    folder.pop();
    Path::from_iter(folder).join(name)
}

/// The receipt under this key, if there is one.
pub async fn find(archive: &Archive, key: &Path) -> Result<Option<Manifest>, Error> {
    // That there is none is no error.
    let get = async { found(archive.store.get(key).await) };
    let Some(object) = store_span("store get", key, get).await? else {
        return Ok(None);
    };
    let json = object.bytes().await?;
    serde_json::from_slice(&json)
        .map(Some)
        .map_err(|error| Error::Corrupt(format!("{key} is not a receipt: {error}")))
}

/// Whether there is one, for the price of no body.
pub async fn exists(archive: &Archive, layout: &Layout) -> Result<bool, Error> {
    Ok(found(archive.store.head(&layout.manifest()).await)?.is_some())
}

/// Writes the receipt, unless another attempt has: then that one counts.
pub async fn write(archive: &Archive, key: &Path, manifest: Manifest) -> Result<Manifest, Error> {
    let json = document(key, &manifest)?;
    match put(archive, key, json, PutMode::Create).await {
        Ok(_) => Ok(manifest),
        Err(error) if error.is_taken() => find(archive, key).await?.ok_or(error),
        Err(error) => Err(error),
    }
}

/// The record of a task that is in the archive.
pub async fn find_task(
    archive: &Archive,
    layout: &Layout,
) -> Result<Option<ArchivedObject>, Error> {
    let key = layout.task();
    let Some(stored) = found(archive.store.get(&key).await)? else {
        return Ok(None);
    };
    let version = UpdateVersion {
        e_tag: stored.meta.e_tag.clone(),
        version: stored.meta.version.clone(),
    };
    let json = stored.bytes().await?;
    Ok(Some(task_object(archive, &key, &json, version)))
}

/// Writes the record of a task whose video is to be archived, in place of a stale one. Where another
/// attempt has done so, that one counts.
pub async fn write_task(
    archive: &Archive,
    layout: &Layout,
    task: &Value,
    stale: Option<ArchivedObject>,
) -> Result<ArchivedObject, Error> {
    let key = layout.task();
    let json = document(&key, task)?;
    let mode = stale.map_or(PutMode::Create, |stale| PutMode::Update(version_of(stale)));
    let mut written = put(archive, &key, json.clone(), mode).await;
    if matches!(&written, Err(error) if error.is_not_supported()) {
        // A local archive knows no versions.
        written = put(archive, &key, json.clone(), PutMode::Overwrite).await;
    }
    match written {
        Ok(version) => Ok(task_object(archive, &key, &json, version.into())),
        Err(error) if error.is_taken() => find_task(archive, layout).await?.ok_or(error),
        Err(error) => Err(error),
    }
}

fn version_of(object: ArchivedObject) -> UpdateVersion {
    let known = |text: String| Some(text).filter(|text| !text.is_empty());
    UpdateVersion {
        e_tag: known(object.etag),
        version: known(object.version),
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

/// Writes how a task ended without a video: the outcome, then its last record. Neither is the last
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
    // The outcome first: with it, a later deposit knows that the record is out of date.
    for (key, json) in [
        (layout.outcome(), document(&layout.outcome(), outcome)?),
        (layout.task(), document(&layout.task(), task)?),
    ] {
        put(archive, &key, json, PutMode::Overwrite).await?;
    }
    Ok(())
}

/// Whether an earlier lifecycle has recorded another ending.
pub async fn has_outcome(archive: &Archive, layout: &Layout) -> Result<bool, Error> {
    Ok(found(archive.store.head(&layout.outcome()).await)?.is_some())
}

/// Deletes what an earlier lifecycle has recorded of a task that is being archived now.
pub async fn forget_outcome(archive: &Archive, layout: &Layout) -> Result<(), Error> {
    found(archive.store.delete(&layout.outcome()).await).map(drop)
}

fn document(key: &Path, value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut json = serde_json::to_vec_pretty(value)
        .map_err(|error| Error::Corrupt(format!("{key} cannot be written: {error}")))?;
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
