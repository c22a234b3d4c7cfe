//! The progress of an archival: the numbers that users see, and the state from which another process resumes.
//!
//! The state is stored as JSON in heartbeats, which workers of different versions exchange. So the name and the
//! meaning of a JSON field must not change.

use parking_lot::Mutex;
use seedance_archiver_proto::v1::ArchivedObject;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::saved_download::SavedDownload;
use crate::{ObjectKind, checks::SavedChecks, store::SavedUpload};

/// Maximum number of failed attempts that resume from one checkpoint. The store may have lost the upload, or the host may
/// reject the rest of the object, without a clear error.
const MAX_TRIES: u32 = 3;

/// The progress of an archival, shared by the archival and its observers.
#[derive(Debug, Default)]
pub struct Progress {
    state: Mutex<ArchiveState>,
    /// Notified when the state has a new point from which another process can resume.
    saved: Notify,
}

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
    /// How far any attempt got with the object that is being transferred.
    #[serde(default, skip_serializing_if = "Furthest::is_zero")]
    furthest: Furthest,
    /// Number of attempts that could not fetch the last frame.
    #[serde(default, skip_serializing_if = "is_zero")]
    last_frame_failures: u32,
}

/// How far any attempt got with an object, in bytes.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Furthest {
    downloaded: u64,
    stored: u64,
}

impl Furthest {
    fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
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
    pub(super) upload: SavedUpload,
    #[serde(flatten)]
    pub(super) transfer: SavedTransfer,
    /// Number of attempts that resumed from this checkpoint, and failed before they reached another. An attempt
    /// whose worker crashed does not count.
    tries: u32,
}

/// The state of a transfer after a part.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct SavedTransfer {
    pub(super) kind: ObjectKind,
    /// Size of the parts before the checkpoint, and of those after it.
    #[serde(
        default = "part_size_of_0_1_0",
        skip_serializing_if = "is_part_size_of_0_1_0"
    )]
    pub(super) part_size: u64,
    #[serde(rename = "source")]
    pub(super) download: SavedDownload,
    pub(super) checks: SavedChecks,
}

/// Returns the size of the parts of version 0.1.0, which does not save it.
fn part_size_of_0_1_0() -> u64 {
    5 * 1024 * 1024
}

fn is_part_size_of_0_1_0(size: &u64) -> bool {
    *size == part_size_of_0_1_0()
}

impl Checkpoint {
    pub(super) fn new(upload: SavedUpload, transfer: SavedTransfer) -> Self {
        Self {
            upload,
            transfer,
            tries: 0,
        }
    }
}

impl ArchiveState {
    fn bytes_archived(&self) -> u64 {
        let sizes = self.archived.iter().map(|it| it.object.size_bytes);
        sizes.map(i64::unsigned_abs).sum()
    }
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
        Self {
            state: Mutex::new(state),
            saved: Notify::new(),
        }
    }

    /// Returns the current state.
    pub fn state(&self) -> ArchiveState {
        self.state.lock().clone()
    }

    /// Waits until another process can resume from a later point than before: the store confirmed a part or an object.
    pub async fn saved(&self) {
        self.saved.notified().await;
    }

    pub(super) fn start_object(&self, kind: ObjectKind, done: u64, total: Option<u64>) {
        let mut state = self.state.lock();
        state.kind = Some(kind);
        state.bytes_done = done;
        state.bytes_total = total;
    }

    pub(super) fn add_bytes(&self, bytes: usize) {
        let mut state = self.state.lock();
        state.bytes_done += bytes as u64;
        state.furthest.downloaded = state.furthest.downloaded.max(state.bytes_done);
    }

    /// Notes that the store confirmed the bytes before an offset.
    pub(super) fn add_stored(&self, offset: u64) {
        let stored = &mut self.state.lock().furthest.stored;
        *stored = offset.max(*stored);
    }

    /// Returns the number of bytes that were downloaded. Bytes that are downloaded again do not count.
    pub fn bytes_downloaded(&self) -> u64 {
        let state = self.state.lock();
        state.bytes_archived() + state.furthest.downloaded
    }

    /// Returns the number of bytes that the store confirmed. Bytes that are stored again do not count.
    pub fn bytes_stored(&self) -> u64 {
        let state = self.state.lock();
        state.bytes_archived() + state.furthest.stored
    }

    /// Counts an attempt that could not fetch the last frame. Returns the number of such attempts.
    pub fn count_last_frame_failure(&self) -> u32 {
        let failures = &mut self.state.lock().last_frame_failures;
        *failures = failures.saturating_add(1);
        *failures
    }

    /// Adds an object that is in the archive, and removes its upload and checkpoint.
    pub(super) fn add_archived(&self, archived: ArchivedState) {
        let mut state = self.state.lock();
        state.upload = None;
        state.checkpoint = None;
        state.rejected_md5 = None;
        state.rejected_sha256 = None;
        state.furthest = Furthest::default();
        state.archived.push(archived);
        self.saved.notify_one();
    }

    pub(super) fn archived(&self, kind: ObjectKind) -> Option<ArchivedState> {
        let state = self.state.lock();
        let archived = state.archived.iter().rev().find(|it| it.kind == kind);
        archived.cloned()
    }

    pub(super) fn set_checkpoint(&self, checkpoint: Checkpoint) {
        self.state.lock().checkpoint = Some(checkpoint);
        self.saved.notify_one();
    }

    pub(super) fn set_upload(&self, upload: Option<SavedUpload>) {
        self.state.lock().upload = upload;
    }

    /// Removes the incomplete upload and the checkpoint, and returns the upload.
    pub(super) fn take_upload(&self) -> Option<SavedUpload> {
        let mut state = self.state.lock();
        state.checkpoint = None;
        state.upload.take()
    }

    /// Returns the checkpoint of an object. The bytes downloaded after the checkpoint count as fetched again.
    pub(super) fn use_checkpoint(&self, kind: ObjectKind) -> Option<Checkpoint> {
        let mut state = self.state.lock();
        let done = state.bytes_done;
        let checkpoint = state.checkpoint.as_mut()?;
        if checkpoint.transfer.kind != kind || checkpoint.tries >= MAX_TRIES {
            return None;
        }
        let download = &mut checkpoint.transfer.download;
        download.bytes_fetched_again += done.saturating_sub(download.offset);
        Some(checkpoint.clone())
    }

    /// Counts a failed attempt that resumed from the checkpoint.
    pub(super) fn count_failed_resumption(&self) {
        if let Some(checkpoint) = &mut self.state.lock().checkpoint {
            checkpoint.tries += 1;
        }
    }

    pub(super) fn rejected_md5(&self) -> Option<String> {
        self.state.lock().rejected_md5.clone()
    }

    pub(super) fn rejected_sha256(&self) -> Option<String> {
        self.state.lock().rejected_sha256.clone()
    }

    pub(super) fn set_rejected_sha256(&self, sha256: &str) {
        self.state.lock().rejected_sha256 = Some(sha256.to_owned());
    }

    pub(super) fn set_rejected_md5(&self, md5: &str) {
        self.state.lock().rejected_md5 = Some(md5.to_owned());
    }
}

#[cfg(test)]
mod tests;
