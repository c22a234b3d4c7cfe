use object_store::path::Path;

use super::verified::Verified;

/// Follows a verification, for example to show its progress. Several receipts are verified concurrently, so the calls
/// are in no order of keys.
pub trait Observer: Sync {
    /// A receipt was listed.
    fn on_listed(&self) {}

    /// Every receipt was listed, or the list failed.
    fn on_list_end(&self) {}

    /// Reading an object starts.
    fn on_open(&self, _key: &Path, _size: u64) {}

    /// Some more bytes of an object were read.
    fn on_read(&self, _key: &Path, _bytes: u64) {}

    /// Reading an object ended.
    fn on_close(&self, _key: &Path) {}

    /// A receipt was verified.
    fn on_verified(&self, _verified: &Verified) {}
}

/// Ignores everything.
impl Observer for () {}
