//! A task of the user.

use seedance_archiver_clock::Clock;
use seedance_archiver_proto::{names, time::unix_seconds};
use serde::Serialize;

use crate::archive::{
    Archive, Error,
    audit::StoredReceipt,
    erasure::{Erasure, Remains},
    receipt::Tombstone,
};

/// A task, and what the archive has or had of it.
#[derive(Debug, Serialize)]
pub(super) struct Task {
    pub(super) task_id: String,
    account: String,
    /// Key of the receipt.
    pub(super) receipt: String,
    /// When the video was archived, in Unix seconds.
    pub(super) archived_at: i64,
    pub(super) objects: usize,
    pub(super) size_bytes: u64,
    /// Objects in the same directory that the archiver did not write. They stay.
    pub(super) other_objects: usize,
    /// Whether the store keeps old versions of the objects.
    pub(super) is_versioned: bool,
    /// Whether an earlier erasure of the task was interrupted.
    is_interrupted: bool,
    /// Why the task could not be erased, or its objects not be listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

impl Task {
    /// Finds the objects of a task.
    pub(super) async fn find(archive: &Archive, receipt: &StoredReceipt) -> Self {
        Self::new(receipt, Erasure::new(archive, receipt).find().await)
    }

    /// Erases a task.
    pub(super) async fn erase(archive: &Archive, receipt: &StoredReceipt) -> Self {
        let tombstone = Tombstone {
            task_id: receipt.manifest.task_id.clone(),
            account: names::account_or_default(&receipt.manifest.account).to_owned(),
            erased_at: unix_seconds(Clock::default().now()),
            archiver_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let erased = Erasure::new(archive, receipt).run(&tombstone).await;
        Self::new(receipt, erased)
    }

    fn new(receipt: &StoredReceipt, remains: Result<Remains, Error>) -> Self {
        let error = remains.as_ref().err().map(ToString::to_string);
        let remains = remains.unwrap_or_default();
        let manifest = &receipt.manifest;
        let mut objects = manifest.objects.iter();
        Self {
            task_id: manifest.task_id.clone(),
            account: manifest.account.clone(),
            receipt: receipt.key.to_string(),
            archived_at: manifest.archived_at,
            objects: remains.len(),
            size_bytes: remains.bytes(),
            other_objects: remains.others,
            is_versioned: objects.any(|object| !object.version.is_empty()),
            is_interrupted: receipt.is_erased,
            error,
        }
    }
}
