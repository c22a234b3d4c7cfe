//! The archival of one task: its record, its objects, and finally the receipt. It may be interrupted at any
//! point and run again: the archive contains either a complete result with a receipt, or no receipt.

use object_store::ObjectStoreExt;
use seedance_archiver_proto::{
    time::unix_seconds,
    v1::{ArchivedObject, Manifest, VideoTask},
};

use super::{
    Progress, TransferResources, UrlSource, context::AttemptContext, object_transfer::transfer,
    progress::ArchivedState, publish::publish,
};
use crate::{
    Archive, AttemptKeys, Error, ObjectKind,
    checks::{Expectation, Mismatch},
    erasure,
    error::optional,
    receipt::{self, StoredRecord},
};

/// Supplies the URLs and the record of a task.
pub trait TaskSource {
    /// The error of the source.
    type Error: From<Error>;

    /// Returns the URLs of an object.
    fn urls(&self, kind: ObjectKind) -> impl UrlSource<Error = Self::Error> + Send;

    /// Returns the record of the succeeded task as it is archived in `task.json`: JSON without signed URLs.
    fn record(&self) -> impl Future<Output = String> + Send;

    /// Decides whether the archival continues without an object whose transfer failed. If so, returns the
    /// warning for the receipt.
    ///
    /// # Errors
    ///
    /// Returns `error` if the archival must fail.
    fn skip(&self, kind: ObjectKind, error: Self::Error) -> Result<String, Self::Error>;
}

/// The archival of one task, by one attempt.
pub struct TaskArchival<'a> {
    /// The destination.
    pub archive: &'a Archive,
    /// The keys of the attempt.
    pub keys: AttemptKeys<'a>,
    /// The task.
    pub task: &'a VideoTask,
    /// What happens to a valid video that does not match the task's record.
    pub mismatch: Mismatch,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// HTTP client and part buffers.
    pub resources: &'a TransferResources,
    /// Progress, and the state from which the attempt resumes.
    pub progress: &'a Progress,
}

