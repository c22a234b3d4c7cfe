//! What is checked, and the errors that the checker must find.

use super::model::{RUNNING, Status, TERMINAL};

/// The bounds of one run.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    pub(crate) name: &'static str,
    /// Whether the task is `running` before its end.
    pub(crate) runs: bool,
    /// Attempts of `QueryVideoTask`, of which two run at once.
    pub(crate) attempts: u8,
    /// Watchers that run at first, of two.
    pub(crate) watchers: usize,
    pub(crate) callbacks: u8,
    pub(crate) nudges: u8,
    pub(crate) cancellations: u8,
    /// Callers of `AwaitVideoTask` that wait at first, of two.
    pub(crate) callers: usize,
    /// Lost attempts, requests and responses, stale records, and starts and ends of watchers.
    pub(crate) faults: u8,
    pub(crate) mutation: Option<Mutation>,
}

/// An error in the protocol.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mutation {
    /// The lifecycle takes any status for a later one.
    TakeAnyRecord,
    /// A result is accepted although no activity is pending.
    AcceptAnyResult,
    /// The lifecycle polls after the end of the task, as if it did not know it.
    ForgetEnd,
    /// The lifecycle discards a result that arrives after a nudge.
    NudgeLosesResult,
    /// A watcher takes a record for delivered although no activity was pending.
    SettleUnheard,
    /// An attempt compares a record with what an earlier attempt received, whose response may be lost.
    CompareWithEarlierAttempt,
    /// A callback is answered although no activity was pending.
    AnswerUnheard,
    /// A cancelled lifecycle waits for the result of its activity.
    WaitForResult,
    /// A caller that is cancelled cancels the lifecycle that it waits for.
    CancelLifecycleToo,
    /// A caller that is cancelled waits for the result of its lifecycle.
    WaitThoughCancelled,
    /// A retried call starts a lifecycle if the one that it waited for has ended.
    StartAgain,
}

impl Bounds {
    pub(crate) fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// Returns the status of the task after this one.
    pub(crate) fn next_status(&self, status: Status) -> Status {
        match self.runs {
            true => status + 1,
            false => TERMINAL,
        }
    }

    /// Returns whether the task ever has this status.
    pub(crate) fn has_status(&self, status: Status) -> bool {
        self.runs || status != RUNNING
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            name: "news of a task",
            runs: true,
            attempts: 2,
            watchers: 1,
            callbacks: 1,
            nudges: 1,
            cancellations: 0,
            callers: 0,
            faults: 1,
            mutation: None,
        }
    }
}
