//! Tools beyond Rust and Temporal that some tests need.

#[path = "../support/tools.rs"]
mod shared;

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use shared::installed;
pub(crate) use shared::{Missing, all_are_required, minio};

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
        .ok_or(Missing("no Python with `volcengine-ark-runtime`"))
}

/// The driver of Debian's Chromium.
pub(crate) fn chromedriver() -> Result<PathBuf, Missing> {
    which::which("chromedriver").map_err(|_| Missing("no `chromedriver`"))
}

/// A tool and whether it is here, apart.
pub(crate) fn split<T: Default, E>(found: Result<T, E>) -> (Result<(), E>, T) {
    match found {
        Ok(tool) => (Ok(()), tool),
        Err(missing) => (Err(missing), T::default()),
    }
}
