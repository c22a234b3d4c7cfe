//! How far a deposit is: for whoever watches, and for the process that may have to go on with it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use seedance_archiver_proto::v1::ArchivedObject;
use serde::{Deserialize, Serialize};

use super::{Kind, checks::SavedChecks, source::SavedSource, upload::SavedUpload};

/// How far a deposit is.
#[derive(Debug, Default)]
pub struct Progress(Mutex<Place>);

/// A place in a deposit, as it travels to another process.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Place {
    /// What is under way. `None`: nothing yet.
    pub kind: Option<Kind>,
    /// Bytes of it that came.
    pub done: u64,
    /// Bytes of it in all, where that is known.
    pub total: Option<u64>,
    /// What is in the archive already.
    #[serde(default)]
    pub(super) archived: Vec<Archived>,
    /// The upload of what is under way.
    #[serde(default)]
    pub(super) upload: Option<SavedUpload>,
    /// Where another process can go on with it.
    #[serde(default)]
    pub(super) checkpoint: Option<Checkpoint>,
}

/// An object that is in the archive.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Archived {
    pub(super) kind: Kind,
    pub(super) object: ArchivedObject,
    pub(super) source_host: String,
    pub(super) fetched_again: u64,
}

/// The state of a transfer after a part that the store has.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Checkpoint {
    pub(super) kind: Kind,
    pub(super) upload: SavedUpload,
    pub(super) source: SavedSource,
    pub(super) checks: SavedChecks,
}

impl Progress {
    /// Goes on from where another process was.
    pub fn from(place: Place) -> Self {
        Self(Mutex::new(place))
    }

    /// How far it is.
    pub fn place(&self) -> Place {
        self.lock().clone()
    }

    pub(super) fn begin(&self, kind: Kind, done: u64, total: Option<u64>) {
        let mut place = self.lock();
        place.kind = Some(kind);
        place.done = done;
        place.total = total;
    }

    pub(super) fn add(&self, bytes: usize) {
        self.lock().done += bytes as u64;
    }

    pub(super) fn archived(&self, archived: Archived) {
        let mut place = self.lock();
        place.archived.push(archived);
    }

    pub(super) fn archived_of(&self, kind: Kind) -> Option<Archived> {
        let place = self.lock();
        let archived = place.archived.iter().rev().find(|it| it.kind == kind);
        archived.cloned()
    }

    pub(super) fn set_checkpoint(&self, checkpoint: Checkpoint) {
        self.lock().checkpoint = Some(checkpoint);
    }

    pub(super) fn set_upload(&self, upload: Option<SavedUpload>) {
        self.lock().upload = upload;
    }

    /// The upload under way, which from now on is nobody's.
    pub(super) fn take_upload(&self) -> Option<SavedUpload> {
        let mut place = self.lock();
        place.checkpoint = None;
        place.upload.take()
    }

    /// Where to go on with this. What came after it came in vain.
    pub(super) fn checkpoint(&self, kind: Kind) -> Option<Checkpoint> {
        let place = self.lock();
        let mut checkpoint = place.checkpoint.clone().filter(|it| it.kind == kind)?;
        let source = &mut checkpoint.source;
        source.fetched_again += place.done.saturating_sub(source.offset);
        Some(checkpoint)
    }

    /// Nothing panics while it is held, and if it did, the numbers would still be good.
    fn lock(&self) -> MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
