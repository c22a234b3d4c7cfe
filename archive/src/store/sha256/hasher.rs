//! Hashes on blocking threads, so that no task waits behind a digest.

use std::{num::NonZero, sync::LazyLock, thread::available_parallelism};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::Error;

/// One slot for each core, shared by all digests of the process: more threads would only take time from each other.
static SLOTS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, NonZero::get)));

/// Adds chunks to a digest.
pub(super) async fn update(mut digest: Sha256, chunks: Vec<Bytes>) -> Result<Sha256, Error> {
    // The semaphore is never closed.
    let slot = SLOTS.acquire().await.ok();
    let hash = spawn_blocking(move || {
        let _slot = slot;
        for chunk in chunks {
            digest.update(&chunk);
        }
        digest
    });
    Ok(hash.await.map_err(object_store::Error::from)?)
}
