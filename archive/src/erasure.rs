//! Erases tasks from an archive.
//!
//! An erasure first writes the tombstone of the task, `erased.json`, then deletes every object that the archiver wrote for
//! it. The record and then the receipt are last, and only if everything else is deleted. So it can be interrupted at any point:
//! while there is a receipt, another erasure finds the task again, and while there is anything but the receipt, the record
//! says whose video it is, as the receipts of version 0.1 do not.
//!
//! An archival may run meanwhile. It looks for the tombstone before it writes the receipt, and again afterwards. So either it
//! sees the tombstone, and deletes what it wrote; or its receipt was written before the tombstone, and the erasure, which
//! lists the directory after that, deletes everything.

mod remains;
mod uploads;

use object_store::{ObjectStoreExt, path::Path};
use seedance_archiver_proto::{names, v1::ArchivedObject};

use crate::{
    Archive, Error, Layout,
    audit::StoredReceipt,
    error::optional,
    receipt::{self, Tombstone},
};

pub use remains::Remains;
pub(crate) use remains::is_written;

/// A task of an archive that is to be erased.
pub struct Erasure<'a> {
    archive: &'a Archive,
    /// Key of the receipt.
    receipt: Path,
    task_id: &'a str,
    /// The objects that the receipt names.
    named: &'a [ArchivedObject],
}

impl<'a> Erasure<'a> {
    /// Returns the erasure of the task of a receipt.
    pub fn new(archive: &'a Archive, receipt: &'a StoredReceipt) -> Self {
        Self {
            archive,
            receipt: receipt.key.clone(),
            task_id: &receipt.manifest.task_id,
            named: &receipt.manifest.objects,
        }
    }

    /// Returns what [`run`](Self::run) would delete.
    ///
    /// # Errors
    ///
    /// Returns an error if the store fails.
    pub async fn find(&self) -> Result<Remains, Error> {
        remains::find(self.archive, &self.receipt, self.task_id, self.named).await
    }

    /// Writes the tombstone, and deletes every object of the task. Returns what it deleted.
    ///
    /// # Errors
    ///
    /// Returns an error if the tombstone cannot be written: then nothing is deleted. Returns an error if an object cannot be
    /// deleted: then the others are, except the record and the receipt.
    pub async fn run(&self, tombstone: &Tombstone) -> Result<Remains, Error> {
        let key = receipt::beside(&self.receipt, names::ERASED);
        receipt::write_tombstone(self.archive, &key, tombstone).await?;
        // What exists after the tombstone was written.
        let remains = self.find().await?;
        let deleted = self.delete_objects(&remains).await;
        let aborted = self.abort_uploads(&remains).await;
        deleted.and(aborted)?;
        self.delete_last(&remains).await?;
        Ok(remains)
    }

    /// Deletes all objects except the record and the receipt. Returns the first error.
    async fn delete_objects(&self, remains: &Remains) -> Result<(), Error> {
        let last = self.last();
        let mut deleted = Ok(());
        for key in remains.keys().filter(|key| !last.contains(key)) {
            deleted = deleted.and(delete(self.archive, key).await);
        }
        deleted
    }

    async fn abort_uploads(&self, remains: &Remains) -> Result<(), Error> {
        let keys = remains.keys().cloned().collect();
        uploads::abort(self.archive, &self.receipt, self.task_id, keys).await
    }

    /// Deletes the record and then the receipt.
    async fn delete_last(&self, remains: &Remains) -> Result<(), Error> {
        for last in self.last() {
            // A worker that may not delete anything has nothing to delete.
            if remains.keys().any(|key| *key == last) {
                delete(self.archive, &last).await?;
            }
        }
        Ok(())
    }

    /// Returns the keys of the record and the receipt, by which another erasure finds the task and its user.
    fn last(&self) -> [Path; 2] {
        let record = receipt::beside(&self.receipt, names::TASK);
        [record, self.receipt.clone()]
    }
}

/// Deletes what attempts wrote of a task that has a tombstone. That uploads cannot be aborted is only logged: a worker may
/// not be allowed to list them, and a lifecycle rule of the bucket aborts them.
///
/// # Errors
///
/// Returns an error if an object cannot be deleted.
pub async fn complete(archive: &Archive, layout: &Layout) -> Result<(), Error> {
    let erasure = Erasure {
        archive,
        receipt: layout.manifest(),
        task_id: layout.task_id(),
        named: &[],
    };
    let remains = erasure.find().await?;
    let deleted = erasure.delete_objects(&remains).await;
    if let Err(error) = erasure.abort_uploads(&remains).await {
        let task_id = layout.task_id();
        tracing::warn!(%error, task_id, "cannot abort the uploads of an erased task");
    }
    deleted?;
    erasure.delete_last(&remains).await?;
    if !remains.is_empty() {
        tracing::info!(
            task_id = layout.task_id(),
            objects = remains.len(),
            "deleted objects of an erased task"
        );
    }
    Ok(())
}

async fn delete(archive: &Archive, key: &Path) -> Result<(), Error> {
    optional(archive.store.delete(key).await).map(drop)
}
