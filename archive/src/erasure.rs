//! Erases tasks from an archive.
//!
//! An erasure first writes the tombstone of the task, `erased.json`, then deletes every object that the archiver wrote for
//! it, and the receipt last. So it can be interrupted at any point: while there is a receipt, another erasure finds the task
//! again.
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
    /// deleted: then the others are, except the receipt.
    pub async fn run(&self, tombstone: &Tombstone) -> Result<Remains, Error> {
        let key = receipt::beside(&self.receipt, names::ERASED);
        receipt::write_tombstone(self.archive, &key, tombstone).await?;
        // What exists after the tombstone was written.
        let remains = self.find().await?;
        let deleted = self.delete_objects(&remains).await;
        let aborted = self.abort_uploads(&remains).await;
        deleted.and(aborted)?;
        self.delete_receipt(&remains).await?;
        Ok(remains)
    }

    /// Deletes all objects except the receipt. Returns the first error.
    async fn delete_objects(&self, remains: &Remains) -> Result<(), Error> {
        let mut deleted = Ok(());
        for key in remains.keys().filter(|key| **key != self.receipt) {
            deleted = deleted.and(delete(self.archive, key).await);
        }
        deleted
    }

    async fn abort_uploads(&self, remains: &Remains) -> Result<(), Error> {
        let keys = remains.keys().cloned().collect();
        uploads::abort(self.archive, &self.receipt, self.task_id, keys).await
    }

    async fn delete_receipt(&self, remains: &Remains) -> Result<(), Error> {
        match remains.keys().any(|key| *key == self.receipt) {
            true => delete(self.archive, &self.receipt).await,
            // A worker that may not delete anything has nothing to delete.
            false => Ok(()),
        }
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
    erasure.delete_receipt(&remains).await?;
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
