//! The progress of an archival: the numbers that users see, and the state from which another process resumes.
//!
//! The state is stored as JSON in heartbeats, which workers of different versions exchange. So the name and the
//! meaning of a JSON field must not change.

use parking_lot::Mutex;
use seedance_archiver_proto::v1::ArchivedObject;
use serde::{Deserialize, Serialize};

use super::saved_download::SavedDownload;
use crate::{ObjectKind, checks::SavedChecks, store::SavedUpload};

/// Maximum number of attempts that resume from one checkpoint. The store may have lost the upload, or the host may
/// reject the rest of the object, without a clear error.
const MAX_TRIES: u32 = 3;

/// The progress of an archival, shared by the archival and its observers.
#[derive(Debug, Default)]
pub struct Progress(Mutex<ArchiveState>);

/// The state of an archival, as stored in a heartbeat.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct ArchiveState {
    /// The kind of the object that is being transferred. `None` before the first transfer.
    pub kind: Option<ObjectKind>,
    /// Number of bytes of the object downloaded so far.
    #[serde(rename = "done")]
    pub bytes_done: u64,
    /// Size of the object, if the response headers declare it.
    #[serde(rename = "total")]
    pub bytes_total: Option<u64>,
    /// The objects that are in the archive.
    #[serde(default)]
    archived: Vec<ArchivedState>,
    /// MD5 of the bytes that were rejected because the ETag contained a different MD5.
    #[serde(default, rename = "refused_md5")]
    rejected_md5: Option<String>,
    /// SHA-256 of the bytes that were rejected because they look odd.
    #[serde(
        default,
        rename = "refused_sha256",
        skip_serializing_if = "Option::is_none"
    )]
    rejected_sha256: Option<String>,
    /// The incomplete upload of the object.
    #[serde(default)]
    upload: Option<SavedUpload>,
    /// The point from which another process can resume the transfer.
    #[serde(default)]
    checkpoint: Option<Checkpoint>,
}

/// An object that is in the archive.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct ArchivedState {
    pub(super) kind: ObjectKind,
    pub(super) object: ArchivedObject,
    pub(super) source_host: String,
    #[serde(rename = "fetched_again")]
    pub(super) bytes_fetched_again: u64,
}

/// The state of a transfer after a part that the store confirmed.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Checkpoint {
    pub(super) kind: ObjectKind,
    pub(super) upload: SavedUpload,
    #[serde(rename = "source")]
    pub(super) download: SavedDownload,
    pub(super) checks: SavedChecks,
    /// Number of attempts that resumed from this checkpoint and did not reach another.
    pub(super) tries: u32,
}

impl ArchiveState {
    /// Returns the state without the checkpoint and the upload, which are its only large parts: the transfer of the
    /// object starts over.
    pub fn without_checkpoint(self) -> Self {
        Self {
            upload: None,
            checkpoint: None,
            ..self
        }
    }
}

impl Progress {
    /// Returns the progress that continues from the state of another process.
    pub fn resume(state: ArchiveState) -> Self {
        Self(Mutex::new(state))
    }

    /// Returns the current state.
    pub fn state(&self) -> ArchiveState {
        self.0.lock().clone()
    }

    pub(super) fn start_object(&self, kind: ObjectKind, done: u64, total: Option<u64>) {
        let mut state = self.0.lock();
        state.kind = Some(kind);
        state.bytes_done = done;
        state.bytes_total = total;
    }

    pub(super) fn add_bytes(&self, bytes: usize) {
        self.0.lock().bytes_done += bytes as u64;
    }

    /// Adds an object that is in the archive, and removes its upload and checkpoint.
    pub(super) fn add_archived(&self, archived: ArchivedState) {
        let mut state = self.0.lock();
        state.upload = None;
        state.checkpoint = None;
        state.rejected_md5 = None;
        state.rejected_sha256 = None;
        state.archived.push(archived);
    }

    pub(super) fn archived(&self, kind: ObjectKind) -> Option<ArchivedState> {
        let state = self.0.lock();
        let archived = state.archived.iter().rev().find(|it| it.kind == kind);
        archived.cloned()
    }

    pub(super) fn set_checkpoint(&self, checkpoint: Checkpoint) {
        self.0.lock().checkpoint = Some(checkpoint);
    }

    pub(super) fn set_upload(&self, upload: Option<SavedUpload>) {
        self.0.lock().upload = upload;
    }

    /// Removes the incomplete upload and the checkpoint, and returns the upload.
    pub(super) fn take_upload(&self) -> Option<SavedUpload> {
        let mut state = self.0.lock();
        state.checkpoint = None;
        state.upload.take()
    }

    /// Returns the checkpoint of an object, and counts the attempt to resume from it. The bytes downloaded
    /// after the checkpoint count as fetched again.
    pub(super) fn use_checkpoint(&self, kind: ObjectKind) -> Option<Checkpoint> {
        let mut state = self.0.lock();
        let done = state.bytes_done;
        let checkpoint = state.checkpoint.as_mut()?;
        if checkpoint.kind != kind || checkpoint.tries == MAX_TRIES {
            return None;
        }
        checkpoint.tries += 1;
        let download = &mut checkpoint.download;
        download.bytes_fetched_again += done.saturating_sub(download.offset);
        Some(checkpoint.clone())
    }

    /// Does not count the attempt that resumed from the checkpoint, because the host was not ready to continue.
    pub(super) fn postpone(&self) {
        if let Some(checkpoint) = &mut self.0.lock().checkpoint {
            checkpoint.tries = checkpoint.tries.saturating_sub(1);
        }
    }

    pub(super) fn rejected_md5(&self) -> Option<String> {
        self.0.lock().rejected_md5.clone()
    }

    pub(super) fn rejected_sha256(&self) -> Option<String> {
        self.0.lock().rejected_sha256.clone()
    }

    pub(super) fn set_rejected_sha256(&self, sha256: &str) {
        self.0.lock().rejected_sha256 = Some(sha256.to_owned());
    }

    pub(super) fn set_rejected_md5(&self, md5: &str) {
        self.0.lock().rejected_md5 = Some(md5.to_owned());
    }
}

#[cfg(test)]
mod tests;
