//! What happens around the archiver, known in advance.

mod dialect;
mod fault;
mod generate;

use std::time::Duration;

use seedance_archiver_policy::{poll::PollSchedule, windows::Windows};

use crate::time::{DAY, NEVER};

pub(crate) use dialect::{Dialect, signed_at};
pub(crate) use fault::{Fault, Kind};

/// The limit that the public service sets an account for lists.
pub(crate) const LISTS_PER_SECOND: u64 = 1;

/// One account with its service, its tasks and everything that fails.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) dialect: Dialect,
    /// How long after its creation the service returns a task.
    pub(crate) query_window: u64,
    /// How long a URL works after it was signed.
    pub(crate) url_lifetime: u64,
    /// Whether each query returns a URL that was just signed. If not, the URL is signed when the task ends.
    pub(crate) signs_again: bool,
    /// The URL lifetime in the account's configuration.
    pub(crate) configured_url_lifetime: u64,
    pub(crate) queries_per_second: u64,
    /// Minimum interval between two polls of a task, in the account's configuration.
    pub(crate) min_interval: u64,
    /// Maximum interval between two polls of a task while it is likely to end.
    pub(crate) max_interval: u64,
    /// Which of the learned completion times the workers know. `None`: none.
    pub(crate) learned: Option<usize>,
    /// `None`: the service has no list.
    pub(crate) list: Option<List>,
    /// Whether another worker can resume an upload.
    pub(crate) resumes: bool,
    pub(crate) tasks: Vec<Task>,
    pub(crate) faults: Vec<Fault>,
}

/// The list of the service.
#[derive(Clone, Debug)]
pub(crate) struct List {
    /// How far the list is behind.
    pub(crate) lag: u64,
    /// Whether it can be filtered by id.
    pub(crate) filters: bool,
    /// Tasks that it does not show.
    pub(crate) omits: Vec<usize>,
    /// Whether a task comes twice.
    pub(crate) repeats: bool,
}

/// A task.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) id: String,
    pub(crate) created: u64,
    /// Until when the service answers 404 for the new task.
    pub(crate) visible: u64,
    pub(crate) running: u64,
    pub(crate) ended: u64,
    /// The status at the end.
    pub(crate) end: &'static str,
    /// How long the record of the succeeded task lacks its URL.
    pub(crate) without_url: u64,
    /// When its lifecycle starts.
    pub(crate) started: u64,
    /// How long a download takes.
    pub(crate) download: u64,
    /// When callbacks arrive.
    pub(crate) callbacks: Vec<u64>,
}

impl World {
    /// Returns what kind of world it is, for counts.
    pub fn kind(&self) -> &'static str {
        match self.list {
            Some(_) if self.is_watched_for_days() => "watched for days",
            Some(_) => "watched for hours",
            None => "without a list",
        }
    }

    pub(crate) fn is_watched_for_days(&self) -> bool {
        self.list.is_some() && self.query_window >= DAY
    }

    pub(crate) fn windows(&self) -> Windows {
        Windows {
            query_window: Duration::from_secs(self.query_window),
            margin: Windows::default().margin,
            cancelled_retention: Duration::from_secs(self.query_window / 7),
            url_lifetime: Duration::from_secs(self.configured_url_lifetime),
        }
    }

    pub(crate) fn schedule(&self) -> PollSchedule {
        PollSchedule {
            min_interval: Duration::from_secs(self.min_interval),
            max_interval: Duration::from_secs(self.max_interval),
            ..PollSchedule::default()
        }
    }

    /// Returns when the last poll of a task is due.
    pub(crate) fn last_poll(&self, task: usize) -> u64 {
        let margin = Windows::default().margin.as_secs();
        self.tasks[task].created + self.query_window - margin
    }

    /// Returns when the service forgets a task.
    pub(crate) fn forgotten(&self, task: usize) -> u64 {
        let Task { created, .. } = self.tasks[task];
        created + self.query_window
    }

    /// Returns whether something of a kind fails at any time.
    pub(crate) fn fails_ever(&self, is_kind: impl Fn(&Kind) -> bool) -> bool {
        self.faults.iter().any(|fault| is_kind(&fault.kind))
    }

    /// Returns whether something of a kind fails.
    pub(crate) fn fails(&self, now: u64, is_kind: impl Fn(&Kind) -> bool) -> bool {
        self.fault(now, is_kind).is_some()
    }

    /// Returns the fault of a kind at a time.
    pub(crate) fn fault(&self, now: u64, is_kind: impl Fn(&Kind) -> bool) -> Option<&Fault> {
        let mut faults = self.faults.iter();
        faults.find(|fault| fault.is_at(now) && is_kind(&fault.kind))
    }

    /// Returns when a kind of fault next begins, at `now` or later.
    pub(crate) fn next_fault(&self, now: u64, is_kind: impl Fn(&Kind) -> bool) -> u64 {
        let of_kind = self.faults.iter().filter(|fault| is_kind(&fault.kind));
        let begins = of_kind.filter(|fault| fault.until > now);
        begins
            .map(|fault| fault.from.max(now))
            .min()
            .unwrap_or(NEVER)
    }

    /// Returns when workers run, at `now` or later.
    pub(crate) fn workers_at(&self, now: u64) -> u64 {
        let mut time = now;
        while let Some(fault) = self.fault(time, |kind| *kind == Kind::Workers) {
            time = fault.until;
        }
        time
    }
}
