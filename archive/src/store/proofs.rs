use std::{collections::HashMap, sync::Arc};

use tokio::{sync::Mutex, time::Instant};

/// Whether stores were proven never to replace an object, by bucket. Clones share the results.
#[derive(Clone, Debug, Default)]
pub(super) struct Proofs(pub(super) Arc<Mutex<HashMap<String, Proof>>>);

/// The result of testing a store.
#[derive(Debug)]
pub(super) enum Proof {
    /// Objects are created safely, large ones by this fallback of the archive, if any.
    Safe(Option<usize>),
    /// The store could replace an object.
    Unsafe { error: String, tested_at: Instant },
}
