//! Builds the Temporal CLI with Go.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use super::{child, install::Notify, process::ProcessGroup};

/// Variables that Go and the network may need. Not those that switch off the check of modules against Go's checksum
/// database, such as GOSUMDB, GONOSUMDB, GOINSECURE and GOFLAGS.
const INHERITED: [&str; 16] = [
    "ALL_PROXY",
    "GOCACHE",
    "GOMODCACHE",
    "GOPATH",
    "GOPROXY",
    "GOROOT",
    "GOTMPDIR",
    "GOTOOLCHAIN",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// Builds a version of the CLI into a directory and returns its path.
///
/// # Errors
///
/// Returns an error if Go is not installed or the build fails.
pub(super) async fn build(
    version: &str,
    directory: &Path,
    notify: &Notify<'_>,
) -> Result<PathBuf, String> {
    let go = which::which("go").map_err(|error| format!("Go is not installed ({error})"))?;
    notify(&format!(
        "building the Temporal CLI {version} with Go (first run only): takes 2 to 5 minutes"
    ));
    let log = tempfile::NamedTempFile::new_in(directory).map_err(|error| error.to_string())?;
    let mut command = child::command(&go);
    child::inherit(&mut command, &INHERITED);
    command
        .arg("install")
        .arg(format!("github.com/temporalio/cli/cmd/temporal@{version}"))
        .env("GOBIN", directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log.reopen().map_err(|error| error.to_string())?);
    let mut go = ProcessGroup::spawn(command).map_err(|error| error.to_string())?;
    let status = go.exited().await;
    let program = directory.join("temporal");
    if program.is_file() {
        return Ok(program);
    }
    let log = std::fs::read_to_string(log.path()).unwrap_or_default();
    let last_line = log.lines().last().unwrap_or_default();
    Err(format!("{status}: {last_line}"))
}
