//! One task into the archive: its record, what it made, and last the receipt. It can die anywhere and be
//! run again: the archive then holds one good deposit, or nothing that looks like one.

use jiff::Timestamp;
use object_store::ObjectStoreExt;
use seedance_archiver_proto::v1::{ArchivedObject, Manifest, VideoTask};
use serde_json::Value;

use super::{
    Archive, Error, Kind,
    checks::{Mismatch, Wanted},
    error::found,
    layout::Keys,
    progress::{Archived, Progress},
    publish::publish,
    receipt,
    source::Urls,
    transfer::{Transfers, transfer},
    upload::Upload,
};

/// Where a task's things come from.
pub trait Origin {
    /// What can go wrong.
    type Error: From<Error>;

    /// URLs of one of them.
    fn urls(&self, kind: Kind) -> impl Urls<Error = Self::Error> + Send;

    /// The task's record, as it is kept.
    fn record(&self) -> impl Future<Output = Value> + Send;

    /// Whether the deposit goes without this, and why. The error comes back where it does not.
    fn goes_without(&self, kind: Kind, error: Self::Error) -> Result<String, Self::Error>;
}

/// A deposit to be made.
pub struct Deposit<'a> {
    /// Where to.
    pub archive: &'a Archive,
    /// Its keys.
    pub keys: Keys<'a>,
    /// Whose it is.
    pub task: &'a VideoTask,
    /// What becomes of a video that its record does not describe.
    pub mismatch: Mismatch,
    /// Number of this attempt, from 1.
    pub attempt: u32,
    /// Client and memory.
    pub transfers: &'a Transfers,
    /// How far it is.
    pub progress: &'a Progress,
}

impl Deposit<'_> {
    /// Makes it. `manifest` is the receipt as far as it is known beforehand.
    pub async fn make<O: Origin>(
        &self,
        origin: &O,
        manifest: Manifest,
    ) -> Result<Manifest, O::Error> {
        let receipt = self.keys.layout.manifest();
        if let Some(manifest) = receipt::find(self.archive, &receipt).await? {
            self.abandon().await;
            return Ok(manifest);
        }
        let mut manifest = manifest;
        // First, because a store that takes no record takes no video: that must not cost a download.
        self.record(origin).await?;
        for kind in Kind::of(self.task) {
            match self.object(origin, kind).await {
                Ok(archived) => {
                    if manifest.source_host.is_empty() {
                        manifest.source_host = archived.source_host;
                    }
                    manifest.bytes_fetched_again += archived.fetched_again as i64;
                    manifest.objects.push(archived.object);
                }
                Err(error) => {
                    let why = origin.goes_without(kind, error)?;
                    manifest.warnings.push(format!("no {}: {why}", kind.word()));
                }
            }
        }
        // What is there now: an attempt that was believed dead may have replaced it.
        manifest.objects.push(self.record(origin).await?);
        manifest.archived_at = Timestamp::now().as_second();
        let manifest = receipt::write(self.archive, &receipt, manifest).await?;
        Ok(manifest)
    }

    /// Aborts an upload with which nobody is to go on.
    pub async fn abandon(&self) {
        let orphan = self.progress.take_upload();
        if let Some(upload) = orphan.and_then(|it| Upload::resume(self.archive, &it)) {
            upload.abort().await;
        }
    }

    /// The record, which an earlier attempt may have written. One that an earlier lifecycle has left,
    /// with its outcome, is out of date.
    async fn record<O: Origin>(&self, origin: &O) -> Result<ArchivedObject, O::Error> {
        let (archive, layout) = (self.archive, self.keys.layout);
        let has_outcome = receipt::has_outcome(archive, layout).await?;
        let stale = match receipt::find_task(archive, layout).await? {
            Some(record) if !has_outcome => return Ok(record),
            found => found,
        };
        let record = origin.record().await;
        let written = receipt::write_task(archive, layout, &record, stale).await?;
        if has_outcome {
            receipt::forget_outcome(archive, layout).await?;
        }
        Ok(written)
    }

    /// One object, which an earlier attempt may have brought.
    async fn object<O: Origin>(&self, origin: &O, kind: Kind) -> Result<Archived, O::Error> {
        if let Some(archived) = self.archived(kind).await? {
            return Ok(archived);
        }
        let refused_md5 = self.progress.refused_md5();
        let wanted = Wanted {
            kind,
            task: self.task,
            mismatch: self.mismatch,
            refused_md5: refused_md5.as_deref(),
        };
        let urls = origin.urls(kind);
        let transferred = transfer(self, urls, wanted).await?;
        let (source_host, fetched_again) =
            (transferred.source_host.clone(), transferred.fetched_again);
        let archived = Archived {
            kind,
            source_host,
            fetched_again,
            object: publish(self.archive, &self.keys, self.task, transferred).await?,
        };
        self.progress.archived(archived.clone());
        Ok(archived)
    }

    /// What an earlier attempt has brought, if it is still that.
    async fn archived(&self, kind: Kind) -> Result<Option<Archived>, Error> {
        let Some(archived) = self.progress.archived_of(kind) else {
            return Ok(None);
        };
        let key = self.keys.layout.file(&archived.object.name);
        let stored = found(self.archive.store.head(&key).await)?;
        let etag = stored.and_then(|stored| stored.e_tag).unwrap_or_default();
        Ok(Some(archived).filter(|archived| archived.object.etag == etag))
    }
}
