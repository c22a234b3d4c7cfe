//! Locates the Temporal CLI: an installed one, or one that is downloaded or built into the user's cache
//! directory.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use etcetera::BaseStrategy;
use temporalio_sdk_core::ephemeral_server::{
    EphemeralExe, EphemeralExeVersion, TemporalDevServerConfig,
};
use tokio::process::Command;

use super::process::ProcessGroup;

/// Variable with the path of the Temporal CLI.
const PATH_VARIABLE: &str = "SEEDANCE_TEMPORAL_CLI";
/// Version to install: the last one that `go install` can build.
const VERSION: &str = "v1.5.1";
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(180);

/// The Temporal CLI was not found and could not be installed.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot find or install the Temporal CLI; tried:{}\nfix: one of\n  \
     - install the Temporal CLI (https://docs.temporal.io/cli), with `temporal` on PATH\n  \
     - set {PATH_VARIABLE} to the path of the `temporal` program\n  \
     - install Go 1.24 or later (https://go.dev/dl) and run this command again", list(.tried))]
pub struct LocateError {
    /// Each source that was tried, with its error.
    pub tried: Vec<String>,
}

fn list(tried: &[String]) -> String {
    tried.iter().map(|tried| format!("\n  - {tried}")).collect()
}

/// Returns the path of the Temporal CLI. Tries, in this order: the path in `SEEDANCE_TEMPORAL_CLI`,
/// `temporal` on `PATH`, one installed by an earlier call, a download, and a build with Go. Calls
/// `notify` before each step that can take long.
///
/// # Errors
///
/// Returns an error if every source fails. If `SEEDANCE_TEMPORAL_CLI` is set and its file does not exist,
/// nothing else is tried.
pub async fn locate(notify: &(dyn Fn(&str) + Send + Sync)) -> Result<PathBuf, LocateError> {
    let mut tried = Vec::new();
    if let Some(path) = std::env::var_os(PATH_VARIABLE).map(PathBuf::from) {
        return if path.is_file() {
            Ok(path)
        } else {
            tried.push(format!(
                "{PATH_VARIABLE}: no such file: `{}`",
                path.display()
            ));
            Err(LocateError { tried })
        };
    }
    match which::which("temporal") {
        Ok(path) => return Ok(path),
        Err(error) => tried.push(format!("`temporal` on PATH: {error}")),
    }
    let cache = match cache_directory() {
        Ok(cache) => cache,
        Err(error) => {
            tried.push(error);
            return Err(LocateError { tried });
        }
    };
    install(&cache, notify, tried).await
}

/// Returns the installed CLI, or installs it into the cache directory.
async fn install(
    cache: &Path,
    notify: &(dyn Fn(&str) + Send + Sync),
    mut tried: Vec<String>,
) -> Result<PathBuf, LocateError> {
    let installed = cache.join(format!("temporal-{VERSION}"));
    if installed.is_file() {
        return Ok(installed);
    }
    notify(&format!(
        "downloading the Temporal CLI {VERSION} (first run only)"
    ));
    let downloaded = tokio::time::timeout(DOWNLOAD_TIMEOUT, download(cache)).await;
    // A complete download counts, even if the server did not start in time.
    if installed.is_file() {
        return Ok(installed);
    }
    let error = match downloaded {
        Ok(Ok(())) => format!("`{}` is missing afterwards", installed.display()),
        Ok(Err(error)) => error,
        Err(_) => format!("timed out after {} s", DOWNLOAD_TIMEOUT.as_secs()),
    };
    tried.push(format!(
        "download: cannot download the Temporal CLI {VERSION}: {error}"
    ));
    match build(cache, &installed, notify).await {
        Ok(()) => Ok(installed),
        Err(error) => {
            tried.push(format!("`go install`: {error}"));
            Err(LocateError { tried })
        }
    }
}

fn cache_directory() -> Result<PathBuf, String> {
    let cache = etcetera::choose_base_strategy()
        .map_err(|error| format!("cannot determine the cache directory: {error}"))?
        .cache_dir()
        .join("seedance-archiver");
    std::fs::create_dir_all(&cache).map_err(|error| {
        let path = cache.display();
        format!("cannot create the cache directory `{path}`: {error}")
    })?;
    Ok(cache)
}

/// Downloads the CLI to `temporal-{version}` in the cache directory. The SDK can only download it to
/// start a server, so the server is started and stopped. The file appears when it is complete.
async fn download(cache: &Path) -> Result<(), String> {
    let exe = EphemeralExe::CachedDownload {
        version: EphemeralExeVersion::Fixed(VERSION.to_owned()),
        dest_dir: Some(cache.display().to_string()),
        ttl: None,
    };
    let mut server = TemporalDevServerConfig::builder()
        .exe(exe)
        .build()
        .start_server_with_output(Stdio::null(), Stdio::null())
        .await
        .map_err(|error| error.to_string())?;
    server.shutdown().await.map_err(|error| error.to_string())
}

/// Builds the CLI with Go in a temporary directory and moves it to `target` when it is complete, so that no
/// other process runs an incomplete file.
async fn build(
    cache: &Path,
    target: &Path,
    notify: &(dyn Fn(&str) + Send + Sync),
) -> Result<(), String> {
    let go = which::which("go").map_err(|error| format!("Go is not installed ({error})"))?;
    notify("building the Temporal CLI with Go (first run only): takes 2 to 5 minutes");
    let directory = tempfile::tempdir_in(cache).map_err(|error| error.to_string())?;
    let log = tempfile::NamedTempFile::new_in(&directory).map_err(|error| error.to_string())?;
    let mut command = Command::new(go);
    command
        .args([
            "install",
            &format!("github.com/temporalio/cli/cmd/temporal@{VERSION}"),
        ])
        .env("GOBIN", directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log.reopen().map_err(|error| error.to_string())?);
    let mut go = ProcessGroup::spawn(command).map_err(|error| error.to_string())?;
    let status = go.exited().await;
    std::fs::rename(directory.path().join("temporal"), target).map_err(|_| {
        let log = std::fs::read_to_string(log.path()).unwrap_or_default();
        let last_line = log.lines().last().unwrap_or_default();
        format!("{status}: {last_line}")
    })
}
