//! How news of a task reaches its lifecycle. Comments name the functions that a transition stands for.

use super::{
    bounds::{Bounds, Mutation},
    callers::Caller,
};

/// 1 is `queued`, 2 `running`, 3 terminal. `is_later_status` in `policy/src/poll.rs` compares such steps.
pub(crate) type Status = u8;
pub(crate) const QUEUED: Status = 1;
pub(crate) const RUNNING: Status = 2;
pub(crate) const TERMINAL: Status = 3;

/// What the lifecycle does: `polling::until_terminal`, `lifecycle::archive`, `ending::cancel`.
#[derive(Clone, Copy, Debug, Hash, PartialEq)]
pub(crate) enum Phase {
    BetweenPolls,
    Polling,
    Archiving,
    Cancelled,
}

#[derive(Clone, Debug, Hash, PartialEq)]
pub(crate) struct Lifecycle {
    pub(crate) phase: Phase,
    pub(crate) known: Status,
    pub(crate) is_nudged: bool,
    pub(crate) is_cancelled: bool,
}

/// The pending `QueryVideoTask`, as Temporal knows it.
#[derive(Clone, Copy, Debug, Hash, PartialEq)]
pub(crate) struct Activity {
    number: u8,
    attempt: u8,
    known: Status,
    pub(crate) is_running: bool,
    pub(crate) is_cancel_requested: bool,
}

/// An attempt of `QueryVideoTask` in a worker, maybe a zombie. Number and attempt are its task token.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Attempt {
    number: u8,
    attempt: u8,
    pub(crate) known: Status,
    pub(crate) record: Option<Status>,
}

/// The next request of `Requests::deliver` in `watch_account/requests.rs`, or of `deliver` in `callbacks/handler.rs`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Request {
    Describe,
    Complete,
    DescribeAfter,
}

#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Delivery {
    pub(crate) record: Status,
    pub(crate) attempts: u8,
    pub(crate) request: Request,
}

/// What a watcher knows of the task: `WatchedTask`, and `Deliveries`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Watcher {
    pub(crate) known: Status,
    pub(crate) delivery: Option<Delivery>,
}

#[derive(Clone, Debug, Hash, PartialEq)]
pub(crate) struct State {
    pub(crate) task: Status,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) activity: Option<Activity>,
    /// The result that Temporal has, and the workflow not yet. `None`: the activity was cancelled, or timed out.
    pub(crate) result: Option<Option<Status>>,
    pub(crate) activities: u8,
    /// Attempts so far.
    pub(crate) started: u8,
    pub(crate) attempts: [Option<Attempt>; 2],
    pub(crate) watchers: [Option<Watcher>; 2],
    pub(crate) callers: [Option<Caller>; 2],
    pub(crate) callback: Option<Delivery>,
    pub(crate) callbacks: u8,
    /// The status of the last callback that was answered with success, and is not repeated.
    pub(crate) answered: Status,
    pub(crate) nudges: u8,
    pub(crate) cancellations: u8,
    pub(crate) faults: u8,
    pub(crate) archives: u8,
    pub(crate) went_back: bool,
    pub(crate) completed_twice: bool,
}

impl Lifecycle {
    /// Returns whether the task has ended for it. What `ArchiveVideo` does is in the model of the commit protocol.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Archiving | Phase::Cancelled)
    }
}

impl Activity {
    pub(crate) fn token(&self) -> (u8, u8) {
        (self.number, self.attempt)
    }
}

impl Attempt {
    pub(crate) fn token(&self) -> (u8, u8) {
        (self.number, self.attempt)
    }
}

/// A watcher that has just started: `WatchedTask::new`.
impl Default for Watcher {
    fn default() -> Self {
        Self {
            known: QUEUED,
            delivery: None,
        }
    }
}

impl State {
    /// Temporal accepts the result of the pending activity. A result by id needs no task token.
    pub(crate) fn complete(
        &mut self,
        bounds: &Bounds,
        token: Option<(u8, u8)>,
        result: Option<Status>,
    ) -> bool {
        let is_current = |it: &Activity| token.is_none_or(|token| token == it.token());
        let is_pending = self.activity.as_ref().is_some_and(is_current);
        if !is_pending && !bounds.is(Mutation::AcceptAnyResult) {
            return false;
        }
        self.completed_twice |= self.activity.is_none();
        self.activity = None;
        self.result = Some(result);
        true
    }