impl TaskArchival<'_> {
    /// Archives the task and returns the receipt. If the archive already has a receipt, returns that one and
    /// downloads nothing. If the task was erased, fails with [`Error::Erased`].
    ///
    /// `manifest` contains the fields that are known in advance. This function adds the task id, the objects, the warnings,
    /// the time, the source host and the number of bytes fetched again.
    ///
    /// The future may be dropped at any time. Another attempt can then resume from the progress.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`], or the error of the source.
    pub async fn run<S: TaskSource>(
        &self,
        source: &S,
        manifest: Manifest,
    ) -> Result<Manifest, S::Error> {
        let layout = self.keys.layout;
        self.check_not_erased().await?;
        if let Some(manifest) = receipt::find_of_task(self.archive, layout).await? {
            self.abort_upload().await;
            receipt::delete_outcome(self.archive, layout).await;
            return Ok(manifest);
        }
        let archival = TaskArchival {
            archive: &self.archive.proven().await?.for_task(self.task),
            keys: self.keys.clone(),
            ..*self
        };
        archival.archive(source, manifest).await
    }

    /// Archives the task in an archive whose store never replaces an object.
    async fn archive<S: TaskSource>(
        &self,
        source: &S,
        mut manifest: Manifest,
    ) -> Result<Manifest, S::Error> {
        // First, so that nothing is downloaded, and no upload is given up, while the store accepts no writes. An earlier
        // attempt may have written the record.
        if self.is_retry() {
            self.archive.check_writable().await.map_err(Error::from)?;
        }
        self.archive_record(source).await?;
        for kind in ObjectKind::for_task(self.task) {
            match self.archive_object(source, kind).await {
                Ok(archived) => {
                    if manifest.source_host.is_empty() {
                        manifest.source_host = archived.source_host;
                    }
                    manifest.bytes_fetched_again += archived.bytes_fetched_again as i64;
                    manifest.objects.push(archived.object);
                }
                Err(error) => {
                    let warning = source.skip(kind, error)?;
                    let name = kind.name();
                    manifest.warnings.push(format!("no {name}: {warning}"));
                }
            }
        }
        // Again, because an attempt of version 0.1.0 that timed out but is still running may have replaced the record.
        manifest.objects.push(self.archive_record(source).await?);
        manifest.warnings.extend(self.archive.tag_warnings());
        manifest.archived_at = unix_seconds(self.resources.clock.now());
        manifest.task_id.clone_from(&self.task.id);
        let layout = self.keys.layout;
        self.check_not_erased().await?;
        let manifest = receipt::write(self.archive, layout, manifest).await?;
        // Again: what an erasure did not see is deleted here.
        self.check_not_erased().await?;
        receipt::delete_outcome(self.archive, layout).await;
        Ok(manifest)
    }

    /// Fails if the task was erased, and deletes what attempts wrote of it.
    async fn check_not_erased(&self) -> Result<(), Error> {
        let (archive, layout) = (self.archive, self.keys.layout);
        let checked = receipt::check_not_erased(archive, layout).await;
        if matches!(checked, Err(Error::Erased { .. })) {
            self.abort_upload().await;
            erasure::complete(archive, layout).await?;
        }
        checked
    }

    /// Aborts the upload that the progress contains, if any. Call this if no other attempt follows.
    pub async fn abort_upload(&self) {
        self.context().abort_upload().await;
    }

    fn is_retry(&self) -> bool {
        self.attempt > 1
    }

    fn context(&self) -> AttemptContext<'_> {
        AttemptContext {
            archive: self.archive,
            keys: &self.keys,
            is_retry: self.is_retry(),
            resources: self.resources,
            progress: self.progress,
        }
    }

    /// Writes `task.json`, unless an earlier attempt wrote it. A record that was written before the task succeeded is
    /// replaced.
    async fn archive_record<S: TaskSource>(&self, source: &S) -> Result<ArchivedObject, S::Error> {
        let (archive, layout) = (self.archive, self.keys.layout);
        let outdated = match receipt::find_task(archive, layout).await? {
            StoredRecord::Current(record) => return Ok(record),
            StoredRecord::Outdated(version) => version,
        };
        let record = source.record().await;
        Ok(receipt::write_task(archive, layout, &record, outdated).await?)
    }

    /// Archives one object, unless an earlier attempt archived it.
    async fn archive_object<S: TaskSource>(
        &self,
        source: &S,
        kind: ObjectKind,
    ) -> Result<ArchivedState, S::Error> {
        if let Some(archived) = self.find_archived(kind).await? {
            return Ok(archived);
        }
        let rejected_md5 = self.progress.rejected_md5();
        let rejected_sha256 = self.progress.rejected_sha256();
        let expectation = Expectation {
            kind,
            task: self.task,
            mismatch: self.mismatch,
            rejected_md5: rejected_md5.as_deref(),
            rejected_sha256: rejected_sha256.as_deref(),
        };
        let archived = match self.transfer(source, expectation).await? {
            Some(archived) => archived,
            None => {
                tracing::info!("the upload no longer exists; restarting the transfer");
                self.abort_upload().await;
                let again = self.transfer(source, expectation).await?;
                again.ok_or_else(|| Error::Upload("the upload no longer exists".to_owned()))?
            }
        };
        self.progress.add_archived(archived.clone());
        Ok(archived)
    }

    /// Transfers and publishes an object. Returns `None` if its upload does not exist and cannot be completed.
    async fn transfer<S: TaskSource>(
        &self,
        source: &S,
        expectation: Expectation<'_>,
    ) -> Result<Option<ArchivedState>, S::Error> {
        let kind = expectation.kind;
        let unpublished = transfer(self.context(), source.urls(kind), expectation).await?;
        let source_host = unpublished.source_host.clone();
        let bytes_fetched_again = unpublished.bytes_fetched_again;
        match publish(self.archive, &self.keys, self.task, unpublished).await {
            Ok(object) => Ok(Some(ArchivedState {
                kind,
                source_host,
                bytes_fetched_again,
                object,
            })),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => {
                self.progress.count_failed_resumption();
                Err(error.into())
            }
        }
    }

    /// Returns the object that an earlier attempt archived, if it did not change since.
    async fn find_archived(&self, kind: ObjectKind) -> Result<Option<ArchivedState>, Error> {
        let Some(archived) = self.progress.archived(kind) else {
            return Ok(None);
        };
        let key = self.keys.layout.file(&archived.object.name);
        let Some(stored) = optional(self.archive.store.head(&key).await)? else {
            return Ok(None);
        };
        // Not every store has ETags.
        let is_unchanged = stored.e_tag.unwrap_or_default() == archived.object.etag
            && stored.size as i64 == archived.object.size_bytes;
        Ok(is_unchanged.then_some(archived))
    }
}
