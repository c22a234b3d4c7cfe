use std::time::Duration;

use futures::future::join_all;
use object_store::{ObjectStoreExt, path::Path};
use parking_lot::Mutex;
use seedance_archiver_proto::v1::VideoTask;
use tokio::time::timeout;
use uuid::Uuid;

use super::{ProbeError, error::store_error};
use crate::{
    Archive,
    keys::{PROBE, staging_prefix},
    object::Format,
    store::{SavedUpload, Upload},
};

/// Format of the test objects.
pub(super) const RECORD: Format = Format {
    name: "probe",
    content_type: "text/plain",
};
/// Content of the test objects.
pub(super) const TEST_BYTES: &[u8] = b"write test of seedance-archiver; safe to delete";
/// Timeout of deleting a test object.
const DELETE_TIMEOUT: Duration = Duration::from_secs(10);

/// The objects and uploads that a probe creates, under a prefix of its own, so that they can be removed after any
/// error and after a timeout.
pub(super) struct TestObjects<'a> {
    archive: &'a Archive,
    prefix: Path,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    operation: &'static str,
    keys: Vec<Path>,
    uploads: Vec<SavedUpload>,
}

impl<'a> TestObjects<'a> {
    pub(super) fn new(archive: &'a Archive) -> Self {
        Self {
            archive,
            prefix: staging_prefix(&archive.url_prefix, PROBE, Uuid::new_v4()),
            state: Mutex::default(),
        }
    }

    /// Returns the prefix of all keys.
    pub(super) fn prefix(&self) -> Path {
        self.prefix.clone()
    }

    /// Returns the key of an object that is never created.
    pub(super) fn unused_key(&self, name: &str) -> Path {
        self.prefix.clone().join(name)
    }

    /// Returns the key of an object that will be created, and must be deleted.
    pub(super) fn key(&self, name: &str) -> Path {
        self.remember(self.unused_key(name))
    }

    /// Returns the key of an object that will be created where published objects are, which may be another file system than that
    /// of `.staging/`, and must be deleted.
    pub(super) fn published_key(&self, name: &str) -> Path {
        let id = self.prefix.filename().unwrap_or_default();
        self.remember(self.archive.root.clone().join(format!("{id}-{name}")))
    }

    fn remember(&self, key: Path) -> Path {
        let keys = &mut self.state.lock().keys;
        if !keys.contains(&key) {
            keys.push(key.clone());
        }
        key
    }

    /// Remembers an upload, which must be aborted unless it is completed.
    pub(super) fn add_upload(&self, upload: &Upload) {
        self.state.lock().uploads.extend(upload.save(0));
    }

    /// Forgets an upload, because it was completed or aborted.
    pub(super) fn forget_upload(&self, upload: Option<SavedUpload>) {
        let uploads = &mut self.state.lock().uploads;
        uploads.retain(|it| Some(it) != upload.as_ref());
    }

    /// Records the request that is sent next.
    pub(super) fn start(&self, operation: &'static str) {
        self.state.lock().operation = operation;
    }

    /// Returns the problem that the request that was sent last has no response.
    pub(super) fn timed_out(&self, timeout: Duration) -> ProbeError {
        ProbeError::Timeout {
            operation: self.state.lock().operation,
            seconds: timeout.as_secs(),
        }
    }

    /// Returns the task in the metadata of test objects.
    pub(super) fn task() -> VideoTask {
        VideoTask {
            id: "probe".to_owned(),
            model: "probe".to_owned(),
            ..VideoTask::default()
        }
    }

    /// Removes everything. Returns the keys that are left, with the errors.
    pub(super) async fn remove(self) -> Vec<(String, object_store::Error)> {
        let State { keys, uploads, .. } = self.state.into_inner();
        let archive = self.archive;
        let aborts = uploads.iter().map(async |saved| {
            if let Some(upload) = Upload::resume(archive, saved) {
                // An upload that cannot be aborted is invisible, and the probe reports the error of its own abort.
                let _ = timeout(DELETE_TIMEOUT, upload.abort()).await;
            }
        });
        join_all(aborts).await;
        let deletes = keys.iter().map(async |key| {
            let error = match timeout(DELETE_TIMEOUT, archive.store.delete(key)).await {
                Ok(Ok(()) | Err(object_store::Error::NotFound { .. })) => return None,
                Ok(Err(error)) => error,
                Err(_) => store_error(format!("no response within {} s", DELETE_TIMEOUT.as_secs())),
            };
            Some((key.to_string(), error))
        });
        join_all(deletes).await.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;
    use crate::{
        ObjectOptions,
        keys::{is_staged, is_test_copy},
    };

    #[tokio::test]
    async fn a_copy_lies_where_objects_are_published() {
        let store = InMemory::new();
        let archive = Archive::without_resumable_uploads("memory:///".parse().unwrap(), store);
        let options = ObjectOptions {
            prefix: Path::from("team"),
            ..ObjectOptions::default()
        };
        let archive = archive.with_prefix(Path::from("videos"), options);
        let test = TestObjects::new(&archive);
        let (staged, copied) = (test.key("staged"), test.published_key("copied"));
        assert!(is_staged(&archive.url_prefix, &staged), "{staged}");
        assert!(
            copied.as_ref().starts_with("videos/team/probe-"),
            "{copied}"
        );
        // So that `clean` finds it.
        assert!(copied.filename().is_some_and(is_test_copy), "{copied}");
        for key in [&staged, &copied] {
            archive.store.put(key, TEST_BYTES.into()).await.unwrap();
        }
        assert!(test.remove().await.is_empty());
        for key in [&staged, &copied] {
            assert!(archive.store.head(key).await.is_err(), "{key} is left");
        }
    }
}
