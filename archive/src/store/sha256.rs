//! SHA-256 of stored objects, at the speed of the store: a thread hashes while the next bytes are read.

mod batches;

use bytes::Bytes;
use object_store::{GetResult, ObjectStore, ObjectStoreExt, path::Path};
use sha2::{Digest, Sha256};
use tokio::{sync::mpsc, task::spawn_blocking};

use crate::Error;
use batches::Batches;

/// Number of batches that wait for the thread.
const READ_AHEAD: usize = 2;

/// Reads a stored object and returns its SHA-256, in lower-case hex.
pub(crate) async fn sha256_of(store: &dyn ObjectStore, key: &Path) -> Result<String, Error> {
    let object = store.get(key).await?;
    sha256_of_opened(store, object, |_| {}).await
}

/// Reads an object that was just opened and returns its SHA-256, in lower-case hex. Calls `on_read` with the number of
/// bytes of each batch.
///
/// Four batches are in memory: the one that is read, the one that is hashed, and those between them.
pub(crate) async fn sha256_of_opened(
    store: &dyn ObjectStore,
    object: GetResult,
    on_read: impl Fn(u64),
) -> Result<String, Error> {
    let mut batches = Batches::new(store, object);
    let (sender, receiver) = mpsc::channel(READ_AHEAD);
    let digest = spawn_blocking(|| digest(receiver));
    loop {
        let batch = batches.next().await?;
        let length: u64 = batch.iter().map(|chunk| chunk.len() as u64).sum();
        // Fails if the thread panicked.
        if batch.is_empty() || sender.send(batch).await.is_err() {
            break;
        }
        on_read(length);
    }
    drop(sender);
    Ok(hex::encode(
        digest.await.map_err(object_store::Error::from)?,
    ))
}

/// Hashes batches until the sender is dropped.
fn digest(mut batches: mpsc::Receiver<Vec<Bytes>>) -> impl AsRef<[u8]> {
    let mut digest = Sha256::new();
    while let Some(batch) = batches.blocking_recv() {
        for chunk in batch {
            digest.update(&chunk);
        }
    }
    digest.finalize()
}
