//! A process that can be killed and started again, with the same address and data.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::Signal;

use crate::process::Process;

/// Builds the command of a process.
type Build = Box<dyn Fn() -> anyhow::Result<Command> + Send>;

pub(in crate::chaos) struct Part {
    name: String,
    build: Build,
    /// Where the logs of all its processes are.
    directory: PathBuf,
    process: Option<Process>,
    /// Whether it runs unless it exits by itself.
    is_wanted: bool,
    starts: usize,
    /// How often it exited by itself.
    pub(in crate::chaos) exits: usize,
}

impl Part {
    pub(in crate::chaos) fn new(
        name: &str,
        directory: &Path,
        build: impl Fn() -> anyhow::Result<Command> + Send + 'static,
    ) -> Self {
        Self {
            name: name.to_owned(),
            build: Box::new(build),
            directory: directory.to_owned(),
            process: None,
            is_wanted: false,
            starts: 0,
            exits: 0,
        }
    }

    /// Starts the process.
    pub(in crate::chaos) fn start(&mut self) -> anyhow::Result<()> {
        self.is_wanted = true;
        self.starts += 1;
        let log = self.log();
        self.process = Some(Process::start(&self.name, &mut (self.build)()?, log)?);
        Ok(())
    }

    /// Kills the process with SIGKILL.
    pub(in crate::chaos) fn kill(&mut self) -> anyhow::Result<()> {
        self.is_wanted = false;
        match &mut self.process {
            Some(process) => process.kill_group(),
            None => Ok(()),
        }
    }

    /// Stops the process with SIGTERM.
    pub(in crate::chaos) fn stop(&mut self) {
        self.is_wanted = false;
        self.process = None;
    }

    pub(in crate::chaos) fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process {
            process.signal_group(signal);
        }
    }

    /// Starts the process again if it has exited by itself. Returns whether it had.
    pub(in crate::chaos) fn keep(&mut self) -> bool {
        let process = self.process.as_mut();
        let has_exited = self.is_wanted && process.is_none_or(|it| it.check().is_err());
        if has_exited {
            self.exits += 1;
            // If that fails, the next call tries again.
            let _ = self.start();
        }
        has_exited
    }

    pub(in crate::chaos) fn pid(&self) -> Option<u32> {
        Some(self.process.as_ref()?.pid())
    }

    /// Returns the log of the latest process.
    pub(in crate::chaos) fn log(&self) -> PathBuf {
        let name = self.name.replace(' ', "-");
        self.directory.join(format!("{name}.{}.log", self.starts))
    }
}
