//! Creates objects that exist, in each way in which a transfer creates objects: the store must refuse.

use object_store::{ObjectStoreExt, PutMode, PutOptions, path::Path};

use super::{
    ProbeError,
    error::{is_exists, is_unsupported, store_error_of},
    test_objects::{RECORD, TEST_BYTES, TestObjects},
};
use crate::{Archive, permits::Urgency, store::Upload};

/// How objects of more than a part are created without replacing others.
#[derive(Debug)]
pub(super) enum LargeObjects {
    /// As the archive is configured.
    AsConfigured,
    /// By a fallback of the archive, because of a problem.
    Fallback { index: usize, reason: ProbeError },
}

/// Creates an object by a put, twice. Returns its key.
pub(super) async fn put(archive: &Archive, test: &TestObjects<'_>) -> Result<Path, ProbeError> {
    use object_store::Error::PermissionDenied;
    let key = test.key("created");
    test.start("PutObject with `If-None-Match: *`");
    match put_record(archive, &key).await {
        Ok(()) => {}
        Err(error) if is_unsupported(&error) => return Err(ProbeError::ConditionalPut(error)),
        Err(error @ PermissionDenied { .. }) if archive.has_tags() => {
            let plain = put_record(&archive.without_tags(), &key).await;
            return Err(match plain {
                Ok(()) => ProbeError::Tags(error),
                Err(_) => ProbeError::Write(error),
            });
        }
        Err(error) => return Err(ProbeError::Write(error)),
    }
    match put_record(archive, &key).await {
        Err(error) if is_exists(&error) => Ok(key),
        Err(error) => Err(ProbeError::ConditionalPut(error)),
        Ok(()) => Err(ProbeError::Overwrites),
    }
}

/// Creates a large object, twice. If the way in which the archive is configured is not safe, tries its fallbacks.
pub(super) async fn large_objects(
    archive: &Archive,
    test: &TestObjects<'_>,
) -> Result<LargeObjects, ProbeError> {
    if !archive.has_conditional_complete {
        copy_twice(archive, test, "").await?;
        return Ok(LargeObjects::AsConfigured);
    }
    let reason = match complete_twice(archive, test).await {
        Ok(()) => return Ok(LargeObjects::AsConfigured),
        Err(error) if error.is_unsafe_store() => error,
        Err(error) => return Err(error),
    };
    let mut copy = None;
    for (index, fallback) in archive.fallbacks().enumerate() {
        match copy_twice(&fallback, test, &index.to_string()).await {
            Ok(()) => return Ok(LargeObjects::Fallback { index, reason }),
            Err(error) => copy = Some(error),
        }
    }
    Err(match copy {
        Some(copy) => ProbeError::NoCreateOnlyUpload {
            complete: Box::new(reason),
            copy: Box::new(copy),
        },
        None => reason,
    })
}

/// Starts an upload and aborts it.
pub(super) async fn abort(archive: &Archive, test: &TestObjects<'_>) -> Result<(), ProbeError> {
    let upload = upload(archive, test, test.unused_key("aborted")).await?;
    test.start("AbortMultipartUpload");
    let saved = upload.save(0);
    let aborted = upload.try_abort().await;
    test.forget_upload(saved);
    aborted.map_err(|error| ProbeError::AbortUpload(store_error_of(error)))
}

async fn put_record(archive: &Archive, key: &Path) -> object_store::Result<()> {
    let options = PutOptions {
        mode: PutMode::Create,
        ..archive.put_options(RECORD, None)
    };
    let put = archive.store.put_opts(key, TEST_BYTES.into(), options);
    put.await.map(drop)
}

/// Completes two uploads to the same key.
async fn complete_twice(archive: &Archive, test: &TestObjects<'_>) -> Result<(), ProbeError> {
    let key = test.key("completed");
    for is_first in [true, false] {
        let mut upload = upload(archive, test, key.clone()).await?;
        test.start("CompleteMultipartUpload with `If-None-Match: *`");
        let completed = upload.complete().await.map_err(store_error_of);
        match completed {
            Ok(_) if is_first => test.forget_upload(upload.save(0)),
            Ok(_) => return Err(ProbeError::CompleteOverwrites),
            Err(error) if is_exists(&error) && !is_first => {}
            Err(error) if is_unsupported(&error) || is_exists(&error) => {
                return Err(ProbeError::ConditionalComplete(error));
            }
            Err(error) => return Err(ProbeError::CompleteUpload(error)),
        }
    }
    Ok(())
}

/// Copies an uploaded object twice to the same key. `suffix` distinguishes the keys of several calls.
async fn copy_twice(
    archive: &Archive,
    test: &TestObjects<'_>,
    suffix: &str,
) -> Result<(), ProbeError> {
    let staged = test.key(&format!("staged{suffix}"));
    let mut upload = upload(archive, test, staged.clone()).await?;
    test.start("CompleteMultipartUpload");
    let completed = upload.complete().await;
    completed.map_err(|error| ProbeError::CompleteUpload(store_error_of(error)))?;
    test.forget_upload(upload.save(0));
    let key = test.published_key(&format!("copied{suffix}"));
    test.start("CopyObject");
    let copy = || archive.store.copy_if_not_exists(&staged, &key);
    copy().await.map_err(ProbeError::Copy)?;
    match copy().await {
        Err(error) if is_exists(&error) => Ok(()),
        Err(error) => Err(ProbeError::Copy(error)),
        Ok(()) => Err(ProbeError::CopyOverwrites),
    }
}

/// Starts an upload as a transfer does, and uploads its only part.
async fn upload(
    archive: &Archive,
    test: &TestObjects<'_>,
    key: Path,
) -> Result<Upload, ProbeError> {
    test.start("CreateMultipartUpload");
    let mut upload = match start(archive, key.clone()).await {
        Ok(upload) => upload,
        Err(source) => {
            let Some(class) = archive.storage_class() else {
                return Err(ProbeError::StartUpload(source));
            };
            return Err(match start(&archive.without_storage_class(), key).await {
                Ok(upload) => {
                    test.add_upload(&upload);
                    let class = class.to_owned();
                    ProbeError::StorageClass { class, source }
                }
                Err(_) => ProbeError::StartUpload(source),
            });
        }
    };
    test.add_upload(&upload);
    test.start("UploadPart");
    let sent = async {
        upload.send(TEST_BYTES.into(), Urgency::MOST)?;
        upload.flush().await
    };
    let sent = sent.await;
    sent.map_err(|error| ProbeError::UploadPart(store_error_of(error)))?;
    Ok(upload)
}

async fn start(archive: &Archive, key: Path) -> object_store::Result<Upload> {
    let options = archive.upload_options(RECORD, &TestObjects::task());
    Upload::start(archive, key, options)
        .await
        .map_err(store_error_of)
}
