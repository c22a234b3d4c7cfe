//! What happened in a life.

use std::fmt;

/// Who queries a task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum By {
    Lifecycle,
    Watcher,
    Transfer,
    Callback,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A query was sent. The answer is a status, or a failure type.
    Query {
        by: By,
        answer: &'static str,
        retry_after: Option<u64>,
        /// Whether the record says when the task was created.
        says_created: bool,
    },
    /// A list request was sent.
    List {
        retry_after: Option<u64>,
    },
    /// No query was sent, because of the rate limit or an earlier `Retry-After`.
    Throttled,
    /// The next attempt follows after a delay.
    Waits(u64),
    /// The same, because the watcher polls the task meanwhile.
    LeftToWatcher(u64),
    /// The lifecycle received a record with this status.
    Received(String),
    /// A new activity polls the task.
    PollStarted {
        is_nudged: bool,
    },
    /// An attempt to transfer the video failed, for this reason.
    TransferFailed(String),
    Ended(End),
    /// What the watcher does.
    Watcher(&'static str),
}

/// Something that happened at a time, to a task.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) at: u64,
    pub(crate) task: Option<usize>,
    pub(crate) what: What,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes, seconds) = (self.at / 3_600, self.at / 60 % 60, self.at % 60);
        write!(f, "{hours:3}:{minutes:02}:{seconds:02} ")?;
        match self.task {
            Some(task) => write!(f, "task {task}: ")?,
            None => write!(f, "account: ")?,
        }
        match &self.what {
            What::Query {
                by,
                answer,
                retry_after,
                ..
            } => {
                write!(f, "query by {by:?}: {answer}")?;
                write_retry_after(f, *retry_after)
            }
            What::List { retry_after } => {
                write!(f, "list")?;
                write_retry_after(f, *retry_after)
            }
            What::Waits(delay) => write!(f, "next attempt in {delay} s"),
            What::LeftToWatcher(delay) => write!(f, "left to the watcher for {delay} s"),
            What::TransferFailed(reason) => write!(f, "transfer failed: {reason}"),
            What::Ended(end) => write!(f, "ended as {} {}", end.outcome, end.reason),
            What::Received(status) => write!(f, "the lifecycle receives `{status}`"),
            What::PollStarted { is_nudged: true } => write!(f, "a nudge starts a poll"),
            What::PollStarted { is_nudged: false } => write!(f, "a poll starts"),
            What::Throttled => write!(f, "no query can be sent yet"),
            What::Watcher(what) => write!(f, "the watcher {what}"),
        }
    }
}

fn write_retry_after(f: &mut fmt::Formatter<'_>, retry_after: Option<u64>) -> fmt::Result {
    match retry_after {
        Some(seconds) => write!(f, ", Retry-After {seconds}"),
        None => Ok(()),
    }
}

/// How a lifecycle ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct End {
    pub(crate) at: u64,
    pub(crate) outcome: String,
    pub(crate) reason: String,
}

/// A whole life of an account.
#[derive(Clone, Debug)]
pub struct Life {
    pub(crate) log: Vec<Entry>,
    /// For each task how its lifecycle ended. `None`: it did not.
    pub(crate) ends: Vec<Option<End>>,
}

impl Life {
    /// Returns the longest delay, in seconds, for which a lifecycle left its task to the watcher until it polled the task itself.
    pub fn longest_backstop(&self) -> u64 {
        let mut delays = vec![0; self.ends.len()];
        let mut longest = 0;
        for entry in &self.log {
            let Some(task) = entry.task else { continue };
            match &entry.what {
                What::LeftToWatcher(delay) => delays[task] = *delay,
                What::Query {
                    by: By::Lifecycle, ..
                } => longest = longest.max(delays[task]),
                What::Waits(_) | What::Received(_) | What::PollStarted { .. } => delays[task] = 0,
                _ => {}
            }
        }
        longest
    }

    /// Returns what happened, with what was repeated many times left out.
    pub fn trace(&self) -> String {
        const HEAD: usize = 300;
        const TAIL: usize = 200;
        let lines = self.log.iter().map(ToString::to_string);
        let mut lines: Vec<_> = lines.collect();
        if lines.len() > HEAD + TAIL {
            let omitted = lines.len() - HEAD - TAIL;
            let omission = [format!("… {omitted} lines …")];
            lines.splice(HEAD..HEAD + omitted, omission);
        }
        lines.join("\n")
    }
}
