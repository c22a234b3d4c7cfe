//! A process that can be killed and started again, with the same address and data.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::SystemTime,
};

use anyhow::Context;
use rustix::process::Signal;
use seedance_archiver_clock::Clock;

use crate::process::Process;

/// Builds the command of a process.
type Build = Box<dyn Fn() -> anyhow::Result<Command> + Send>;

/// How a process ended that was to run.
#[derive(Clone, Debug)]
pub(in crate::chaos) struct Exit {
    pub(in crate::chaos) log: PathBuf,
    /// `None` if the process could not be started.
    pub(in crate::chaos) status: Option<ExitStatus>,
    /// When that was noticed.
    pub(in crate::chaos) at: SystemTime,
}

pub(in crate::chaos) struct Part {
    name: String,
    build: Build,
    /// Where the logs of all its processes are.
    directory: PathBuf,
    process: Option<Process>,
    /// Whether it runs unless it exits by itself.
    is_wanted: bool,
    starts: usize,
    /// The processes that exited by themselves.
    pub(in crate::chaos) exits: Vec<Exit>,
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
            exits: Vec::new(),
        }
    }

    /// Starts the process, with a log and a file of its standard output. One that still runs is stopped first: it has the
    /// address.
    pub(in crate::chaos) fn start(&mut self) -> anyhow::Result<()> {
        self.process = None;
        self.is_wanted = true;
        self.starts += 1;
        let log = self.log();
        let failed = || format!("cannot create the log of {}", self.name);
        let output = File::create(Self::output_of(&log)).with_context(failed)?;
        let mut command = (self.build)()?;
        self.process = Some(Process::start(&self.name, command.stdout(output), log)?);
        Ok(())
    }

    /// Kills the process with SIGKILL.
    pub(in crate::chaos) fn kill(&mut self) -> anyhow::Result<()> {
        self.note_exit();
        self.is_wanted = false;
        match &mut self.process {
            Some(process) => process.kill_group(),
            None => Ok(()),
        }
    }

    /// Stops the process with SIGTERM.
    pub(in crate::chaos) fn stop(&mut self) {
        self.note_exit();
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
        let has_exited = self.note_exit();
        if has_exited {
            // If that fails, the next call tries again.
            let _ = self.start();
        }
        has_exited
    }

    /// Remembers how the process exited if it did so by itself. Returns whether it did.
    fn note_exit(&mut self) -> bool {
        if !self.is_wanted {
            return false;
        }
        let status = match &mut self.process {
            Some(process) => match process.exit_status() {
                Ok(None) => return false,
                Ok(status) => status,
                Err(_) => None,
            },
            None => None,
        };
        self.exits.push(Exit {
            log: self.log(),
            status,
            at: Clock::default().now(),
        });
        true
    }

    pub(in crate::chaos) fn pid(&self) -> Option<u32> {
        Some(self.process.as_ref()?.pid())
    }

    /// Returns the log of the latest process.
    pub(in crate::chaos) fn log(&self) -> PathBuf {
        let name = self.name.replace(' ', "-");
        self.directory.join(format!("{name}.{}.log", self.starts))
    }

    /// Returns the file of the standard output of a process with this log.
    pub(in crate::chaos) fn output_of(log: &Path) -> PathBuf {
        log.with_extension("out.log")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Starts a shell with a script, and waits until it has exited.
    fn exited(directory: &Path, script: &'static str) -> Part {
        let mut part = Part::new("shell", directory, move || {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            Ok(command)
        });
        part.start().unwrap();
        let process = part.process.as_ref().unwrap();
        while !process.has_exited().unwrap() {
            std::thread::yield_now();
        }
        part
    }

    #[test]
    fn both_outputs_of_a_process_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let part = exited(directory.path(), "echo answer; echo error >&2");
        let read = |name: &str| std::fs::read(directory.path().join(name)).unwrap();
        assert_eq!(read("shell.1.log"), b"error\n");
        assert_eq!(read("shell.1.out.log"), b"answer\n");
        assert!(Part::output_of(&part.log()).ends_with("shell.1.out.log"));
    }

    #[test]
    fn a_process_that_runs_is_stopped_before_another_one_starts() {
        let directory = tempfile::tempdir().unwrap();
        let mut part = Part::new("sleep", directory.path(), || {
            let mut command = Command::new("sleep");
            command.arg("1000");
            Ok(command)
        });
        part.start().unwrap();
        let first = part.pid().unwrap();
        part.start().unwrap();
        assert_ne!(part.pid(), Some(first));
        assert!(!Path::new(&format!("/proc/{first}")).exists());
        part.stop();
        assert!(part.exits.is_empty());
    }

    #[test]
    fn only_a_process_that_exits_by_itself_is_remembered_with_its_status() {
        let directory = tempfile::tempdir().unwrap();
        let code = |part: &Part| {
            let codes = part.exits.iter().map(|exit| exit.status.unwrap().code());
            codes.collect::<Vec<_>>()
        };
        let mut kept = exited(directory.path(), "exit 78");
        assert!(kept.keep());
        assert_eq!(code(&kept), [Some(78)]);
        assert!(kept.exits[0].log.ends_with("shell.1.log"));

        let mut stopped = exited(directory.path(), "exit 3");
        stopped.stop();
        stopped.stop();
        assert_eq!(code(&stopped), [Some(3)]);
        assert!(!stopped.keep());

        let mut killed = Part::new("sleep", directory.path(), || {
            let mut command = Command::new("sleep");
            command.arg("1000");
            Ok(command)
        });
        killed.start().unwrap();
        assert!(!killed.keep());
        killed.kill().unwrap();
        killed.stop();
        assert!(killed.exits.is_empty());
    }
}
