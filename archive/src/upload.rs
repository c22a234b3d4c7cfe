//! An object that grows part by part, and exists only once it is completed. Where the store knows
//! uploads by an id, another process can go on with one.

use std::sync::Arc;

use bytes::Bytes;
use object_store::{
    MultipartUpload, ObjectStore, PutMultipartOptions, PutResult,
    multipart::{MultipartStore, PartId},
    path::Path,
};
use serde::{Deserialize, Serialize};
use tokio::task::{JoinError, JoinSet};

use super::{Archive, Error};
use crate::store_span::store_span;

/// Parts of one upload that may be under way.
const UNDER_WAY: usize = 4;

/// An upload under way. Dropped, it sends nothing more, and stays where it has an id.
pub(super) struct Upload {
    key: Path,
    target: Target,
    parts: Vec<Option<PartId>>,
    under_way: JoinSet<Stored>,
}

/// A part, by its index, and what the store said.
type Stored = (usize, object_store::Result<PartId>);

enum Target {
    /// By an id that any process can use.
    Lasting(Arc<dyn MultipartStore>, String),
    /// Known to this process only.
    Passing(Box<dyn MultipartUpload>),
}

/// An upload, as it travels to another process.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct SavedUpload {
    /// Key of the object.
    pub(super) key: String,
    id: String,
    /// What the store calls the parts that it has.
    parts: Vec<String>,
}

impl Upload {
    /// Begins one.
    pub(super) async fn begin(
        archive: &Archive,
        key: Path,
        options: PutMultipartOptions,
    ) -> Result<Self, Error> {
        let target = match &archive.parts {
            Some(store) => {
                let id = store.create_multipart_opts(&key, options).await?;
                Target::Lasting(store.clone(), id)
            }
            None => Target::Passing(archive.store.put_multipart_opts(&key, options).await?),
        };
        Ok(Self::new(key, target, Vec::new()))
    }

    /// Goes on with one. `None`: this store cannot.
    pub(super) fn resume(archive: &Archive, saved: &SavedUpload) -> Option<Self> {
        let target = Target::Lasting(archive.parts.clone()?, saved.id.clone());
        let part = |content_id: &String| {
            let content_id = content_id.clone();
            Some(PartId { content_id })
        };
        let parts = saved.parts.iter().map(part).collect();
        let key = Path::parse(&saved.key).ok()?;
        Some(Self::new(key, target, parts))
    }

    fn new(key: Path, target: Target, parts: Vec<Option<PartId>>) -> Self {
        Self {
            key,
            target,
            parts,
            under_way: JoinSet::new(),
        }
    }

    /// Key of the object.
    pub(super) fn key(&self) -> &Path {
        &self.key
    }

    /// Sends the next part, once there are not too many under way.
    pub(super) async fn put(&mut self, part: Bytes) -> Result<(), Error> {
        while self.under_way.len() >= UNDER_WAY
            && let Some(joined) = self.under_way.join_next().await
        {
            self.take_note(joined)?;
        }
        let index = self.parts.len();
        self.parts.push(None);
        match &mut self.target {
            Target::Lasting(store, id) => {
                let (store, id, key) = (store.clone(), id.clone(), self.key.clone());
                let put = async move { store.put_part(&key, &id, index, part.into()).await };
                let put = store_span("store put part", &self.key, put);
                self.under_way.spawn(async move { (index, put.await) });
            }
            Target::Passing(upload) => {
                let stored = upload.put_part(part.into());
                let stored = store_span("store put part", &self.key, stored);
                let no_id = |()| PartId {
                    content_id: String::new(),
                };
                self.under_way
                    .spawn(async move { (index, stored.await.map(no_id)) });
            }
        }
        Ok(())
    }

    /// How many parts were sent.
    pub(super) fn sent(&self) -> usize {
        self.parts.len()
    }

    /// How many parts, from the first, the store is known to have by now.
    pub(super) fn stored(&mut self) -> Result<usize, Error> {
        while let Some(joined) = self.under_way.try_join_next() {
            self.take_note(joined)?;
        }
        Ok(self.parts.iter().take_while(|part| part.is_some()).count())
    }

    /// The upload with its first parts, which the store has. `None`: nobody else could go on with it.
    pub(super) fn save(&self, parts: usize) -> Option<SavedUpload> {
        let Target::Lasting(_, id) = &self.target else {
            return None;
        };
        let parts = self.parts.iter().take(parts).flatten();
        Some(SavedUpload {
            key: self.key.to_string(),
            id: id.clone(),
            parts: parts.map(|part| part.content_id.clone()).collect(),
        })
    }

    /// Waits until the store has every part.
    pub(super) async fn flush(&mut self) -> Result<(), Error> {
        while let Some(joined) = self.under_way.join_next().await {
            self.take_note(joined)?;
        }
        Ok(())
    }

    /// Makes it an object.
    pub(super) async fn complete(&mut self) -> Result<PutResult, Error> {
        self.flush().await?;
        let key = self.key.clone();
        let complete = async {
            match &mut self.target {
                Target::Lasting(store, id) => {
                    let parts: Option<Vec<_>> = self.parts.iter().cloned().collect();
                    let parts = parts.ok_or_else(|| Error::Upload("a part is missing".into()))?;
                    Ok(store.complete_multipart(&self.key, id, parts).await?)
                }
                Target::Passing(upload) => Ok(upload.complete().await?),
            }
        };
        store_span("store complete upload", &key, complete).await
    }

    /// Forgets it. What matters is why.
    pub(super) async fn abort(mut self) {
        self.under_way.shutdown().await;
        let aborted = match &mut self.target {
            Target::Lasting(store, id) => store.abort_multipart(&self.key, id).await,
            Target::Passing(upload) => upload.abort().await,
        };
        if let Err(fault) = aborted {
            tracing::warn!(%fault, key = %self.key, "could not abort an upload");
        }
    }

    /// Takes note of a part that was stored, or could not be.
    fn take_note(&mut self, joined: Result<Stored, JoinError>) -> Result<(), Error> {
        let (index, part) = joined.map_err(|fault| Error::Upload(fault.to_string()))?;
        if let Some(place) = self.parts.get_mut(index) {
            *place = Some(part?);
        }
        Ok(())
    }
}
