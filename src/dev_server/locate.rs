//! Locates the Temporal CLI: an installed one, or one in the user's cache directory, where it is installed on
//! first use.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use super::{
    build, download,
    install::{Notify, Sources, install},
};

/// Variable with the path of the Temporal CLI.
const PATH_VARIABLE: &str = "SEEDANCE_TEMPORAL_CLI";

/// The Temporal CLI was not found and could not be installed.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot find or install the Temporal CLI; tried:{}\nfix: one of\n  \
     - install the Temporal CLI (https://docs.temporal.io/cli), with `temporal` on PATH\n  \
     - set {PATH_VARIABLE} to the path of the `temporal` program\n  \
     - allow access to https://temporal.download, from which it is downloaded\n  \
     - install Go 1.25 or later (https://go.dev/dl) and run this command again", list(.tried))]
pub struct LocateError {
    /// Each source that was tried, with its error.
    pub tried: Vec<String>,
}

fn list(tried: &[String]) -> String {
    tried.iter().map(|tried| format!("\n  - {tried}")).collect()
}

/// Returns the path of the Temporal CLI. Tries, in this order: the path in `SEEDANCE_TEMPORAL_CLI`,
/// `temporal` on `PATH`, and the cache directory, into which it is downloaded or built with Go. Calls
/// `notify` before each step that can take long.
///
/// # Errors
///
/// Returns an error if every source fails. If `SEEDANCE_TEMPORAL_CLI` is set and its file does not exist,
/// nothing else is tried.
pub async fn locate(notify: &Notify<'_>) -> Result<PathBuf, LocateError> {
    let mut tried = Vec::new();
    let path = std::env::var_os(PATH_VARIABLE).filter(|path| !path.is_empty());
    if let Some(path) = path.map(PathBuf::from) {
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
    let installed = match cache_directory() {
        Ok(cache) => install(&cache, &Internet, notify).await,
        Err(error) => Err(vec![error]),
    };
    installed.map_err(|errors| {
        tried.extend(errors);
        LocateError { tried }
    })
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

/// The sources on the internet.
struct Internet;

impl Sources for Internet {
    async fn download(&self, directory: &Path) -> Result<PathBuf, String> {
        download::download(directory).await
    }

    async fn build(&self, directory: &Path, notify: &Notify<'_>) -> Result<PathBuf, String> {
        build::build(directory, notify).await
    }
}
