//! Multipart uploads. If the store assigns ids to uploads, another process can resume them.

use std::sync::Arc;

use object_store::{
    MultipartUpload, ObjectStore, PutMultipartOptions, PutPayload, PutResult,
    multipart::{MultipartStore, PartId},
    path::Path,
};
use opentelemetry::trace::FutureExt;
use serde::{Deserialize, Serialize};
use tokio::task::{JoinError, JoinSet};

use super::{
    Archive,
    part_slots::PartSlots,
    put_part::{PartRequest, put_part},
    store_span,
};
use crate::{Error, permits::Urgency};

/// Maximum number of parts of a resumable upload: that of S3 and Google Cloud.
pub(crate) const MAX_PARTS: u64 = 10_000;

/// A multipart upload. Dropping it cancels the parts in flight; a resumable upload stays in the store.
pub(crate) struct Upload {
    key: Path,
    target: Target,
    /// The parts sent so far. `None` until the store confirms the part.
    parts: Vec<Option<PartId>>,
    /// Number of leading parts that the store confirmed.
    stored_parts: usize,
    in_flight: JoinSet<PartResult>,
    slots: PartSlots,
}

/// The index of a part and the store's response.
type PartResult = (usize, object_store::Result<PartId>);

enum Target {
    /// An upload with an id, which any process can continue.
    Resumable(Arc<dyn MultipartStore>, String),
    /// An upload that ends with this process.
    Local(Box<dyn MultipartUpload>),
}

/// The state of a resumable upload, as stored in a heartbeat.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct SavedUpload {
    /// Key of the object.
    pub(crate) key: String,
    id: String,
    /// Ids of the stored parts, in order.
    parts: Vec<String>,
}

impl Upload {
    /// Starts an upload.
    pub(crate) async fn start(
        archive: &Archive,
        key: Path,
        options: PutMultipartOptions,
    ) -> Result<Self, Error> {
        let target = match &archive.resumable_uploads {
            Some(store) => {
                let id = store.create_multipart_opts(&key, options).await?;
                Target::Resumable(store.clone(), id)
            }
            None => Target::Local(archive.store.put_multipart_opts(&key, options).await?),
        };
        Ok(Self::new(archive, key, target, Vec::new()))
    }

    /// Resumes an upload. Returns `None` if uploads are not resumable here or the key is invalid. Does not
    /// check that the upload still exists.
    pub(crate) fn resume(archive: &Archive, saved: &SavedUpload) -> Option<Self> {
        let target = Target::Resumable(archive.resumable_uploads.clone()?, saved.id.clone());
        let part = |content_id: &String| {
            let content_id = content_id.clone();
            Some(PartId { content_id })
        };
        let parts = saved.parts.iter().map(part).collect();
        let key = Path::parse(&saved.key).ok()?;
        Some(Self::new(archive, key, target, parts))
    }

    fn new(archive: &Archive, key: Path, target: Target, parts: Vec<Option<PartId>>) -> Self {
        Self {
            key,
            target,
            // Those of an earlier process.
            stored_parts: parts.len(),
            parts,
            in_flight: JoinSet::new(),
            slots: archive.part_slots(),
        }
    }

    /// Returns the key of the object.
    pub(crate) fn key(&self) -> &Path {
        &self.key
    }

