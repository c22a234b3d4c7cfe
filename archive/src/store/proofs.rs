use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use tokio::time::Instant;

/// Whether stores were proven never to replace an object, by bucket. Clones share the results.
#[derive(Clone, Debug, Default)]
pub(super) struct Proofs(Arc<Mutex<HashMap<String, BucketProof>>>);

/// The result of the last test of a bucket. The lock is held during a test, so that other transfers to the bucket wait for it.
pub(super) type BucketProof = Arc<tokio::sync::Mutex<Option<Proof>>>;

/// The result of testing a store.
#[derive(Debug)]
pub(super) enum Proof {
    /// Objects are created safely, large ones by this fallback of the archive, if any.
    Safe(Option<usize>),
    /// The store could replace an object.
    Unsafe { error: String, tested_at: Instant },
    /// The test failed, so nothing is known of the store.
    Failed { error: String, tested_at: Instant },
}

impl Proofs {
    /// Returns the result for a bucket.
    pub(super) fn of(&self, bucket: String) -> BucketProof {
        self.0.lock().entry(bucket).or_default().clone()
    }
}
