//! SHA-256 of stored objects, at the speed of the store: hashed on blocking threads while the next bytes are read.

mod batches;
mod hasher;

use futures::future;
use object_store::{GetResult, ObjectStore, ObjectStoreExt, path::Path};
use sha2::{Digest, Sha256};

use crate::Error;
use batches::Batches;

/// Reads a stored object and returns its SHA-256, in lower-case hex.
pub(crate) async fn sha256_of(store: &dyn ObjectStore, key: &Path) -> Result<String, Error> {
    let object = store.get(key).await?;
    sha256_of_opened(store, object, |_| {}).await
}

/// Reads an object that was just opened and returns its SHA-256, in lower-case hex. Calls `on_read` with the number of
/// bytes of each batch.
///
/// Two batches are in memory: one is hashed while the next one is read.
pub(crate) async fn sha256_of_opened(
    store: &dyn ObjectStore,
    object: GetResult,
    on_read: impl Fn(u64),
) -> Result<String, Error> {
    let mut batches = Batches::new(store, object);
    let mut digest = Sha256::new();
    let mut batch = batches.next().await?;
    while !batch.is_empty() {
        on_read(batch.iter().map(|chunk| chunk.len() as u64).sum());
        let hash = hasher::update(digest, batch);
        (digest, batch) = future::try_join(hash, batches.next()).await?;
    }
    Ok(hex::encode(digest.finalize()))
}
