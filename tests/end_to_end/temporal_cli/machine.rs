//! A machine without the Temporal CLI.

use std::{fs::Permissions, os::unix::fs::PermissionsExt, path::PathBuf};

use tempfile::TempDir;
use tokio::process::Command;

use crate::harness::command;

/// An environment without `temporal` and with an empty cache. It has no network, and its `go` runs a shell script.
pub(super) struct BareMachine {
    directory: TempDir,
}

impl BareMachine {
    pub(super) fn new(go: &str) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        std::fs::create_dir(directory.path().join("bin"))?;
        let machine = Self { directory };
        machine.program("bin/go", go)?;
        Ok(machine)
    }

    /// Returns the path of a file.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a program that runs a shell script, and returns its path.
    pub(super) fn program(&self, name: &str, script: &str) -> anyhow::Result<PathBuf> {
        let path = self.file(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n"))?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o755))?;
        Ok(path)
    }

    pub(super) fn command(&self) -> Command {
        let mut command = command();
        command
            .env_remove("SEEDANCE_TEMPORAL_CLI")
            .env("PATH", self.directory.path().join("bin"))
            .env("XDG_CACHE_HOME", self.directory.path().join("cache"))
            .env("HTTPS_PROXY", "http://127.0.0.1:1")
            .current_dir(&self.directory);
        command
    }

    /// Returns the path of the cache directory.
    pub(super) fn cache(&self) -> PathBuf {
        self.directory.path().join("cache/seedance-archiver")
    }

    /// Returns the names of the files in the cache directory.
    pub(super) fn cached(&self) -> anyhow::Result<Vec<String>> {
        let entries = std::fs::read_dir(self.cache())?;
        let names = entries.map(|entry| Ok(entry?.file_name().display().to_string()));
        names.collect()
    }
}
