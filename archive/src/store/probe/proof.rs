//! Proves that a store never replaces an object, before the first transfer to it.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{
    LargeObjects, ProbeError, TIMEOUT, create_only, error::store_error, test_objects::TestObjects,
};
use crate::{Archive, Error, store::proofs::Proof};

/// How long an unsafe store is not tested again, while other transfers fail with the same error.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

impl Archive {
    /// Returns this archive, in a way in which the store creates objects without ever replacing one. Tests the store
    /// once per bucket, or until it is safe. The stores of [`from_store`](Self::from_store) and local archives are
    /// not tested.
    ///
    /// # Errors
    ///
    /// [`Error::UnsafeStore`] if the store could replace an object, or another error if it cannot be tested.
    pub(crate) async fn proven(&self) -> Result<Self, Error> {
        let Some(proofs) = self.proofs() else {
            return Ok(self.clone());
        };
        let asked_at = Instant::now();
        let bucket_proof = proofs.of(self.bucket());
        // Other transfers to this bucket wait for the test, instead of testing too.
        let mut proof = bucket_proof.lock().await;
        match &*proof {
            Some(Proof::Safe(fallback)) => return Ok(self.with_fallback(*fallback)),
            Some(Proof::Unsafe { error, tested_at }) if tested_at.elapsed() < RETRY_INTERVAL => {
                return Err(Error::UnsafeStore(error.clone()));
            }
            // This transfer waited for the test. Otherwise each of those that wait would test a store that hangs, one after
            // another.
            Some(Proof::Failed { error, tested_at }) if *tested_at > asked_at => {
                return Err(store_error(error.clone()).into());
            }
            _ => {}
        }
        let archive = self.bucket();
        match self.prove().await {
            Ok(fallback) => {
                if let Some(Proof::Unsafe { .. }) = proof.replace(Proof::Safe(fallback)) {
                    tracing::info!(archive, "the store no longer replaces objects; archiving");
                }
                Ok(self.with_fallback(fallback))
            }
            Err(error) if error.is_unsafe_store() => {
                let error = error.to_string();
                tracing::error!(archive, error, "nothing is archived in this store");
                *proof = Some(Proof::Unsafe {
                    error: error.clone(),
                    tested_at: Instant::now(),
                });
                Err(Error::UnsafeStore(error))
            }
            Err(error) => {
                *proof = Some(Proof::Failed {
                    error: error.to_string(),
                    tested_at: Instant::now(),
                });
                Err(error.into_store_error().into())
            }
        }
    }

    /// Returns the fallback for large objects.
    async fn prove(&self) -> Result<Option<usize>, ProbeError> {
        let test = TestObjects::new(self);
        let run = async {
            create_only::put(self, &test).await?;
            create_only::large_objects(self, &test).await
        };
        let result = timeout(TIMEOUT, run)
            .await
            .unwrap_or_else(|_| Err(test.timed_out(TIMEOUT)));
        for (key, error) in test.remove().await {
            tracing::warn!(key, %error, "cannot delete a test object");
        }
        match result? {
            LargeObjects::AsConfigured => Ok(None),
            LargeObjects::Fallback { index, reason } => {
                let header = self.fallback_header(index);
                tracing::warn!(%reason, header, "large objects are staged and copied instead");
                Ok(Some(index))
            }
        }
    }
}

