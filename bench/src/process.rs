//! A process that is stopped when the benchmark no longer needs it.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use reqwest::Client;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
};
use tokio::sync::oneshot;

/// How long a process may take to stop after SIGTERM.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a process may take until it is ready. The first run of some installs what they need.
const READY_TIMEOUT: Duration = Duration::from_secs(15 * 60);
const READY_INTERVAL: Duration = Duration::from_millis(100);

/// A process with a process group of its own. It is stopped when dropped.
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a command. Its standard error goes to the file `log`.
    pub(crate) fn start(name: &str, command: &mut Command, log: PathBuf) -> anyhow::Result<Self> {
        Self::start_with_input(name, command, Stdio::null(), log)
    }

    /// Starts a command with a standard input. Its standard error goes to the file `log`.
    pub(crate) fn start_with_input(
        name: &str,
        command: &mut Command,
        input: Stdio,
        log: PathBuf,
    ) -> anyhow::Result<Self> {
        let failed = || format!("cannot start {name}");
        let file = File::create(&log).with_context(failed)?;
        // Ctrl-C in a terminal must not reach it before the benchmark stops it.
        let command = command.process_group(0).stdin(input).stderr(file);
        let child = command.spawn().with_context(failed)?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log,
        })
    }

    /// Starts a command, and waits for its line `ready …`, of which it returns the rest.
    pub(crate) async fn start_until_ready(
        name: &str,
        command: &mut Command,
        log: PathBuf,
    ) -> anyhow::Result<(Self, String)> {
        let mut process = Self::start(name, command.stdout(Stdio::piped()), log)?;
        let stdout = process.child.stdout.take();
        let stdout = stdout.context("the process has no standard output")?;
        let (sender, ready) = oneshot::channel();
        thread::spawn(move || read_lines(stdout, sender));
        match tokio::time::timeout(READY_TIMEOUT, ready).await {
            Ok(Ok(rest)) => Ok((process, rest)),
            Ok(Err(_)) => bail!("{} exited: {}", process.name, process.end_of_log()),
            Err(_) => bail!("{} is not ready", process.name),
        }
    }

    /// Waits until a URL answers with success.
    pub(crate) async fn wait_until_ready(
        &mut self,
        client: &Client,
        url: &str,
        timeout: Duration,
    ) -> anyhow::Result<()> {
        let ready = async {
            loop {
                self.check()?;
                let response = client.get(url).send().await;
                if response.is_ok_and(|response| response.status().is_success()) {
                    return anyhow::Ok(());
                }
                tokio::time::sleep(READY_INTERVAL).await;
            }
        };
        let ready = tokio::time::timeout(timeout, ready).await;
        ready.with_context(|| format!("{} is not ready", self.name))?
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns an error if the process has exited.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        let status = self.child.try_wait()?;
        match status {
            None => Ok(()),
            Some(status) => bail!("{} exited: {status}: {}", self.name, self.end_of_log()),
        }
    }

    /// Returns how the process exited, or `None` if it runs.
    pub(crate) fn exit_status(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Returns the standard output, if it is a pipe that nobody has taken.
    pub(crate) fn take_output(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Returns whether the process has exited. Its CPU time can be read until it is waited for.
    pub(crate) fn has_exited(&self) -> anyhow::Result<bool> {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        let pid = pid.context("the process has no id")?;
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(pid), options)?.is_some())
    }

    /// Waits until the process exits. Returns an error if it failed.
    pub(crate) fn wait(&mut self) -> anyhow::Result<()> {
        let status = self.child.wait()?;
        if !status.success() {
            bail!("{} failed: {status}: {}", self.name, self.end_of_log());
        }
        Ok(())
    }

    /// Kills the process.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill()?)
    }

    /// Kills the process and its descendants, and waits until the process has exited.
    pub(crate) fn kill_group(&mut self) -> anyhow::Result<()> {
        self.signal_group(Signal::KILL);
        self.child.wait()?;
        Ok(())
    }

    /// Sends a signal to the process and its descendants, if they have not exited.
    pub(crate) fn signal_group(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.pid()).ok().and_then(Pid::from_raw) {
            // An error means that they have just exited.
            let _ = kill_process_group(pid, signal);
        }
    }

    fn end_of_log(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let start = log.len().saturating_sub(1_000);
        String::from_utf8_lossy(&log[start..]).trim().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) else {
            return;
        };
        let start = Instant::now();
        let mut is_running = matches!(self.child.try_wait(), Ok(None));
        if is_running {
            // An error means that it has just exited.
            let _ = kill_process(pid, Signal::TERM);
        }
        while is_running && start.elapsed() < STOP_TIMEOUT {
            thread::sleep(Duration::from_millis(20));
            is_running = matches!(self.child.try_wait(), Ok(None));
        }
        // The process, if it did not stop, and what it left behind.
        let _ = kill_process_group(pid, Signal::KILL);
        let _ = self.child.wait();
    }
}

/// Reads all lines, so that the process never waits for a reader.
fn read_lines(stdout: ChildStdout, ready: oneshot::Sender<String>) {
    let mut ready = Some(ready);
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        if let Some(rest) = line.strip_prefix("ready")
            && let Some(ready) = ready.take()
        {
            let _ = ready.send(rest.trim().to_owned());
        }
    }
}
