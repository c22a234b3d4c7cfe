//! Tools beyond Rust and Temporal that some tests need.

use std::{
    fmt,
    path::PathBuf,
    process::{Command, Stdio},
};

/// A tool that is not here.
#[derive(Debug)]
pub(crate) struct Missing(String);

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} (`ci/tools` installs it)", self.0)
    }
}

/// Whether a missing tool is a failure.
pub(crate) fn all_are_required() -> bool {
    std::env::var("REQUIRE_ALL_TOOLS").is_ok_and(|value| value == "1")
}

/// A Python that has ByteDance's client.
pub(crate) fn python_with_ark() -> Result<PathBuf, Missing> {
    let candidates = [installed("ark/bin/python"), PathBuf::from("python3")];
    let has_client = |python: &PathBuf| {
        Command::new(python)
            .args(["-c", "import volcenginesdkarkruntime"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    candidates
        .into_iter()
        .find(has_client)
        .ok_or_else(|| Missing("no Python with `volcengine-ark-runtime`".into()))
}

/// A MinIO server.
pub(crate) fn minio() -> Result<PathBuf, Missing> {
    let installed = installed("minio");
    if installed.is_file() {
        return Ok(installed);
    }
    which::which("minio").map_err(|_| Missing("no `minio`".into()))
}

/// The driver of Debian's Chromium.
pub(crate) fn chromedriver() -> Result<PathBuf, Missing> {
    which::which("chromedriver").map_err(|_| Missing("no `chromedriver`".into()))
}

/// A tool and whether it is here, apart.
pub(crate) fn split<T: Default, E>(found: Result<T, E>) -> (Result<(), E>, T) {
    match found {
        Ok(tool) => (Ok(()), tool),
        Err(missing) => (Err(missing), T::default()),
    }
}

/// Where `ci/tools` puts what it installs.
fn installed(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("target/tools")
        .join(path)
}
