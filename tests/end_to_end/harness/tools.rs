//! Tools beyond Rust and Temporal that some tests need.
//!
//! `register!(test, needs = [tool])` calls the function with the name of the tool.

#[path = "../../support/tools.rs"]
mod shared;

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use super::existing_server;

pub(crate) use shared::{Missing, all_are_required, installed, minio};

/// Locates a Python with ByteDance's client library.
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
    candidates.into_iter().find(has_client).ok_or(Missing(
        "no Python with `volcengine-ark-runtime`: `ci/tools` installs it",
    ))
}

/// Locates the driver of Chromium.
pub(crate) fn chromedriver() -> Result<PathBuf, Missing> {
    which::which("chromedriver").map_err(|_| Missing("no `chromedriver`: `ci/tools` installs it"))
}

/// Locates Prometheus' `promtool`.
pub(crate) fn promtool() -> Result<PathBuf, Missing> {
    which::which("promtool").map_err(|_| Missing("no `promtool`: `ci/tools` installs it"))
}

/// Locates the program of the last release.
pub(crate) fn released_worker() -> Result<PathBuf, Missing> {
    existing(
        installed("seedance-archiver-0.1.0"),
        "the last release is not built: `ci/tools all` builds it",
    )
}

/// Checks that the Temporal server has a Web UI.
pub(crate) fn web_ui() -> Result<(), Missing> {
    match existing_server::has_web_ui() {
        true => Ok(()),
        false => Err(Missing("no Web UI: set TEST_TEMPORAL_UI to its URL")),
    }
}

/// Checks that this process can mount a file system. In most containers, not even root can.
pub(crate) fn mount_permission() -> Result<(), Missing> {
    // In a mount namespace that ends with the command.
    let mounted = Command::new("unshare")
        .args(["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match mounted.is_ok_and(|status| status.success()) {
        true => Ok(()),
        false => Err(Missing("no permission to mount a file system")),
    }
}

/// Locates the command line of AWS.
pub(crate) fn aws() -> Result<PathBuf, Missing> {
    existing(
        installed("aws/bin/aws"),
        "the AWS CLI is not installed: `ci/tools` installs it",
    )
}

/// Locates rclone.
pub(crate) fn rclone() -> Result<PathBuf, Missing> {
    which::which("rclone").map_err(|_| Missing("no `rclone`: `ci/tools` installs it"))
}

/// Locates the directory in which DuckDB is installed, with its home.
pub(crate) fn duckdb() -> Result<PathBuf, Missing> {
    let directory = installed("duckdb");
    existing(
        directory.join("installed"),
        "DuckDB is not installed: `ci/tools` installs it",
    )?;
    Ok(directory)
}

/// Locates the interpreter of the Python examples.
pub(crate) fn python_example() -> Result<PathBuf, Missing> {
    let python = installed("examples/python/bin/python");
    existing(python, "the example is not built: `ci/tools` builds it")
}

/// Locates the binary of the Go example.
pub(crate) fn go_example() -> Result<PathBuf, Missing> {
    existing(
        installed("examples/go"),
        "the example is not built: `ci/tools` builds it",
    )
}

/// Locates the compiled TypeScript example.
pub(crate) fn typescript_example() -> Result<PathBuf, Missing> {
    let script = in_repository("examples/typescript/lib/main.js");
    existing(script, "the example is not built: `ci/tools all` builds it")
}

/// Locates the archive of the Java example.
pub(crate) fn java_example() -> Result<PathBuf, Missing> {
    let archive = in_repository("examples/java/target/archive-example-0.1.0.jar");
    existing(
        archive,
        "the example is not built: `ci/tools all` builds it",
    )
}

fn existing(path: PathBuf, missing: &'static str) -> Result<PathBuf, Missing> {
    match path.is_file() {
        true => Ok(path),
        false => Err(Missing(missing)),
    }
}

/// Returns the path of a file in the repository.
pub(crate) fn in_repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}