impl ProbeError {
    /// Returns the error of the store, or an error with the text of this one.
    fn into_store_error(self) -> object_store::Error {
        let text = self.to_string();
        match self {
            Self::Write(error) | Self::StartUpload(error) | Self::UploadPart(error) => error,
            _ => store_error(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, sync::Arc};

    use futures::{FutureExt, TryStreamExt, future::join};
    use object_store::{
        memory::InMemory,
        throttle::{ThrottleConfig, ThrottledStore},
    };
    use secrecy::SecretString;
    use seedance_archiver_clock::Clock;
    use seedance_archiver_proto::v1::{Manifest, VideoTask};
    use uuid::Uuid;

    use super::*;
    use crate::{
        AttemptKeys, Buffers, KeyTemplate, Layout, ObjectKind, Progress, TaskArchival, TaskSource,
        TransferResources, UrlSource,
        checks::Mismatch,
        fetch::{UrlHosts, VideoClient},
    };

    /// Returns an archive whose store answers a put after this time.
    fn archive(url: &str, put: Duration) -> Archive {
        let config = ThrottleConfig {
            wait_put_per_call: put,
            ..ThrottleConfig::default()
        };
        let store = ThrottledStore::new(InMemory::new(), config);
        Archive::without_resumable_uploads(url.parse().unwrap(), store).with_proof()
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_hangs_holds_up_no_transfer_to_another_bucket() {
        let own = archive("s3://own/videos", Duration::ZERO);
        own.proven().await.unwrap();
        let destination = archive("s3://team/videos", Duration::MAX).sharing(&own);
        let mut test = pin!(destination.proven());
        assert!(test.as_mut().now_or_never().is_none());
        let proven = own.proven().now_or_never();
        assert!(proven.is_some_and(|result| result.is_ok()));
    }

    #[tokio::test(start_paused = true)]
    async fn transfers_that_wait_for_a_test_share_its_error() {
        let destination = archive("s3://team/videos", Duration::MAX);
        let started = Instant::now();
        let (tested, waited) = join(destination.proven(), destination.proven()).await;
        assert_eq!(started.elapsed().as_secs(), 30, "the store was tested once");
        for result in [tested, waited] {
            let error = result.unwrap_err().to_string();
            assert!(error.contains("no response to PutObject"), "{error}");
        }
        let later = destination.proven();
        assert!(later.await.is_err());
        assert_eq!(started.elapsed().as_secs(), 60, "it is tested again");
    }

    /// A task that has a record and no URL.
    struct NoUrl;

    impl TaskSource for NoUrl {
        type Error = Error;

        fn urls(&self, _: ObjectKind) -> impl UrlSource<Error = Error> + Send {
            Self
        }

        async fn record(&self) -> String {
            "{}".to_owned()
        }

        fn skip(&self, _: ObjectKind, error: Error) -> Result<String, Error> {
            Err(error)
        }
    }

    impl UrlSource for NoUrl {
        type Error = Error;

        async fn first_url(&mut self) -> Result<SecretString, Error> {
            Err(Error::Download("no URL".to_owned()))
        }

        async fn fresh_url(&mut self, rejected: Error) -> Result<SecretString, Error> {
            Err(rejected)
        }
    }

    #[tokio::test]
    async fn an_archival_tests_its_store_before_it_writes_the_record() {
        // It completes an upload although the key exists.
        let store = Arc::new(InMemory::new());
        let archive = Archive::from_store("s3://own/videos".parse().unwrap(), store);
        let archive = archive.with_conditional_complete().with_proof();
        let task = VideoTask {
            id: "cgt-1".to_owned(),
            ..VideoTask::default()
        };
        let layout = Layout::new(&archive.root, &KeyTemplate::default(), "default", &task);
        let resources = TransferResources {
            client: VideoClient::new(UrlHosts::new(["volces.com"])).unwrap(),
            buffers: Buffers::default(),
            clock: Clock::default(),
        };
        let progress = Progress::default();
        let archival = TaskArchival {
            archive: &archive,
            keys: AttemptKeys {
                layout: &layout,
                attempt_id: Uuid::nil(),
            },
            task: &task,
            mismatch: Mismatch::Warn,
            attempt: 1,
            resources: &resources,
            progress: &progress,
        };
        let error = archival.run(&NoUrl, Manifest::default()).await.unwrap_err();
        assert!(matches!(error, Error::UnsafeStore(_)), "{error}");
        let objects: Vec<_> = archive.store.list(None).try_collect().await.unwrap();
        assert!(objects.is_empty(), "{objects:?}");
    }
}
