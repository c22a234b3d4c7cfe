//! Builds the Temporal CLI with Go.

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
};

use super::{
    child,
    install::Notify,
    process::ProcessGroup,
    release::{BUILDABLE, SQLITE},
};

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

/// Builds the CLI into a directory and returns its path.
///
/// # Errors
///
/// Returns an error if Go is not installed or the build fails.
pub(super) async fn build(directory: &Path, notify: &Notify<'_>) -> Result<PathBuf, String> {
    let go = which::which("go").map_err(|error| format!("Go is not installed ({error})"))?;
    notify(&format!(
        "building the Temporal CLI {BUILDABLE} with Go (first run only): takes 2 to 5 minutes"
    ));
    let text = |error: io::Error| error.to_string();
    std::fs::write(directory.join("go.mod"), module()).map_err(text)?;
    let log = tempfile::NamedTempFile::new_in(directory).map_err(text)?;
    let program = directory.join("temporal");
    let mut command = child::command(&go);
    child::inherit(&mut command, &INHERITED);
    command
        // `-mod=mod` adds the modules that `go.mod` does not name, with the versions that the CLI names. What debuggers
        // need is left out: it takes a sixth of the time.
        .args([
            "build",
            "-mod=mod",
            "-ldflags=-s -w",
            "-gcflags=all=-dwarf=false",
            "-o",
        ])
        .args([
            &program,
            Path::new("github.com/temporalio/cli/cmd/temporal"),
        ])
        .current_dir(directory)
        .env("GOWORK", "off")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log.reopen().map_err(text)?);
    let mut go = ProcessGroup::spawn(command).map_err(text)?;
    let status = go.exited().await;
    if program.is_file() {
        return Ok(program);
    }
    let log = std::fs::read_to_string(log.path()).unwrap_or_default();
    let last_line = log.lines().last().unwrap_or_default();
    Err(format!("{status}: {last_line}"))
}

/// Returns a `go.mod` for the build. The module needs no code: the package to build is in one that it requires.
fn module() -> String {
    format!(
        "module temporal\n\ngo 1.25\n\nrequire (\n\tgithub.com/temporalio/cli {BUILDABLE}\n\tmodernc.org/sqlite {SQLITE}\n)\n"
    )
}
