//! An in-memory store with multipart uploads like those of S3: the id of a part is a digest of its bytes, and
//! completing an upload with the wrong id of a part fails.

use std::collections::BTreeMap;

use object_store::{
    Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload, PutResult, Result, memory::InMemory,
    multipart::PartId, path::Path,
};
use parking_lot::{Mutex, MutexGuard};
use sha2::{Digest, Sha256};

#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) objects: InMemory,
    /// Whether completing an upload fails if the key exists.
    pub(crate) has_conditional_complete: bool,
    uploads: Mutex<Uploads>,
}

#[derive(Debug, Default)]
struct Uploads {
    started: usize,
    incomplete: BTreeMap<String, BTreeMap<usize, (String, Vec<u8>)>>,
    /// Sizes of the parts of the upload that was completed last.
    completed: Vec<usize>,
}

impl Memory {
    pub(crate) fn new(has_conditional_complete: bool) -> Self {
        Self {
            has_conditional_complete,
            ..Self::default()
        }
    }

    /// Returns the number of uploads that were neither completed nor aborted.
    pub(crate) fn incomplete_uploads(&self) -> usize {
        self.lock().incomplete.len()
    }

    /// Returns the number of uploads that were started.
    pub(crate) fn started_uploads(&self) -> usize {
        self.lock().started
    }

    /// Returns the number of parts of uploads that were neither completed nor aborted.
    pub(crate) fn incomplete_parts(&self) -> usize {
        self.lock().incomplete.values().map(BTreeMap::len).sum()
    }

    /// Returns the sizes of the parts of the upload that was completed last.
    pub(crate) fn completed_parts(&self) -> Vec<usize> {
        self.lock().completed.clone()
    }

    pub(crate) fn start_upload(&self) -> String {
        let mut uploads = self.lock();
        uploads.started += 1;
        let id = format!("upload-{}", uploads.started);
        uploads.incomplete.insert(id.clone(), BTreeMap::new());
        id
    }

    pub(crate) fn put_part(&self, id: &str, index: usize, part: PutPayload) -> Result<PartId> {
        // A copy, because the transfer reuses the buffer of the part.
        let part = part.into_iter().collect::<Vec<_>>().concat();
        let content_id = hex::encode(Sha256::digest(&part));
        let mut uploads = self.lock();
        let upload = uploads
            .incomplete
            .get_mut(id)
            .ok_or_else(|| no_such_upload(id))?;
        upload.insert(index, (content_id.clone(), part));
        Ok(PartId { content_id })
    }

    pub(crate) async fn complete(
        &self,
        key: &Path,
        id: &str,
        parts: Vec<PartId>,
    ) -> Result<PutResult> {
        let upload = self
            .lock()
            .incomplete
            .get(id)
            .cloned()
            .ok_or_else(|| no_such_upload(id))?;
        let mut bytes = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            match upload.get(&index) {
                Some((content_id, part_bytes)) if *content_id == part.content_id => {
                    bytes.extend_from_slice(part_bytes);
                }
                _ => return Err(error("InvalidPart")),
            }
        }
        let mode = match self.has_conditional_complete {
            true => PutMode::Create,
            false => PutMode::Overwrite,
        };
        let put = self
            .objects
            .put_opts(key, bytes.into(), mode.into())
            .await?;
        let mut uploads = self.lock();
        uploads.incomplete.remove(id);
        uploads.completed = upload.values().map(|(_, part)| part.len()).collect();
        Ok(put)
    }

    pub(crate) fn abort(&self, id: &str) -> Result<()> {
        self.lock()
            .incomplete
            .remove(id)
            .map(drop)
            .ok_or_else(|| no_such_upload(id))
    }

    pub(crate) async fn bytes(&self, key: &Path) -> Vec<u8> {
        let object = self.objects.get(key).await.unwrap();
        object.bytes().await.unwrap().to_vec()
    }

    fn lock(&self) -> MutexGuard<'_, Uploads> {
        self.uploads.lock()
    }
}

fn no_such_upload(id: &str) -> Error {
    Error::NotFound {
        path: id.to_owned(),
        source: "NoSuchUpload".into(),
    }
}

pub(crate) fn error(text: &'static str) -> Error {
    Error::Generic {
        store: "memory",
        source: text.into(),
    }
}
