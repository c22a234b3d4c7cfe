//! Callers of `AwaitVideoTask`, which all wait for the result of one lifecycle.

use super::{
    bounds::{Bounds, Mutation},
    model::{Phase, QUEUED, State},
};

/// The activity of a caller. An earlier attempt has joined the lifecycle, and a heartbeat has its run.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Caller {
    /// The last attempt failed as `StillWaiting`, or its worker died.
    BetweenAttempts,
    /// An attempt runs.
    Waiting {
        /// Whether Temporal has told it to end.
        is_cancelled: bool,
    },
    /// The caller has the result of the lifecycle.
    Answered,
    Cancelled,
}

impl Default for Caller {
    fn default() -> Self {
        Self::Waiting {
            is_cancelled: false,
        }
    }
}

impl State {
    /// Temporal tells the attempt to end. It cancels an activity that waits for its next attempt itself.
    pub(crate) fn cancel_caller(&mut self, bounds: &Bounds, slot: usize) {
        self.callers[slot] = match self.callers[slot] {
            Some(Caller::BetweenAttempts) => Some(Caller::Cancelled),
            Some(Caller::Waiting { .. }) => Some(Caller::Waiting { is_cancelled: true }),
            other => other,
        };
        self.lifecycle.is_cancelled |= bounds.is(Mutation::CancelLifecycleToo);
    }

    /// `await_video_task::join`, with the run in the heartbeat.
    pub(crate) fn start_wait(&mut self, bounds: &Bounds, slot: usize) {
        if self.callers[slot] != Some(Caller::BetweenAttempts) {
            return;
        }
        self.callers[slot] = Some(Caller::default());
        if bounds.is(Mutation::StartAgain) && self.lifecycle.has_ended() {
            self.lifecycle.phase = Phase::BetweenPolls;
            self.lifecycle.known = QUEUED;
        }
    }

    /// `await_video_task::wait`, and `check` for an attempt that holds no slot.
    pub(crate) fn wait(&mut self, bounds: &Bounds, slot: usize) {
        let Some(Caller::Waiting { is_cancelled }) = self.callers[slot] else {
            return;
        };
        match is_cancelled {
            _ if self.lifecycle.has_ended() => self.callers[slot] = Some(Caller::Answered),
            // Temporal starts no further attempt.
            true => self.stop_waiting(bounds, slot),
            false => self.callers[slot] = Some(Caller::BetweenAttempts),
        }
    }

    /// `next_attempt::or_cancelled`, in `await_video_task::wait`.
    pub(crate) fn stop_waiting(&mut self, bounds: &Bounds, slot: usize) {
        let is_cancelled = self.callers[slot] == Some(Caller::Waiting { is_cancelled: true });
        if is_cancelled && !bounds.is(Mutation::WaitThoughCancelled) {
            self.callers[slot] = Some(Caller::Cancelled);
        }
    }

    /// The worker of an attempt dies, and its heartbeat timeout passes.
    pub(crate) fn lose_wait(&mut self, slot: usize) {
        if let Some(Caller::Waiting { is_cancelled }) = self.callers[slot] {
            self.callers[slot] = Some(match is_cancelled {
                true => Caller::Cancelled,
                false => Caller::BetweenAttempts,
            });
        }
    }
}