    /// Returns whether the store did not respond to a part yet.
    pub(crate) fn is_in_flight(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// Sends the next part. While the store is busy, the most urgent part is sent first.
    ///
    /// # Errors
    ///
    /// Returns an error if the store does not allow another part.
    pub(crate) fn send(&mut self, part: PutPayload, urgency: Urgency) -> Result<(), Error> {
        let index = self.parts.len();
        if index as u64 >= MAX_PARTS && matches!(self.target, Target::Resumable(..)) {
            let text = format!("the object has more than {MAX_PARTS} parts");
            return Err(Error::Upload(text));
        }
        self.parts.push(None);
        match &mut self.target {
            Target::Resumable(store, id) => {
                let request = PartRequest {
                    store: store.clone(),
                    key: self.key.clone(),
                    upload_id: id.clone(),
                    index,
                    part,
                    urgency,
                };
                let put = put_part(request, self.slots.clone()).with_current_context();
                self.in_flight.spawn(async move { (index, put.await) });
            }
            // `object_store` sends a part again if the store is busy. The uploader cannot, because each call is another part.
            Target::Local(upload) => {
                let put = upload.put_part(part);
                let put = store_span("store put part", &self.key, put);
                let no_id = |()| PartId {
                    content_id: String::new(),
                };
                self.in_flight
                    .spawn(async move { (index, put.await.map(no_id)) });
            }
        }
        Ok(())
    }

    /// Waits until the store responds to a part. Returns `None` if no part is in flight. May be dropped at any time.
    pub(crate) async fn part_stored(&mut self) -> Option<Result<(), Error>> {
        let joined = self.in_flight.join_next().await?;
        Some(self.set_part_result(joined))
    }

    /// Returns the number of parts sent so far.
    pub(crate) fn sent_parts(&self) -> usize {
        self.parts.len()
    }

    /// Returns the number of leading parts that the store confirmed.
    pub(crate) fn stored_parts(&self) -> usize {
        self.stored_parts
    }

    /// Returns the state of the upload after the first `count` parts, which must be stored, or `None` if the
    /// upload is not resumable.
    pub(crate) fn save(&self, count: usize) -> Option<SavedUpload> {
        let Target::Resumable(_, id) = &self.target else {
            return None;
        };
        let parts = self.parts.iter().take(count).flatten();
        Some(SavedUpload {
            key: self.key.to_string(),
            id: id.clone(),
            parts: parts.map(|part| part.content_id.clone()).collect(),
        })
    }

    /// Waits until the store confirms every part.
    pub(crate) async fn flush(&mut self) -> Result<(), Error> {
        while let Some(stored) = self.part_stored().await {
            stored?;
        }
        Ok(())
    }

    /// Completes the upload, which creates the object.
    pub(crate) async fn complete(&mut self) -> Result<PutResult, Error> {
        self.flush().await?;
        let key = self.key.clone();
        let complete = async {
            match &mut self.target {
                Target::Resumable(store, id) => {
                    let parts: Option<Vec<_>> = self.parts.iter().cloned().collect();
                    let parts = parts.ok_or_else(|| Error::Upload("a part is missing".into()))?;
                    Ok(store.complete_multipart(&self.key, id, parts).await?)
                }
                Target::Local(upload) => Ok(upload.complete().await?),
            }
        };
        store_span("store complete upload", &key, complete).await
    }

    /// Aborts the upload, unless it no longer exists. Errors are only logged, because the caller already has an error to
    /// report.
    pub(crate) async fn abort(self) {
        let key = self.key.clone();
        match self.try_abort().await {
            Err(error) if !error.is_not_found() => {
                tracing::warn!(%error, %key, "cannot abort the upload");
            }
            _ => {}
        }
    }

    /// Aborts the upload.
    pub(crate) async fn try_abort(mut self) -> Result<(), Error> {
        self.in_flight.shutdown().await;
        match &mut self.target {
            Target::Resumable(store, id) => store.abort_multipart(&self.key, id).await?,
            Target::Local(upload) => upload.abort().await?,
        }
        Ok(())
    }

    fn set_part_result(&mut self, joined: Result<PartResult, JoinError>) -> Result<(), Error> {
        let (index, part) = joined.map_err(|error| Error::Upload(error.to_string()))?;
        if let Some(slot) = self.parts.get_mut(index) {
            *slot = Some(part?);
        }
        while let Some(Some(_)) = self.parts.get(self.stored_parts) {
            self.stored_parts += 1;
        }
        Ok(())
    }
}
