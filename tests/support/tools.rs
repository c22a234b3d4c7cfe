//! Tools beyond Rust and Temporal that tests need.

use std::{
    error::Error,
    fmt,
    path::{Path, PathBuf},
};

/// Which tool is missing, and how it is installed.
#[derive(Debug)]
pub(crate) struct Missing(pub(crate) &'static str);

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl Error for Missing {}

/// Returns whether a test fails, instead of being ignored, if a tool that it needs is missing.
pub(crate) fn all_are_required() -> bool {
    std::env::var("REQUIRE_ALL_TOOLS").is_ok_and(|value| value == "1")
}

/// Locates a MinIO server.
pub(crate) fn minio() -> Result<PathBuf, Missing> {
    let installed = installed("minio");
    if installed.is_file() {
        return Ok(installed);
    }
    which::which("minio").map_err(|_| Missing("no `minio`: `ci/tools` installs it"))
}

/// Returns the path at which `ci/tools` installs a tool.
pub(crate) fn installed(path: &str) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_workspace = |directory: &&Path| directory.join("Cargo.lock").is_file();
    let workspace = package.ancestors().find(is_workspace);
    workspace.unwrap_or(package).join("target/tools").join(path)
}
