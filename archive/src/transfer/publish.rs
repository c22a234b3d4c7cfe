//! Publishes a checked object under its final key, without replacing an existing object.

use object_store::{ObjectStoreExt, PutMode, PutOptions, path::Path};
use seedance_archiver_proto::v1::{ArchivedObject, VideoTask};

use super::unpublished::{Body, UnpublishedObject};
use crate::{
    Archive, AttemptKeys, Error,
    checks::CheckedObject,
    error::optional,
    store::{Upload, sha256_of, store_span},
};

/// Publishes an object and returns its receipt entry. If the key exists, because an attempt was interrupted
/// before it wrote the receipt, the existing object must have the same bytes.
pub(super) async fn publish(
    archive: &Archive,
    keys: &AttemptKeys<'_>,
    task: &VideoTask,
    unpublished: UnpublishedObject,
) -> Result<ArchivedObject, Error> {
    let checked = unpublished.checked;
    let key = keys.object_key(checked.format);
    let created = match unpublished.body {
        Body::Small(bytes) => {
            let options = PutOptions {
                mode: PutMode::Create,
                ..archive.put_options(checked.format, Some(task))
            };
            let put = archive.store.put_opts(&key, bytes, options);
            let put = store_span("store put", &key, put);
            put.await.map(drop).map_err(Error::from)
        }
        Body::Large(upload) if archive.has_conditional_complete => complete(archive, upload).await,
        Body::Large(upload) => complete_and_copy(archive, upload, &key, &checked).await,
    };
    if let Err(error) = created {
        // The operation may have succeeded even if its response was lost.
        if !error.is_already_exists() && !exists(archive, &key).await? {
            return Err(error);
        }
        check_same_bytes(archive, &key, &checked).await?;
    }
    receipt_entry(archive, &key, checked).await
}

/// Completes an upload to the final key. First checks whether the key exists, because some S3-compatible stores
/// ignore `If-None-Match` when they complete an upload.
async fn complete(archive: &Archive, mut upload: Upload) -> Result<(), Error> {
    let completed = match exists(archive, upload.key()).await? {
        true => Err(Error::already_exists(upload.key())),
        false => upload.complete().await.map(drop),
    };
    if matches!(&completed, Err(error) if error.is_already_exists()) {
        upload.abort().await;
    }
    completed
}

/// Completes an upload to a staging key and copies the object to its final key. Deletes the staged object once no attempt needs
/// it.
async fn complete_and_copy(
    archive: &Archive,
    upload: Upload,
    key: &Path,
    checked: &CheckedObject,
) -> Result<(), Error> {
    let staged = upload.key().clone();
    let copied = stage_and_copy(archive, upload, key, checked).await;
    let is_staged_object_obsolete = match &copied {
        Ok(is_copy_complete) => *is_copy_complete,
        Err(error) if error.is_already_exists() => true,
        // Its key has the id of this attempt, so no other attempt finds it. If the key exists, it may not have all bytes yet.
        Err(_) => {
            !archive.has_resumable_uploads() && matches!(exists(archive, key).await, Ok(false))
        }
    };
    // If the staged object cannot be deleted, only log the error: the object is harmless.
    if is_staged_object_obsolete && let Err(error) = optional(archive.store.delete(&staged).await) {
        tracing::warn!(%error, %staged, "cannot delete the staged object");
    }
    copied.map(drop)
}

/// Completes an upload to a staging key and copies the object to its final key. Returns whether the copy has the size of the
/// staged object.
async fn stage_and_copy(
    archive: &Archive,
    mut upload: Upload,
    key: &Path,
    checked: &CheckedObject,
) -> Result<bool, Error> {
    let staged = upload.key().clone();
    let completed = match upload.complete().await {
        // Another attempt completed the upload, or the staged object is not found either.
        Err(error) if error.is_not_found() => None,
        completed => completed?.e_tag,
    };
    let version = check_staged(archive, &staged, completed, checked).await?;
    let copy = archive.store.copy_if_not_exists(&staged, key);
    store_span("store copy", key, copy).await?;
    let stored = optional(archive.store.head(&staged).await)?;
    let staged_version = stored.as_ref().and_then(|it| it.e_tag.clone());
    // Another attempt may have replaced the staged object before it was copied. Without an ETag, nothing shows it.
    if version.is_none() || staged_version != version {
        check_same_bytes(archive, key, checked).await?;
    }
    Ok(size_of(archive, key).await? == stored.map(|it| it.size))
}

/// Checks that a staged object has the bytes that were checked. An attempt that resumes an upload stages the object under the
/// same key as the one before, which may still run, and may have received other bytes.
///
/// The ETag of the completed upload shows it. Without, the object is read. Returns the ETag of the staged object.
async fn check_staged(
    archive: &Archive,
    staged: &Path,
    completed: Option<String>,
    checked: &CheckedObject,
) -> Result<Option<String>, Error> {
    let stored = archive.store.head(staged).await?;
    if completed.is_some() && stored.e_tag == completed {
        return Ok(completed);
    }
    let found = sha256_of(archive.store.as_ref(), staged).await?;
    if found == checked.sha256 {
        return Ok(stored.e_tag);
    }
    archive.store.delete(staged).await?;
    Err(Error::Upload(format!(
        "another attempt staged other bytes at `{staged}`, with SHA-256 {found}"
    )))
}

async fn exists(archive: &Archive, key: &Path) -> Result<bool, Error> {
    Ok(size_of(archive, key).await?.is_some())
}

async fn size_of(archive: &Archive, key: &Path) -> Result<Option<u64>, Error> {
    let stored = optional(archive.store.head(key).await)?;
    Ok(stored.map(|stored| stored.size))
}

async fn check_same_bytes(archive: &Archive, key: &Path, new: &CheckedObject) -> Result<(), Error> {
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

/// Returns the receipt entry for a published object.
async fn receipt_entry(
    archive: &Archive,
    key: &Path,
    checked: CheckedObject,
) -> Result<ArchivedObject, Error> {
    let stored = archive.store.head(key).await?;
    if stored.size != checked.size {
        let (stored, uploaded) = (stored.size, checked.size);
        return Err(Error::Upload(format!(
            "`{key}` has {stored} bytes, but {uploaded} were uploaded"
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
        has_c2pa_manifest: checked.has_c2pa_manifest,
    })
}