    /// The next step of `polling::until_terminal` and `polling::poll`.
    pub(crate) fn run_workflow(&mut self, bounds: &Bounds) {
        let lifecycle = &mut self.lifecycle;
        match (lifecycle.phase, self.result.take()) {
            (Phase::BetweenPolls, _) if lifecycle.is_cancelled => {
                lifecycle.phase = Phase::Cancelled
            }
            (Phase::BetweenPolls, _) => {
                lifecycle.is_nudged = false;
                lifecycle.phase = Phase::Polling;
                self.activities += 1;
                self.activity = Some(Activity {
                    number: self.activities,
                    attempt: 0,
                    known: lifecycle.known,
                    is_running: false,
                    is_cancel_requested: false,
                });
            }
            (Phase::Polling, Some(result)) => {
                lifecycle.phase = Phase::BetweenPolls;
                let is_lost = bounds.is(Mutation::NudgeLosesResult) && lifecycle.is_nudged;
                if let Some(status) = result.filter(|_| !is_lost) {
                    self.take_record(bounds, status);
                }
            }
            (Phase::Polling, None) => {
                if let Some(activity) = &mut self.activity {
                    let is_cancelled =
                        lifecycle.is_cancelled && !bounds.is(Mutation::WaitForResult);
                    activity.is_cancel_requested |= is_cancelled || lifecycle.is_nudged;
                    // Temporal itself cancels an activity that waits for its next attempt.
                    if activity.is_cancel_requested && !activity.is_running {
                        self.complete(bounds, None, None);
                    }
                }
            }
            _ => {}
        }
    }

    fn take_record(&mut self, bounds: &Bounds, status: Status) {
        let lifecycle = &mut self.lifecycle;
        if status <= lifecycle.known && !bounds.is(Mutation::TakeAnyRecord) {
            return;
        }
        self.went_back |= status <= lifecycle.known;
        lifecycle.known = status;
        if status == TERMINAL && lifecycle.is_cancelled {
            lifecycle.phase = Phase::Cancelled;
        } else if status == TERMINAL {
            self.archives += 1;
            lifecycle.phase = Phase::Archiving;
            if bounds.is(Mutation::ForgetEnd) {
                lifecycle.phase = Phase::BetweenPolls;
                lifecycle.known = QUEUED;
            }
        }
    }

    /// Temporal starts the next attempt of the pending activity.
    pub(crate) fn start_attempt(&mut self) {
        let free = self.attempts.iter().position(Option::is_none);
        let activity = self.activity.as_mut().filter(|it| !it.is_running);
        if let (Some(slot), Some(activity)) = (free, activity) {
            activity.attempt += 1;
            activity.is_running = true;
            self.started += 1;
            self.attempts[slot] = Some(Attempt {
                number: activity.number,
                attempt: activity.attempt,
                known: activity.known,
                record: None,
            });
        }
    }

    /// `queries.query_with_record`, in `query_video_task::run`.
    pub(crate) fn poll(&mut self, bounds: &Bounds, slot: usize, record: Status) {
        let Some(attempt) = &mut self.attempts[slot] else {
            return;
        };
        attempt.record = Some(record);
        let token = attempt.token();
        let activity = self.activity.as_mut().filter(|it| it.token() == token);
        if bounds.is(Mutation::CompareWithEarlierAttempt)
            && let Some(activity) = activity
        {
            activity.known = record;
        }
    }

    /// `query_video_task::run`: the status is later than the one in the request, or the attempt fails.
    pub(crate) fn respond(&mut self, bounds: &Bounds, slot: usize) {
        let Some(attempt) = self.attempts[slot].take() else {
            return;
        };
        let token = attempt.token();
        let is_later = |record: &Status| *record > attempt.known;
        if let Some(record) = attempt.record.filter(is_later) {
            self.complete(bounds, Some(token), Some(record));
        } else {
            self.end_attempt(bounds, token);
        }
    }

    /// An attempt failed, or Temporal stopped waiting for it: it starts another one, unless cancelled.
    pub(crate) fn end_attempt(&mut self, bounds: &Bounds, token: (u8, u8)) {
        let activity = self.activity.as_mut();
        let Some(activity) = activity.filter(|it| it.token() == token) else {
            return;
        };
        activity.is_running = false;
        if activity.is_cancel_requested {
            self.complete(bounds, Some(token), None);
        }
    }
}
