//! Tests whether a store supports what an archive needs, with an object that is deleted afterwards.

use object_store::{
    Error::{AlreadyExists, Precondition},
    ObjectStoreExt, PutMode, PutOptions,
    path::PathPart,
};
use uuid::Uuid;

use super::Archive;
use crate::{keys::STAGING, object::Format};

/// Which operation of a store failed.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The put failed.
    #[error("cannot write: {0}")]
    Write(object_store::Error),
    /// A create-only put replaced an object.
    #[error("a create-only put replaced an existing object")]
    Overwrites,
    /// The get failed.
    #[error("cannot read the test object: {0}")]
    Read(object_store::Error),
    /// The get returned other bytes.
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
    /// Writes an object under `.staging/`, tries to replace it, reads it and deletes it.
    ///
    /// # Errors
    ///
    /// If the store refuses an operation, replaces the object or returns other bytes.
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
        // Deleted before any result is checked, so that no test object stays behind.
        let deleted = self.store.delete(&key).await;
        match second_put {
            Err(AlreadyExists { .. } | Precondition { .. }) => {}
            Ok(_) => return Err(ProbeError::Overwrites),
            Err(error) => return Err(ProbeError::Write(error)),
        }
        if read.map_err(ProbeError::Read)? != TEST_BYTES {
            return Err(ProbeError::ReadBackMismatch);
        }
        deleted.map_err(ProbeError::Delete)
    }
}
