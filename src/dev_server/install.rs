//! Installs the Temporal CLI into the cache directory: the newest version by download, or the last version that
//! Go can build.

use std::{
    fs::DirEntry,
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use seedance_archiver_clock::Clock;

use super::{
    child,
    release::{self, BUILDABLE, NEWEST},
};

/// Prefix of directories for downloads and builds that are in progress.
const INCOMPLETE: &str = "incomplete-";
/// Age at which such a directory belongs to a process that was killed.
const ABANDONED_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// A function that tells the user about a step that can take long.
pub(super) type Notify<'a> = dyn Fn(&str) + Send + Sync + 'a;

/// Where the CLI comes from. Each method puts a program into a directory and returns its path.
pub(super) trait Sources {
    async fn download(&self, directory: &Path) -> Result<PathBuf, String>;
    async fn build(&self, directory: &Path, notify: &Notify<'_>) -> Result<PathBuf, String>;
}

/// Returns the path of the newest CLI that is available: one in the cache directory, or else one that is added to
/// it. Calls `notify` before each step that can take long.
///
/// # Errors
///
/// Returns an error for each source, if all fail.
pub(super) async fn install(
    cache: &Path,
    sources: &impl Sources,
    notify: &Notify<'_>,
) -> Result<PathBuf, Vec<String>> {
    let newest = cache.join(release::file_name());
    let buildable = cache.join(release::built_file_name());
    if check(&newest).await.is_ok() {
        return Ok(newest);
    }
    remove_abandoned(cache);
    notify(&format!("downloading the Temporal CLI {NEWEST}"));
    let download = async |directory: &Path| sources.download(directory).await;
    let download_error = match add(&newest, cache, download).await {
        Ok(()) => return Ok(newest),
        Err(error) => format!("download: cannot download the Temporal CLI {NEWEST}: {error}"),
    };
    if check(&buildable).await.is_ok() {
        notify(&format!(
            "the download failed; using the Temporal CLI {BUILDABLE}, built before"
        ));
        return Ok(buildable);
    }
    let build = async |directory: &Path| sources.build(directory, notify).await;
    match add(&buildable, cache, build).await {
        Ok(()) => Ok(buildable),
        Err(error) => Err(vec![download_error, format!("`go build`: {error}")]),
    }
}

/// Obtains a program in a temporary directory, checks that it runs, and moves it to `target`. The cache therefore never
/// contains an incomplete or broken program.
async fn add(
    target: &Path,
    cache: &Path,
    obtain: impl AsyncFnOnce(&Path) -> Result<PathBuf, String>,
) -> Result<(), String> {
    let directory = tempfile::Builder::new()
        .prefix(INCOMPLETE)
        .tempdir_in(cache)
        .map_err(|error| format!("cannot write to `{}`: {error}", cache.display()))?;
    let program = obtain(directory.path()).await?;
    check(&program).await?;
    std::fs::rename(program, target)
        .map_err(|error| format!("cannot create `{}`: {error}", target.display()))
}

/// Checks that a program runs.
async fn check(program: &Path) -> Result<(), String> {
    let status = child::command(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await;
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("the program fails with {status}")),
        Err(error) => Err(format!("the program does not run: {error}")),
    }
}

/// Removes what downloads and builds left behind whose process was killed.
fn remove_abandoned(cache: &Path) {
    for entry in std::fs::read_dir(cache).into_iter().flatten().flatten() {
        let is_incomplete = entry.file_name().to_string_lossy().starts_with(INCOMPLETE);
        if is_incomplete && is_abandoned(&entry).unwrap_or(false) {
            // An error leaves the directory for the next time.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn is_abandoned(directory: &DirEntry) -> io::Result<bool> {
    let created_at = directory.metadata()?.modified()?;
    let age = Clock::default().now().duration_since(created_at);
    Ok(age.is_ok_and(|age| age > ABANDONED_AGE))
}

#[cfg(test)]
mod tests;
