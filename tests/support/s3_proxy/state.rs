//! What a proxy knows while it runs.

use std::sync::atomic::AtomicUsize;

use super::{
    dialects::Dialects, parts::Parts, refusals::Conflicts, uploads::OpenUploads, upstream::Upstream,
};

pub(super) struct ProxyState {
    pub(super) upstream: Upstream,
    pub(super) dialects: Dialects,
    /// How many requests were answered as during an outage.
    pub(super) refused: AtomicUsize,
    pub(super) conflicts: Conflicts,
    pub(super) parts: Parts,
    pub(super) open_uploads: OpenUploads,
}

impl ProxyState {
    pub(super) fn new(upstream: Upstream) -> Self {
        Self {
            upstream,
            dialects: Dialects::default(),
            refused: AtomicUsize::new(0),
            conflicts: Conflicts::default(),
            parts: Parts::default(),
            open_uploads: OpenUploads::default(),
        }
    }
}
