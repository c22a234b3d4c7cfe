//! Reads and writes JSON objects by their versions.

use bytes::Bytes;
use object_store::{
    GetResult, ObjectMeta, ObjectStoreExt, PutMode, PutOptions, PutResult, UpdateVersion,
    path::Path,
};
use serde::Serialize;

use crate::{Archive, Error, Format, error::optional, store::store_span};

pub(crate) const FORMAT: Format = Format {
    name: "",
    content_type: "application/json",
};

/// Maximum size of a record, in bytes. The archiver writes none that is nearly as large, but others can write to the bucket.
pub(crate) const MAX_RECORD: u64 = 64 * 1024 * 1024;

/// A JSON object in the store.
pub(crate) struct Stored {
    /// The bytes of the object. Empty if it is too large to be read.
    pub(crate) json: Bytes,
    /// Size of the object.
    pub(crate) size: u64,
    pub(crate) version: UpdateVersion,
}

impl Stored {
    /// Returns whether the object was too large to be read.
    pub(super) fn is_too_large(&self) -> bool {
        self.json.len() as u64 != self.size
    }
}

/// Reads an object of `max` bytes at most. Returns `None` if it does not exist.
pub(crate) async fn read(archive: &Archive, key: &Path, max: u64) -> Result<Option<Stored>, Error> {
    // Inside the span, so that a missing object does not mark the span as failed.
    let get = async { optional(archive.store.get(key).await) };
    let Some(object): Option<GetResult> = store_span("store get", key, get).await? else {
        return Ok(None);
    };
    let (size, version) = (object.meta.size, version_of(&object.meta));
    let json = match size <= max {
        true => object.bytes().await?,
        false => Bytes::new(),
    };
    Ok(Some(Stored {
        json,
        size,
        version,
    }))
}

/// Creates an object, or replaces this version of it. If another writer was faster, fails with an error for which
/// [`is_already_exists`](Error::is_already_exists) returns `true`.
pub(crate) async fn put(
    archive: &Archive,
    key: &Path,
    json: Vec<u8>,
    replaced: Option<UpdateVersion>,
) -> Result<PutResult, Error> {
    let Some(version) = replaced else {
        return put_as(archive, key, json, PutMode::Create).await;
    };
    let mode = PutMode::Update(version.clone());
    match put_as(archive, key, json.clone(), mode).await {
        Err(error) if error.is_not_supported() => {
            let stored = optional(archive.store.head(key).await)?;
            if stored.is_some_and(|stored| version_of(&stored) != version) {
                return Err(Error::already_exists(key));
            }
            put_as(archive, key, json, PutMode::Overwrite).await
        }
        // The object was deleted.
        Err(error) if error.is_not_found() => Err(Error::already_exists(key)),
        put => put,
    }
}

pub(crate) fn to_json(key: &Path, value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut json = serde_json::to_vec_pretty(value)
        .map_err(|error| Error::InvalidRecord(format!("cannot serialize {key}: {error}")))?;
    json.push(b'\n');
    Ok(json)
}

async fn put_as(
    archive: &Archive,
    key: &Path,
    json: Vec<u8>,
    mode: PutMode,
) -> Result<PutResult, Error> {
    let options = PutOptions {
        mode,
        ..archive.put_options(FORMAT, None)
    };
    let put = archive.store.put_opts(key, json.into(), options);
    Ok(store_span("store put", key, put).await?)
}

fn version_of(meta: &ObjectMeta) -> UpdateVersion {
    UpdateVersion {
        e_tag: meta.e_tag.clone(),
        version: meta.version.clone(),
    }
}
