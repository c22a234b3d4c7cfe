//! Makes an object of what was brought and checked, under its final key, never over another.

use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, path::Path};
use seedance_archiver_proto::v1::{ArchivedObject, VideoTask};
use sha2::{Digest, Sha256};

use super::{
    Archive, Error,
    checks::Checked,
    error::found,
    layout::Keys,
    transfer::{Body, Transferred},
    upload::Upload,
};
use crate::store_span::store_span;

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
                ..archive.put_options(new.format, Some(task))
            };
            let put = archive.store.put_opts(&key, bytes.into(), options);
            let put = store_span("store put", &key, put);
            put.await.map(drop).map_err(Error::from)
        }
        Body::Large(upload) if archive.completes_create_only => complete(archive, upload).await,
        Body::Large(upload) => copy(archive, upload, &key).await,
    };
    if let Err(error) = created {
        // An answer may have been lost on its way.
        if !error.is_taken() && !exists(archive, &key).await? {
            return Err(error);
        }
        is_same(archive, &key, &new).await?;
    }
    object(archive, &key, new).await
}

/// The upload is to the final key itself. There is a look at it before, because not every store that
/// speaks S3 knows a completion that is create-only.
async fn complete(archive: &Archive, mut upload: Upload) -> Result<(), Error> {
    let completed = match exists(archive, upload.key()).await? {
        true => Err(Error::taken(upload.key())),
        false => upload.complete().await.map(drop),
    };
    if matches!(&completed, Err(error) if error.is_taken()) {
        upload.abort().await;
    }
    completed
}

/// The upload is to a key of the attempt's own.
async fn copy(archive: &Archive, mut upload: Upload, key: &Path) -> Result<(), Error> {
    let staged = upload.key().clone();
    upload.complete().await?;
    let copied = archive.store.copy_if_not_exists(&staged, key);
    let copied = store_span("store copy", key, copied);
    let copied = copied.await.map_err(Error::from);
    let is_done = match &copied {
        Ok(()) => size_of(archive, key).await? == size_of(archive, &staged).await?,
        Err(error) => error.is_taken(),
    };
    // A staged object that stays does no harm; one that fails an archived video would.
    if is_done && let Err(error) = archive.store.delete(&staged).await {
        tracing::warn!(%error, %staged, "could not delete a staged object");
    }
    copied
}

async fn exists(archive: &Archive, key: &Path) -> Result<bool, Error> {
    Ok(size_of(archive, key).await?.is_some())
}

async fn size_of(archive: &Archive, key: &Path) -> Result<Option<u64>, Error> {
    let stored = found(archive.store.head(key).await)?;
    Ok(stored.map(|stored| stored.size))
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
    if stored.size != checked.size {
        let (is, was) = (stored.size, checked.size);
        return Err(Error::Upload(format!(
            "{key} has {is} bytes, and had {was}"
        )));
    }
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
