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
    /// MD5 of bytes of it that were refused because the ETag is another.
    #[serde(default)]
    pub(super) refused_md5: Option<String>,
    /// The upload of it.
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
    /// Attempts that went on from here and came no further.
    pub(super) tries: u32,
}

/// Attempts that may go on from one checkpoint: a store may have forgotten the upload, or a host may
/// refuse the rest, without saying so plainly.
const TRIES: u32 = 3;

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

    /// It is in the archive: nobody goes on with an upload of it.
    pub(super) fn archived(&self, archived: Archived) {
        let mut place = self.lock();
        place.upload = None;
        place.checkpoint = None;
        place.refused_md5 = None;
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
        let mut place = self.lock();
        let done = place.done;
        let checkpoint = place.checkpoint.as_mut()?;
        if checkpoint.kind != kind || checkpoint.tries == TRIES {
            return None;
        }
        checkpoint.tries += 1;
        let source = &mut checkpoint.source;
        source.fetched_again += done.saturating_sub(source.offset);
        Some(checkpoint.clone())
    }

    /// MD5 of bytes that were refused because the ETag is another.
    pub(super) fn refused_md5(&self) -> Option<String> {
        self.lock().refused_md5.clone()
    }

    pub(super) fn set_refused_md5(&self, md5: &str) {
        self.lock().refused_md5 = Some(md5.to_owned());
    }

    /// Nothing panics while it is held, and if it did, the numbers would still be good.
    fn lock(&self) -> MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
