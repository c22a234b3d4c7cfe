//! What is checked, and the errors that the checker must find.

/// The bounds of one run.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    pub(crate) name: &'static str,
    /// Attempts of `QueryVideoTask`, of which two run at once.
    pub(crate) attempts: u8,
    /// Watchers that run at first, of two.
    pub(crate) watchers: usize,
    pub(crate) callbacks: u8,
    pub(crate) nudges: u8,
    pub(crate) cancellations: u8,
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
}

impl Bounds {
    pub(crate) fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            name: "news of a task",
            attempts: 2,
            watchers: 1,
            callbacks: 1,
            nudges: 1,
            cancellations: 0,
            faults: 1,
            mutation: None,
        }
    }
}
