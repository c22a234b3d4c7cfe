//! Tests a store with a temporary object.

use object_store::{
    Error::{AlreadyExists, Precondition},
    ObjectStoreExt, PutMode, PutOptions,
    path::PathPart,
};
use uuid::Uuid;

use super::Archive;
use crate::{keys::STAGING, object::Format};

/// The operation of a store that failed in a probe.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The put failed.
    #[error("cannot write the test object: {0}")]
    Write(object_store::Error),
    /// A create-only put replaced an object.
    #[error("a create-only put replaced an existing object")]
    Overwrites,
    /// A create-only put to an existing key failed with an error other than that the key exists.
    #[error("a conditional put of an existing object failed: {0}")]
    ConditionalPut(object_store::Error),
    /// The get failed.
    #[error("cannot read the test object: {0}")]
    Read(object_store::Error),
    /// The get returned different bytes.
    #[error("read-back mismatch: the store returned different bytes")]
    ReadBackMismatch,
    /// The test object could not be deleted.
    #[error("cannot delete the test object: {0}")]
    Delete(object_store::Error),
}

const TEST_FORMAT: Format = Format {
    name: "probe",
    content_type: "text/plain",
};
const TEST_BYTES: &[u8] = b"write test of seedance-archiver; safe to delete";

impl Archive {
    /// Writes an object under `.staging/`, tries to replace it with a create-only put, reads it and deletes it.
    ///
    /// # Errors
    ///
    /// Returns an error if the store rejects an operation, replaces the object or returns different bytes.
    pub async fn probe(&self) -> Result<(), ProbeError> {
        let name = format!("probe-{}", Uuid::new_v4());
        let parts = [STAGING, &name, TEST_FORMAT.name].map(PathPart::from);
        let key = self.url_prefix.parts().chain(parts).collect();
        let put = || {
            let options = PutOptions {
                mode: PutMode::Create,
                ..self.put_options(TEST_FORMAT, None)
            };
            self.store.put_opts(&key, TEST_BYTES.into(), options)
        };
        put().await.map_err(ProbeError::Write)?;
        let second_put = put().await;
        let read = async { self.store.get(&key).await?.bytes().await }.await;
        // Delete the object before checking any result, so that it never remains in the store.
        let deleted = self.store.delete(&key).await;
        match second_put {
            Err(AlreadyExists { .. } | Precondition { .. }) => {}
            Ok(_) => return Err(ProbeError::Overwrites),
            Err(error) => return Err(ProbeError::ConditionalPut(error)),
        }
        if read.map_err(ProbeError::Read)? != TEST_BYTES {
            return Err(ProbeError::ReadBackMismatch);
        }
        deleted.map_err(ProbeError::Delete)
    }
}
