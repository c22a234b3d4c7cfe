//! Proves that a store never replaces an object, before the first transfer to it.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{
    LargeObjects, ProbeError, TIMEOUT, create_only, error::store_error, test_objects::TestObjects,
};
use crate::{
    Archive, Error,
    store::proofs::{Proof, Proofs},
};

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
        let Some(Proofs(proofs)) = self.proofs() else {
            return Ok(self.clone());
        };
        let bucket = self.bucket();
        // Other transfers wait for the test, instead of testing too.
        let mut proofs = proofs.lock().await;
        match proofs.get(&bucket) {
            Some(Proof::Safe(fallback)) => return Ok(self.with_fallback(*fallback)),
            Some(Proof::Unsafe { error, tested_at }) if tested_at.elapsed() < RETRY_INTERVAL => {
                return Err(Error::UnsafeStore(error.clone()));
            }
            _ => {}
        }
        let fallback = match self.prove().await {
            Ok(fallback) => fallback,
            Err(error) if error.is_unsafe_store() => {
                let error = error.to_string();
                tracing::error!(archive = bucket, error, "nothing is archived in this store");
                let tested_at = Instant::now();
                let text = error.clone();
                proofs.insert(bucket, Proof::Unsafe { error, tested_at });
                return Err(Error::UnsafeStore(text));
            }
            Err(error) => return Err(error.into_store_error().into()),
        };
        if let Some(Proof::Unsafe { .. }) = proofs.insert(bucket.clone(), Proof::Safe(fallback)) {
            tracing::info!(
                archive = bucket,
                "the store no longer replaces objects; archiving"
            );
        }
        Ok(self.with_fallback(fallback))
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
