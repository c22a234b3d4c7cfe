//! A store in memory that keeps uploads as S3 does: the id of a part is that of its bytes, and an upload
//! that is completed with another is refused.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use object_store::{
    Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload, PutResult, Result, memory::InMemory,
    multipart::PartId, path::Path,
};
use sha2::{Digest, Sha256};

#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) objects: InMemory,
    /// Whether it completes no upload over an object.
    pub(crate) creates_only: bool,
    uploads: Mutex<Uploads>,
}

#[derive(Debug, Default)]
struct Uploads {
    begun: usize,
    open: BTreeMap<String, BTreeMap<usize, (String, Vec<u8>)>>,
}

impl Memory {
    pub(crate) fn new(creates_only: bool) -> Self {
        Self {
            creates_only,
            ..Self::default()
        }
    }

    /// Uploads that were neither completed nor aborted.
    pub(crate) fn open_uploads(&self) -> usize {
        self.lock().open.len()
    }

    pub(crate) fn begin(&self) -> String {
        let mut uploads = self.lock();
        uploads.begun += 1;
        let id = format!("upload-{}", uploads.begun);
        uploads.open.insert(id.clone(), BTreeMap::new());
        id
    }

    pub(crate) fn put_part(&self, id: &str, index: usize, part: PutPayload) -> Result<PartId> {
        // A copy: the memory of a part is the transfer's, which wants it back.
        let part: Vec<u8> = part.into_iter().flatten().collect();
        let content_id = hex::encode(Sha256::digest(&part));
        let mut uploads = self.lock();
        let upload = uploads.open.get_mut(id).ok_or_else(|| gone(id))?;
        upload.insert(index, (content_id.clone(), part));
        Ok(PartId { content_id })
    }

    pub(crate) async fn complete(
        &self,
        key: &Path,
        id: &str,
        parts: Vec<PartId>,
    ) -> Result<PutResult> {
        let upload = self.lock().open.get(id).cloned().ok_or_else(|| gone(id))?;
        let mut bytes = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            match upload.get(&index) {
                Some((content_id, part_bytes)) if *content_id == part.content_id => {
                    bytes.extend_from_slice(part_bytes);
                }
                _ => return Err(refused("InvalidPart")),
            }
        }
        let mode = match self.creates_only {
            true => PutMode::Create,
            false => PutMode::Overwrite,
        };
        let put = self
            .objects
            .put_opts(key, bytes.into(), mode.into())
            .await?;
        self.lock().open.remove(id);
        Ok(put)
    }

    pub(crate) fn abort(&self, id: &str) -> Result<()> {
        self.lock()
            .open
            .remove(id)
            .map(drop)
            .ok_or_else(|| gone(id))
    }

    pub(crate) async fn bytes(&self, key: &Path) -> Vec<u8> {
        let object = self.objects.get(key).await.unwrap();
        object.bytes().await.unwrap().to_vec()
    }

    fn lock(&self) -> MutexGuard<'_, Uploads> {
        self.uploads.lock().unwrap()
    }
}

fn gone(id: &str) -> Error {
    Error::NotFound {
        path: id.to_owned(),
        source: "NoSuchUpload".into(),
    }
}

pub(crate) fn refused(why: &'static str) -> Error {
    Error::Generic {
        store: "memory",
        source: why.into(),
    }
}
