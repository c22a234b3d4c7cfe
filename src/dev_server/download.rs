//! Downloads the Temporal CLI with the SDK's downloader.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use temporalio_sdk_core::ephemeral_server::{
    EphemeralExe, EphemeralExeVersion, EphemeralServerError, TemporalDevServerConfig,
};
use tokio::time::{Instant, sleep};

use crate::temporal::error_text;

/// How long a download may make no progress, from its start. The SDK's downloader has no timeout: a firewall
/// that drops packets would block it for minutes.
const STALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Interval between two checks of the progress.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// Downloads a version of the CLI into a directory and returns its path.
///
/// # Errors
///
/// Returns an error if the download fails or stalls.
pub(super) async fn download(version: &str, directory: &Path) -> Result<PathBuf, String> {
    let error = tokio::select! {
        error = run(version, directory) => error,
        () = stalled(directory) => Some(format!("no data for {} s", STALL_TIMEOUT.as_secs())),
    };
    let program = directory.join(format!("temporal-{version}"));
    // The file has this name only if it is complete, even if the server then did not start in time.
    match program.is_file() {
        true => Ok(program),
        false => Err(error.unwrap_or_else(|| format!("`{}` is missing", program.display()))),
    }
}

/// Runs the SDK's downloader and returns its error. The SDK downloads the CLI only to start a server, so the
/// server is started and stopped.
async fn run(version: &str, directory: &Path) -> Option<String> {
    let exe = EphemeralExe::CachedDownload {
        version: EphemeralExeVersion::Fixed(version.to_owned()),
        dest_dir: Some(directory.display().to_string()),
        ttl: None,
    };
    let server = TemporalDevServerConfig::builder().exe(exe).build();
    let server = server.start_server_with_output(Stdio::null(), Stdio::null());
    let stopped = match server.await {
        Ok(mut server) => server.shutdown().await,
        Err(error) => Err(error),
    };
    stopped.err().map(|error| describe(&error))
}

fn describe(error: &EphemeralServerError) -> String {
    let (text, cause) = (error.to_string(), error_text::innermost(error));
    match text.ends_with(&cause) {
        true => text,
        false => format!("{text}: {cause}"),
    }
}

/// Returns once the files of a directory have not grown for [`STALL_TIMEOUT`].
async fn stalled(directory: &Path) {
    let (mut size, mut grown_at) = (0, Instant::now());
    while grown_at.elapsed() < STALL_TIMEOUT {
        sleep(CHECK_INTERVAL).await;
        let current = size_of_files(directory);
        if current > size {
            (size, grown_at) = (current, Instant::now());
        }
    }
}

fn size_of_files(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let sizes = entries.filter_map(|entry| Some(entry.metadata().ok()?.len()));
    sizes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_download_stalls_once_its_file_no_longer_grows() {
        let directory = tempfile::tempdir().unwrap();
        let grow = async {
            for size in 1..=6 {
                sleep(STALL_TIMEOUT / 2).await;
                std::fs::write(directory.path().join("file"), vec![0; size]).unwrap();
            }
        };
        let started_at = Instant::now();
        tokio::join!(stalled(directory.path()), grow);
        let elapsed = started_at.elapsed();
        assert!(elapsed >= STALL_TIMEOUT * 4, "{elapsed:?}");
        assert!(elapsed < STALL_TIMEOUT * 5, "{elapsed:?}");
    }
}
