//! The directories of parts.

use std::path::Path;

use anyhow::Context;

/// The name of MinIO's directory.
pub(super) const STORE: &str = "minio";

/// Creates a directory.
pub(super) fn create(directory: &Path) -> anyhow::Result<()> {
    let failed = || format!("cannot create {}", directory.display());
    std::fs::create_dir_all(directory).with_context(failed)
}
