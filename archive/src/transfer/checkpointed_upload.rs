//! An upload that sets a checkpoint as soon as the store confirms a part.

use std::{
    collections::VecDeque,
    future::{Future, pending},
    pin::pin,
};

use object_store::PutPayload;

use super::{
    Progress,
    buffers::TransferBuffers,
    checking::StateAfter,
    progress::{Checkpoint, SavedTransfer},
    saved_download::SavedDownload,
};
use crate::{Error, ObjectKind, checks::SavedChecks, permits::Urgency, store::Upload};

/// An upload, and the states from which another process can resume it.
pub(super) struct CheckpointedUpload<'a> {
    upload: Upload,
    kind: ObjectKind,
    urgency: Urgency,
    part_size: u64,
    progress: &'a Progress,
    /// States after the parts that the store did not confirm yet, oldest first.
    part_states: VecDeque<PartState>,
}

/// The state of a transfer after a number of parts.
struct PartState {
    parts: usize,
    download: SavedDownload,
    checks: StateAfter,
}

impl<'a> CheckpointedUpload<'a> {
    pub(super) fn new(
        upload: Upload,
        kind: ObjectKind,
        buffers: &TransferBuffers<'_>,
        progress: &'a Progress,
    ) -> Self {
        Self {
            upload,
            kind,
            urgency: buffers.urgency(),
            part_size: buffers.part_size(),
            progress,
            part_states: VecDeque::new(),
        }
    }

    /// Sends the next part. `download` and `checks` are the state of the transfer after it.
    pub(super) fn put(
        &mut self,
        part: PutPayload,
        download: SavedDownload,
        checks: StateAfter,
    ) -> Result<(), Error> {
        self.upload.send(part, self.urgency)?;
        self.part_states.push_back(PartState {
            parts: self.upload.sent_parts(),
            download,
            checks,
        });
        Ok(())
    }

    /// Waits until the store confirms every part.
    pub(super) async fn flush(&mut self) -> Result<(), Error> {
        while self.upload.is_in_flight() || self.stored_state().is_some() {
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
        if self.stored_state().is_none() {
            match self.upload.part_stored().await {
                Some(stored) => stored?,
                None => pending().await,
            }
        }
        while let Some(state) = self.stored_state() {
            let checks = (&mut state.checks).await.ok().flatten();
            let state = self.part_states.pop_front();
            if let Some(PartState {
                parts, download, ..
            }) = state
            {
                self.set_checkpoint(parts, download, checks);
            }
        }
        Ok(())
    }

    /// Returns the oldest state, if the store has confirmed all parts before it.
    fn stored_state(&mut self) -> Option<&mut PartState> {
        let stored = self.upload.stored_parts();
        let state = self.part_states.front_mut();
        state.filter(|state| state.parts <= stored)
    }

    fn set_checkpoint(&self, parts: usize, download: SavedDownload, checks: Option<SavedChecks>) {
        self.progress.add_stored(download.offset);
        if let (Some(upload), Some(checks)) = (self.upload.save(parts), checks) {
            let kind = self.kind;
            let transfer = SavedTransfer {
                kind,
                part_size: self.part_size,
                download,
                checks,
            };
            self.progress
                .set_checkpoint(Checkpoint::new(upload, transfer));
        }
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
