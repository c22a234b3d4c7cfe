//! An upload that sets a checkpoint as soon as the store confirms a part.

use std::{
    collections::VecDeque,
    future::{Future, pending},
    pin::pin,
};

use bytes::Bytes;

use super::{
    Progress,
    progress::{Checkpoint, SavedTransfer},
};
use crate::{Error, store::Upload};

/// An upload, and the states from which another process can resume it.
pub(super) struct CheckpointedUpload<'a> {
    upload: Upload,
    progress: &'a Progress,
    /// States after the parts that the store did not confirm yet, oldest first.
    part_states: VecDeque<PartState>,
}

/// The state of a transfer after a number of parts.
struct PartState {
    parts: usize,
    offset: u64,
    /// `None` if no process can resume here.
    saved: Option<SavedTransfer>,
}

impl<'a> CheckpointedUpload<'a> {
    pub(super) fn new(upload: Upload, progress: &'a Progress) -> Self {
        Self {
            upload,
            progress,
            part_states: VecDeque::new(),
        }
    }

    /// Sends the next part, which ends at `offset`. `saved` is the state of the transfer there.
    pub(super) async fn put(
        &mut self,
        part: Bytes,
        offset: u64,
        saved: Option<SavedTransfer>,
    ) -> Result<(), Error> {
        while self.upload.is_full() {
            self.part_stored().await?;
        }
        self.upload.send(part);
        self.part_states.push_back(PartState {
            parts: self.upload.sent_parts(),
            offset,
            saved,
        });
        Ok(())
    }

    /// Waits until the store confirms every part.
    pub(super) async fn flush(&mut self) -> Result<(), Error> {
        while self.upload.is_in_flight() {
            self.part_stored().await?;
        }
        Ok(())
    }

    pub(super) fn into_upload(self) -> Upload {
        self.upload
    }

    /// Waits until the store confirms a part, and sets the checkpoint. Waits forever if no part is in flight. May be
    /// dropped at any time.
    async fn part_stored(&mut self) -> Result<(), Error> {
        match self.upload.part_stored().await {
            Some(stored) => stored?,
            None => pending().await,
        }
        let stored = self.upload.stored_parts();
        let is_stored = |state: &PartState| state.parts <= stored;
        while self.part_states.front().is_some_and(is_stored)
            && let Some(state) = self.part_states.pop_front()
        {
            self.progress.add_stored(state.offset);
            if let (Some(upload), Some(saved)) = (self.upload.save(state.parts), state.saved) {
                let checkpoint = Checkpoint::new(upload, saved);
                self.progress.set_checkpoint(checkpoint);
            }
        }
        Ok(())
    }
}

/// Waits for a future, and sets checkpoints meanwhile. Fails if the store rejects a part.
pub(super) async fn while_uploading<T>(
    upload: &mut Option<CheckpointedUpload<'_>>,
    future: impl Future<Output = T>,
) -> Result<T, Error> {
    let mut future = pin!(future);
    let Some(upload) = upload else {
        return Ok(future.await);
    };
    loop {
        tokio::select! {
            biased;
            stored = upload.part_stored() => stored?,
            output = &mut future => return Ok(output),
        }
    }
}
