//! A worker process, which is killed, stopped, and restarted with changes.

use std::{
    net::SocketAddr,
    path::PathBuf,
    process::Command,
    sync::Arc,
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;
use rustix::process::Signal;
use seedance_archiver_clock::Clock;

use super::{Exit, Part};
use crate::{
    archiver::{self, remove_variables},
    chaos::{accounts::AccountsFile, counted::Counted, plan::Change, windows::MAX_CLOCK_ERROR},
    minio,
    server::NAMESPACE,
};

/// Task queue of the workers.
pub(in crate::chaos) const TASK_QUEUE: &str = "chaos";
/// How close to a reading of the metrics a count may have come after it.
const READING_TOLERANCE: Duration = Duration::from_secs(1);
/// Where `libfaketime` is on Debian.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

/// What does not change.
pub(in crate::chaos) struct WorkerSettings {
    pub(in crate::chaos) number: usize,
    pub(in crate::chaos) program: PathBuf,
    pub(in crate::chaos) other_program: Option<PathBuf>,
    pub(in crate::chaos) temporal: SocketAddr,
    pub(in crate::chaos) store: SocketAddr,
    pub(in crate::chaos) archive_url: String,
    pub(in crate::chaos) admin: SocketAddr,
    pub(in crate::chaos) ingress: SocketAddr,
    pub(in crate::chaos) accounts: AccountsFile,
    pub(in crate::chaos) directory: PathBuf,
}

/// One process of a worker.
#[derive(Clone, Debug)]
pub(in crate::chaos) struct Incarnation {
    pub(in crate::chaos) worker: usize,
    pub(in crate::chaos) pid: u32,
    /// What differed from the settings.
    pub(in crate::chaos) change: Option<Change>,
    pub(in crate::chaos) started_at: SystemTime,
    pub(in crate::chaos) log: PathBuf,
    /// When its metrics were last read, and the endings that it had counted.
    pub(in crate::chaos) counted: Option<(SystemTime, Counted)>,
}

impl Incarnation {
    /// Returns until when its counts are known: shortly before its metrics were last read.
    pub(in crate::chaos) fn counts_known_until(&self) -> Option<SystemTime> {
        let (read_at, _) = self.counted.as_ref()?;
        Some(*read_at - READING_TOLERANCE)
    }
}

pub(in crate::chaos) struct Worker {
    pub(in crate::chaos) settings: Arc<WorkerSettings>,
    part: Part,
    /// What differs from the settings now.
    change: Arc<Mutex<Option<Change>>>,
    pub(in crate::chaos) incarnations: Vec<Incarnation>,
}

impl Worker {
    pub(in crate::chaos) fn start(settings: WorkerSettings) -> anyhow::Result<Self> {
        let settings = Arc::new(settings);
        let change = Arc::new(Mutex::new(None));
        let name = format!("worker {}", settings.number);
        let part = {
            let (settings, change) = (settings.clone(), change.clone());
            Part::new(&name, &settings.directory.clone(), move || {
                settings.command(*change.lock())
            })
        };
        let mut worker = Self {
            settings,
            part,
            change,
            incarnations: Vec::new(),
        };
        worker.start_again()?;
        Ok(worker)
    }

    pub(in crate::chaos) fn start_again(&mut self) -> anyhow::Result<()> {
        self.part.start()?;
        self.add_incarnation();
        Ok(())
    }

    pub(in crate::chaos) fn kill(&mut self) -> anyhow::Result<()> {
        self.part.kill()
    }

    /// Stops the process as an orchestrator does: it may finish what it does, and is killed if it takes too long.
    pub(in crate::chaos) fn stop(&mut self) {
        self.part.signal(Signal::CONT);
        self.part.stop();
    }

    /// Stops the process where it is.
    pub(in crate::chaos) fn freeze(&self) {
        self.part.signal(Signal::STOP);
    }

    /// Continues a frozen process.
    pub(in crate::chaos) fn thaw(&self) {
        self.part.signal(Signal::CONT);
    }

    /// Sets what differs from the settings when the worker is next started.
    pub(in crate::chaos) fn set_change(&self, change: Option<Change>) {
        *self.change.lock() = change;
    }

    pub(in crate::chaos) fn keep(&mut self) {
        if self.part.keep() {
            self.add_incarnation();
        }
    }

    /// Returns the processes that exited by themselves.
    pub(in crate::chaos) fn exits(&self) -> &[Exit] {
        &self.part.exits
    }

    fn add_incarnation(&mut self) {
        if let Some(pid) = self.part.pid() {
            self.incarnations.push(Incarnation {
                worker: self.settings.number,
                pid,
                change: *self.change.lock(),
                started_at: Clock::default().now(),
                log: self.part.log(),
                counted: None,
            });
        }
    }

    pub(in crate::chaos) fn pid(&self) -> Option<u32> {
        self.part.pid()
    }

    /// Remembers what a process had counted at a time.
    pub(in crate::chaos) fn set_counted(&mut self, pid: u32, at: SystemTime, counted: Counted) {
        let mut incarnations = self.incarnations.iter_mut();
        if let Some(incarnation) = incarnations.find(|it| it.pid == pid) {
            incarnation.counted = Some((at, counted));
        }
    }
}

impl WorkerSettings {
    /// Returns the command of a worker with a change.
    fn command(&self, change: Option<Change>) -> anyhow::Result<Command> {
        let program = match (change, &self.other_program) {
            (Some(Change::Version), Some(program)) => program,
            _ => &self.program,
        };
        let mut command = self.tool(program)?;
        command
            .arg("worker")
            .env("SEEDANCE_ACCOUNTS_FILE", self.accounts.path(change))
            .env("SEEDANCE_ADMIN_ADDRESS", self.admin.to_string())
            .env("SEEDANCE_INGRESS_ADDRESS", self.ingress.to_string())
            .env("SEEDANCE_GRACE_PERIOD", "2s")
            .env("SEEDANCE_LOG_FORMAT", "json")
            .env("RUST_LOG", self.log_levels());
        let offset = MAX_CLOCK_ERROR.as_secs();
        match change {
            Some(Change::ClockAhead) => set_clock(&mut command, &format!("+{offset}")),
            Some(Change::ClockBehind) => set_clock(&mut command, &format!("-{offset}")),
            _ => {}
        }
        Ok(command)
    }

    /// Returns a command of the archiver with the server and the archive of this worker.
    pub(in crate::chaos) fn tool(&self, program: &std::path::Path) -> anyhow::Result<Command> {
        let mut command = archiver::command(program)?;
        remove_variables(&mut command, "TEMPORAL_");
        remove_variables(&mut command, "AWS_");
        command
            .env("TEMPORAL_CONFIG_FILE", "/dev/null")
            .env("TEMPORAL_ADDRESS", self.temporal.to_string())
            .env("TEMPORAL_NAMESPACE", NAMESPACE)
            .env("TEMPORAL_TASK_QUEUE", TASK_QUEUE)
            .env("SEEDANCE_ARCHIVE_URL", &self.archive_url)
            .env("NO_PROXY", "127.0.0.1")
            .envs(minio::environment(&format!("http://{}", self.store)));
        Ok(command)
    }

    /// One worker logs everything that it does, for the search for secrets.
    fn log_levels(&self) -> &'static str {
        match self.number {
            0 => "debug,seedance_archiver=trace,h2=info",
            _ => "info",
        }
    }
}

/// Returns whether the clock of a process can be wrong.
pub(in crate::chaos) fn can_set_clock() -> bool {
    std::path::Path::new(FAKETIME).exists()
}

/// Makes the clock of a command wrong, but not the one that measures durations.
fn set_clock(command: &mut Command, offset: &str) {
    command
        .env("LD_PRELOAD", FAKETIME)
        .env("FAKETIME", offset)
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("DONT_FAKE_MONOTONIC", "1");
}
