//! Whether a store does what an archive needs of it, by an object that is gone afterwards.

use object_store::{ObjectStoreExt, PutMode, PutOptions, path::PathPart};
use uuid::Uuid;

use super::{Archive, Format, staging::STAGING};

/// What a store did not do.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It takes no object.
    #[error("cannot write: {0}")]
    Write(object_store::Error),
    /// It wrote over an object where it was told not to.
    #[error("it writes over what is there, although told not to")]
    Overwrites,
    /// It does not give back what it was given.
    #[error("cannot read what was written: {0}")]
    Read(object_store::Error),
    /// It gave back something else.
    #[error("it gives back other bytes than it was given")]
    Changes,
    /// An object stays.
    #[error("cannot delete what was written: {0}")]
    Delete(object_store::Error),
}

const PROBE: Format = Format {
    name: "probe",
    content_type: "text/plain",
};
const BYTES: &[u8] = b"seedance-archiver looks whether it can archive here; this may be deleted";

impl Archive {
    /// Writes an object under `.staging/`, tries to write over it, reads it and deletes it.
    pub async fn probe(&self) -> Result<(), Unusable> {
        let name = format!("probe-{}", Uuid::new_v4());
        let parts = [STAGING, &name, PROBE.name].map(PathPart::from);
        let key = self.place.parts().chain(parts).collect();
        let put = || {
            let options = PutOptions {
                mode: PutMode::Create,
                ..self.put_options(PROBE, None)
            };
            self.store.put_opts(&key, BYTES.into(), options)
        };
        put().await.map_err(Unusable::Write)?;
        let again = put().await;
        let read = async { self.store.get(&key).await?.bytes().await }.await;
        let deleted = self.store.delete(&key).await;
        use object_store::Error::{AlreadyExists, Precondition};
        match again {
            Err(AlreadyExists { .. } | Precondition { .. }) => {}
            Ok(_) => return Err(Unusable::Overwrites),
            Err(error) => return Err(Unusable::Write(error)),
        }
        if read.map_err(Unusable::Read)? != BYTES {
            return Err(Unusable::Changes);
        }
        deleted.map_err(Unusable::Delete)
    }
}
