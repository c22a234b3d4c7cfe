//! The receipt, `manifest.json`: written last and create-only. Its presence is the commit.

use object_store::{ObjectStoreExt, PutMode, path::Path};
use seedance_archiver_proto::v1::Manifest;

use super::{Archive, Error};

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
    let mut json = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| Error::Corrupt(format!("{key} cannot be written: {error}")))?;
    json.push(b'\n');
    match archive
        .store
        .put_opts(key, json.into(), PutMode::Create.into())
        .await
    {
        Ok(_) => Ok(manifest),
        Err(object_store::Error::AlreadyExists { .. }) => {
            Ok(find(archive, key).await?.unwrap_or(manifest))
        }
        Err(error) => Err(error.into()),
    }
}
