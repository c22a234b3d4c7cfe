//! The terminal of an operator who follows a procedure.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use rustix::process::Signal;
use seedance_archiver::dev_server;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::harness::{Fixture, Server, send_signal, shell};

/// The commands that the text names, and the variables of the deployment. Workers that are started here have the same
/// variables.
pub(super) struct Terminal {
    /// The current directory.
    directory: TempDir,
    programs: TempDir,
    variables: BTreeMap<String, String>,
}

impl Terminal {
    /// Opens a terminal with the variables of a fixture's worker.
    pub(super) async fn open(server: &Server, fixture: &Fixture) -> anyhow::Result<Self> {
        let mut terminal = Self {
            directory: tempfile::tempdir()?,
            programs: tempfile::tempdir()?,
            variables: BTreeMap::new(),
        };
        terminal.add_program("temporal", &dev_server::locate(&|_| {}).await?)?;
        let archiver = Path::new(env!("CARGO_BIN_EXE_seedance-archiver"));
        terminal.add_program("seedance-archiver", archiver)?;
        terminal.set_all(server.environment());
        terminal.set("TEMPORAL_TASK_QUEUE", &fixture.config.task_queue);
        terminal.set("SEEDANCE_BASE_URL", fixture.simulator.base_url());
        terminal.set("SEEDANCE_API_KEY", fixture.simulator.api_key());
        terminal.set("SEEDANCE_ARCHIVE_URL", fixture.config.archive_url.as_str());
        // A transfer whose download pauses would otherwise delay each restart.
        terminal.set("SEEDANCE_GRACE_PERIOD", "1s");
        Ok(terminal)
    }

    /// Installs a program.
    pub(super) fn add_program(&self, name: &str, path: &Path) -> anyhow::Result<()> {
        Ok(std::os::unix::fs::symlink(
            path,
            self.programs.path().join(name),
        )?)
    }

    /// Sets a variable.
    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.insert(name.to_owned(), value.into());
    }

    /// Sets variables.
    pub(super) fn set_all<'a>(&mut self, variables: impl IntoIterator<Item = (&'a str, String)>) {
        for (name, value) in variables {
            self.set(name, value);
        }
    }

    /// Removes a variable.
    pub(super) fn unset(&mut self, name: &str) {
        self.variables.remove(name);
    }

    /// Writes a file in the current directory as secret managers do, and returns its path.
    pub(super) fn write_file(&self, name: &str, text: &str) -> anyhow::Result<String> {
        let new = tempfile::NamedTempFile::new_in(&self.directory)?;
        std::fs::write(&new, text)?;
        let path: PathBuf = self.directory.path().join(name);
        new.persist(&path)?;
        Ok(path.display().to_string())
    }

    /// Runs a command, which must succeed, and returns its output.
    pub(super) async fn run(&self, line: &str) -> anyhow::Result<String> {
        let output = self.command(line)?.output().await?;
        ensure!(output.status.success(), "`{line}`: {output:?}");
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Runs `doctor`, none of whose checks may fail, and returns its output.
    pub(super) async fn run_doctor(&self, line: &str) -> anyhow::Result<String> {
        let checks = self.run(line).await?;
        ensure!(checks.contains(" 0 failed"), "{checks}");
        Ok(checks)
    }

    /// Runs a command, which must exit with 1, and returns its output.
    pub(super) async fn run_failing(&self, line: &str) -> anyhow::Result<String> {
        let output = self.command(line)?.output().await?;
        ensure!(output.status.code() == Some(1), "`{line}`: {output:?}");
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Runs a command, which must succeed, and returns its JSON document.
    pub(super) async fn run_json(&self, line: &str) -> anyhow::Result<Value> {
        let line = format!("{line} --output json");
        let output = self.run(&line).await?;
        serde_json::from_str(&output).with_context(|| format!("`{line}`: {output}"))
    }

    /// Starts a worker process.
    pub(super) fn start_worker(&self) -> anyhow::Result<Child> {
        self.start_worker_with("")
    }

    /// Starts a worker process with arguments.
    pub(super) fn start_worker_with(&self, arguments: &str) -> anyhow::Result<Child> {
        // The shell is replaced, so that the process is the worker.
        let line = format!("exec seedance-archiver worker {arguments} >>worker.log 2>&1");
        Ok(self.command(&line)?.spawn()?)
    }

    /// Stops a worker process and starts another one with the current variables.
    pub(super) async fn restart(&self, mut worker: Child) -> anyhow::Result<Child> {
        send_signal(&worker, Signal::TERM)?;
        let status = worker.wait().await?;
        ensure!(status.success(), "{status}: {}", self.log());
        self.start_worker()
    }

    /// Returns what the workers logged.
    pub(super) fn log(&self) -> String {
        let path = self.directory.path().join("worker.log");
        std::fs::read_to_string(path).unwrap_or_default()
    }

    fn command(&self, line: &str) -> anyhow::Result<Command> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let programs = [self.programs.path().to_owned()].into_iter();
        let path = std::env::join_paths(programs.chain(std::env::split_paths(&path)))?;
        let mut command = shell(line);
        command
            .env("PATH", path)
            .envs(&self.variables)
            .current_dir(&self.directory)
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true);
        Ok(command)
    }
}
