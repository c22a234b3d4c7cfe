//! Tests a store with temporary objects, by the requests of a transfer, of `verify` and of `clean`.

mod create_only;
mod error;
mod proof;
mod report;
mod test_objects;

use std::time::Duration;

use futures::StreamExt;
use object_store::{ObjectStoreExt, PutMode, PutOptions, UpdateVersion};

pub use error::ProbeError;
pub use report::ProbeReport;

use super::{Archive, list_incomplete_uploads};
use create_only::LargeObjects;
use error::is_exists;
use test_objects::{RECORD, TEST_BYTES, TestObjects};

/// Timeout of all requests of a probe. The client of a store retries for minutes.
const TIMEOUT: Duration = Duration::from_secs(30);

impl Archive {
    /// Tests the store by the requests that the product sends: reads a missing object, creates, replaces and reads
    /// an object, uploads an object in parts with the account's options, and lists. Asserts that creating an object
    /// never replaces one. Works under `.staging/`, copies to a key beside the directories of tasks, and deletes what it
    /// wrote.
    ///
    /// The report contains every problem that was found. After a problem that makes the others certain, no more
    /// requests are sent.
    pub async fn probe(&self) -> ProbeReport {
        self.probe_within(TIMEOUT).await
    }

    /// Tests the store as [`probe`](Self::probe) does. If the requests take longer than `timeout`, the report says
    /// for which one the probe waited.
    pub async fn probe_within(&self, timeout: Duration) -> ProbeReport {
        let test = TestObjects::new(self);
        let mut problems = Vec::new();
        let run = self.run_probe(&test, &mut problems);
        if tokio::time::timeout(timeout, run).await.is_err() {
            problems.push(test.timed_out(timeout));
        }
        let (left, errors): (Vec<_>, Vec<_>) = test.remove().await.into_iter().unzip();
        problems.extend(errors.into_iter().next().map(ProbeError::Delete));
        ProbeReport { problems, left }
    }

    /// Writes a test object under `.staging/`, and deletes it.
    ///
    /// # Errors
    ///
    /// Returns the error of the store if it does not accept the object.
    pub(crate) async fn check_writable(&self) -> object_store::Result<()> {
        let test = TestObjects::new(self);
        let options = self.put_options(RECORD, None);
        let written = self
            .store
            .put_opts(&test.key("writable"), TEST_BYTES.into(), options)
            .await;
        // `clean` finds what cannot be deleted.
        test.remove().await;
        written.map(drop)
    }

    async fn run_probe(&self, test: &TestObjects<'_>, problems: &mut Vec<ProbeError>) {
        let missing = self.probe_missing(test).await.err();
        match self.probe_record(test).await {
            Ok(()) => problems.extend(missing),
            // Nothing else can work. A missing object is then not worth a mention: the cause is the same.
            Err(error @ ProbeError::Write(_)) => return problems.push(error),
            Err(error) => {
                problems.extend(missing);
                return problems.push(error);
            }
        }
        problems.extend(self.probe_replacement(test).await.err());
        match create_only::large_objects(self, test).await {
            Ok(LargeObjects::AsConfigured) => {}
            Ok(LargeObjects::Fallback { index, reason }) => {
                problems.push(ProbeError::CopiesInstead {
                    reason: Box::new(reason),
                    header: self.fallback_header(index),
                });
            }
            Err(error) => problems.push(error),
        }
        let aborted = create_only::abort(self, test).await;
        // An upload that cannot even be started was reported before.
        let is_new = |error: &ProbeError| matches!(error, ProbeError::AbortUpload(_));
        problems.extend(aborted.err().filter(is_new));
        problems.extend(self.probe_lists(test).await);
    }

    /// Reads an object that does not exist, as a transfer does before it starts.
    async fn probe_missing(&self, test: &TestObjects<'_>) -> Result<(), ProbeError> {
        use object_store::Error::NotFound;
        test.start("HEAD of a missing object");
        let key = test.unused_key("missing");
        let head = self.store.head(&key).await.map(drop);
        test.start("GET of a missing object");
        let get = self.store.get(&key).await.map(drop);
        match (head, get) {
            (Err(NotFound { .. }), Err(NotFound { .. })) => Ok(()),
            (Err(error), Err(NotFound { .. })) | (_, Err(error)) => {
                Err(ProbeError::MissingObject(error))
            }
            (_, Ok(())) => Err(ProbeError::FindsMissingObject),
        }
    }

    /// Creates an object as a receipt is created, and reads it.
    async fn probe_record(&self, test: &TestObjects<'_>) -> Result<(), ProbeError> {
        let key = create_only::put(self, test).await?;
        test.start("GET");
        let read = async { self.store.get(&key).await?.bytes().await }.await;
        if read.map_err(ProbeError::Read)? != TEST_BYTES {
            return Err(ProbeError::ReadBackMismatch);
        }
        Ok(())
    }

    /// Replaces an object as `outcome.json` and a stale `task.json` are replaced.
    async fn probe_replacement(&self, test: &TestObjects<'_>) -> Result<(), ProbeError> {
        let key = test.key("replaced");
        let put = |mode: PutMode| {
            let options = PutOptions {
                mode,
                ..self.put_options(RECORD, None)
            };
            self.store.put_opts(&key, TEST_BYTES.into(), options)
        };
        test.start("PutObject");
        put(PutMode::Overwrite).await.map_err(ProbeError::Replace)?;
        let first = put(PutMode::Overwrite).await.map_err(ProbeError::Replace)?;
        test.start("PutObject with `If-Match`");
        let version = UpdateVersion::from(first);
        match put(PutMode::Update(version.clone())).await {
            Ok(_) => {}
            // A local file system does not support conditional updates; there is no other worker to race with.
            Err(error) if self.directory().is_some() && error::is_unsupported(&error) => {
                return Ok(());
            }
            Err(error) => return Err(ProbeError::ConditionalReplace(error)),
        }
        let other = UpdateVersion {
            e_tag: Some(OTHER_ETAG.to_owned()),
            version: version.version.map(|_| "1".to_owned()),
        };
        match put(PutMode::Update(other)).await {
            Err(error) if is_exists(&error) => Ok(()),
            Err(error) => Err(ProbeError::ConditionalReplace(error)),
            Ok(_) => Err(ProbeError::ReplacesChanged),
        }
    }

    /// Lists objects, and incomplete uploads if the store has them.
    async fn probe_lists(&self, test: &TestObjects<'_>) -> Vec<ProbeError> {
        test.start("ListObjectsV2");
        let first = self.store.list(Some(&self.root)).next().await;
        let listed = first.transpose().map_err(ProbeError::List);
        let mut problems: Vec<_> = listed.err().into_iter().collect();
        if let Some(signer) = &self.upload_list_signer {
            test.start("ListMultipartUploads");
            let uploads = list_incomplete_uploads(signer.as_ref(), &test.prefix()).await;
            let listed = uploads.map_err(|error| ProbeError::ListUploads(error.to_string()));
            problems.extend(listed.err());
        }
        problems
    }
}

/// An ETag that no object has: that of an MD5 of zeros.
const OTHER_ETAG: &str = "\"00000000000000000000000000000000\"";
