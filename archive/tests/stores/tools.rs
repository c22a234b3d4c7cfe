//! Locates the programs of the servers.

#[path = "../../../tests/support/tools.rs"]
mod shared;

use std::path::PathBuf;

use shared::installed;
pub(crate) use shared::{Missing, all_are_required, minio};

/// Returns the path of Azurite's blob server.
pub(crate) fn azurite() -> Result<PathBuf, Missing> {
    let installed = installed("azurite/node_modules/.bin/azurite-blob");
    if installed.is_file() {
        return Ok(installed);
    }
    which::which("azurite-blob").map_err(|_| Missing("no `azurite-blob`: `ci/tools` installs it"))
}
