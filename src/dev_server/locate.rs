//! Finds a program that can be a Temporal server: one that is there, or one that can be fetched and
//! kept under the user's cache directory.

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

/// Names the program where it is not on `PATH`.
const PATH_VARIABLE: &str = "SEEDANCE_TEMPORAL_CLI";
/// Version that is fetched: the last one that `go install` can build.
const VERSION: &str = "v1.5.1";
/// Longest time for a download.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(180);

/// No Temporal server could be found or fetched.
#[derive(Debug, thiserror::Error)]
#[error(
    "found no Temporal server. Tried:{}\nTo fix it, do one of these:\n  \
     - install the Temporal CLI (https://docs.temporal.io/cli) so that `temporal` is on PATH\n  \
     - set {PATH_VARIABLE} to the path of the `temporal` program\n  \
     - install Go 1.24 or later (https://go.dev/dl) and run this again", list(.tried))]
pub struct CannotLocate {
    /// Each place and what was wrong with it.
    pub tried: Vec<String>,
}

fn list(tried: &[String]) -> String {
    tried.iter().map(|place| format!("\n  - {place}")).collect()
}

/// Looks in this order: the path in `SEEDANCE_TEMPORAL_CLI`, `temporal` on `PATH`, what an earlier
/// call fetched, a download, a build with Go.
pub async fn locate(notify: &(dyn Fn(&str) + Send + Sync)) -> Result<PathBuf, CannotLocate> {
    let mut tried = Vec::new();
    if let Some(path) = std::env::var_os(PATH_VARIABLE).map(PathBuf::from) {
        // Whoever names a path means it: another program would be a surprise.
        return if path.is_file() {
            Ok(path)
        } else {
            tried.push(format!(
                "{PATH_VARIABLE}: there is no file {}",
                path.display()
            ));
            Err(CannotLocate { tried })
        };
    }
    match which::which("temporal") {
        Ok(path) => return Ok(path),
        Err(error) => tried.push(format!("`temporal` on PATH: {error}")),
    }
    let cache = match cache_directory() {
        Ok(cache) => cache,
        Err(fault) => {
            tried.push(fault);
            return Err(CannotLocate { tried });
        }
    };
    let cached = cache.join(format!("temporal-{VERSION}"));
    if cached.is_file() {
        return Ok(cached);
    }
    notify("downloading the Temporal server, once");
    let downloaded = tokio::time::timeout(DOWNLOAD_TIMEOUT, download(&cache)).await;
    // It is there once it is complete, even where it did not start in time.
    if cached.is_file() {
        return Ok(cached);
    }
    tried.push(match downloaded {
        Ok(Ok(())) => "download: it did not arrive".into(),
        Ok(Err(fault)) => format!("download: {fault}"),
        Err(_) => format!("download: not done in {} s", DOWNLOAD_TIMEOUT.as_secs()),
    });
    match build(&cache, &cached, notify).await {
        Ok(()) => Ok(cached),
        Err(fault) => {
            tried.push(format!("`go install`: {fault}"));
            Err(CannotLocate { tried })
        }
    }
}

fn cache_directory() -> Result<PathBuf, String> {
    let cache = etcetera::choose_base_strategy()
        .map_err(|error| format!("the cache directory: {error}"))?
        .cache_dir()
        .join("seedance-archiver");
    std::fs::create_dir_all(&cache)
        .map_err(|error| format!("the cache directory {}: {error}", cache.display()))?;
    Ok(cache)
}

/// The SDK downloads only to start, so the server is started once and stopped again. It names the
/// file `temporal-{version}`, once it is complete.
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

/// Built in a directory of its own and moved into place when complete, so that nobody ever runs half
/// a program.
async fn build(
    cache: &Path,
    target: &Path,
    notify: &(dyn Fn(&str) + Send + Sync),
) -> Result<(), String> {
    let go = which::which("go").map_err(|error| format!("Go is not installed ({error})"))?;
    notify("building the Temporal server with Go, once: this takes 2 to 5 minutes");
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
        let last = log.lines().last().unwrap_or_default();
        format!("{status}: {last}")
    })
}
