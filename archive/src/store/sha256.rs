use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, path::Path};
use sha2::{Digest, Sha256};

use crate::Error;

/// Reads a stored object and returns its SHA-256, in lower-case hex.
pub(crate) async fn sha256_of(store: &dyn ObjectStore, key: &Path) -> Result<String, Error> {
    let mut digest = Sha256::new();
    let mut bytes = store.get(key).await?.into_stream();
    while let Some(chunk) = bytes.try_next().await? {
        digest.update(&chunk);
    }
    Ok(hex::encode(digest.finalize()))
}
