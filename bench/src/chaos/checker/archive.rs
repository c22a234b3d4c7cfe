//! An archive that is checked.

use std::{path::PathBuf, sync::Arc};

use object_store::ObjectStore;

/// A store with an archive.
#[derive(Clone)]
pub(in crate::chaos) struct Archive {
    /// Begins the names of objects in findings.
    pub(in crate::chaos) name: &'static str,
    /// Where the archive is in the store.
    pub(in crate::chaos) prefix: &'static str,
    pub(in crate::chaos) store: Arc<dyn ObjectStore>,
    /// The directory of the store, if it is one.
    pub(in crate::chaos) directory: Option<PathBuf>,
}

impl Archive {
    /// The name of the archive in the bucket.
    pub(in crate::chaos) const BUCKET: &str = "bucket";
    /// The name of the archive on the small disk.
    pub(in crate::chaos) const DISK: &str = "disk";
}
