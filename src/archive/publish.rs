//! Makes an object of what was brought and checked, under its final key, never over another.

use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, path::Path};
use seedance_archiver_proto::v1::{ArchivedObject, VideoTask};
use sha2::{Digest, Sha256};

use super::{
    Archive, Error,
    checks::Checked,
    layout::Keys,
    transfer::{Body, Transferred},
    upload::Upload,
};

/// Publishes an object. Where there is one, left by an attempt that died before its receipt, it must
/// hold the same bytes.
pub(super) async fn publish(
    archive: &Archive,
    keys: &Keys<'_>,
    task: &VideoTask,
    transferred: Transferred,
) -> Result<ArchivedObject, Error> {
    let new = transferred.checked;
    let key = keys.object(new.format);
    let created = match transferred.body {
        Body::Small(bytes) => {
            let options = PutOptions {
                mode: PutMode::Create,
                ..archive.put_options(new.format, task)
            };
            let put = archive.store.put_opts(&key, bytes.into(), options).await;
            put.map(drop).map_err(Error::from)
        }
        Body::Large(upload) if archive.completes_create_only => complete(upload).await,
        Body::Large(upload) => copy(archive, upload, &key).await,
    };
    match created {
        Err(error) if error.is_taken() => is_same(archive, &key, &new).await?,
        created => created?,
    }
    object(archive, &key, new).await
}

/// The upload is to the final key itself.
async fn complete(mut upload: Upload) -> Result<(), Error> {
    match upload.complete().await {
        Ok(_) => Ok(()),
        Err(error) => {
            upload.abort().await;
            Err(error)
        }
    }
}

/// The upload is to a key of the attempt's own.
async fn copy(archive: &Archive, mut upload: Upload, key: &Path) -> Result<(), Error> {
    let staged = upload.key().clone();
    if let Err(error) = upload.complete().await {
        upload.abort().await;
        return Err(error);
    }
    let copied = archive.store.copy_if_not_exists(&staged, key).await;
    // A staged object that stays does no harm; one that fails an archived video would.
    if let Err(error) = archive.store.delete(&staged).await {
        tracing::warn!(%error, %staged, "could not delete a staged object");
    }
    Ok(copied?)
}

async fn is_same(archive: &Archive, key: &Path, new: &Checked) -> Result<(), Error> {
    let archived = sha256_of(archive.store.as_ref(), key).await?;
    if archived == new.sha256 {
        return Ok(());
    }
    Err(Error::Conflict {
        name: key.filename().unwrap_or_default().to_owned(),
        archived,
        new: new.sha256.clone(),
    })
}

/// The object as the receipt names it.
async fn object(archive: &Archive, key: &Path, checked: Checked) -> Result<ArchivedObject, Error> {
    let stored = archive.store.head(key).await?;
    Ok(ArchivedObject {
        name: key.filename().unwrap_or_default().to_owned(),
        url: archive.url_of(key),
        size_bytes: checked.size as i64,
        sha256: checked.sha256,
        content_type: checked.format.content_type.to_owned(),
        etag: stored.e_tag.unwrap_or_default(),
        version: stored.version.unwrap_or_default(),
        checks: checked.checks,
    })
}

/// SHA-256 of a stored object, lower-case hex.
pub(super) async fn sha256_of(store: &dyn ObjectStore, key: &Path) -> Result<String, Error> {
    let mut digest = Sha256::new();
    let mut bytes = store.get(key).await?.into_stream();
    while let Some(chunk) = bytes.try_next().await? {
        digest.update(&chunk);
    }
    Ok(hex::encode(digest.finalize()))
}
