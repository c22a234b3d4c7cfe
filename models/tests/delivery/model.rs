//! How news of a task reaches its lifecycle. Comments name the functions that a transition stands for.

use super::{
    actions::Reply,
    bounds::{Bounds, Mutation},
};

/// 1 is `queued`, 2 `running`, 3 terminal. `is_later_status` in `policy/src/poll.rs` compares such steps.
pub(crate) type Status = u8;
pub(crate) const QUEUED: Status = 1;
pub(crate) const TERMINAL: Status = 3;
/// `MAX_ATTEMPTS` in `watch_account/deliveries.rs` is 5.
const MAX_DELIVERY_ATTEMPTS: u8 = 2;

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
#[derive(Clone, Copy, Debug, Hash, PartialEq)]
pub(crate) struct Attempt {
    number: u8,
    attempt: u8,
    known: Status,
    pub(crate) record: Option<Status>,
}

/// The next request of `Requests::deliver` in `watch_account/requests.rs`, or of `deliver` in `callbacks/handler.rs`.
#[derive(Clone, Copy, Debug, Hash, PartialEq)]
pub(crate) enum Request {
    Describe,
    Complete,
    DescribeAfter,
}

#[derive(Clone, Copy, Debug, Hash, PartialEq)]
pub(crate) struct Delivery {
    record: Status,
    attempts: u8,
    request: Request,
}

/// What a watcher knows of the task: `WatchedTask`, and `Deliveries`.
#[derive(Clone, Copy, Debug, Hash, PartialEq)]
pub(crate) struct Watcher {
    known: Status,
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
    pub(crate) callback: Option<Delivery>,
    pub(crate) callbacks: u8,
    pub(crate) nudges: u8,
    pub(crate) cancellations: u8,
    pub(crate) faults: u8,
    pub(crate) archives: u8,
    pub(crate) went_back: bool,
    pub(crate) completed_twice: bool,
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

/// What follows from a response to a delivery.
enum Effect {
    Continue(Delivery),
    /// The lifecycle knows the status.
    Known,
    /// The next look at the task delivers it again.
    Dropped,
}

impl Delivery {
    pub(crate) fn new(record: Status) -> Self {
        Self {
            record,
            attempts: 1,
            request: Request::Describe,
        }
    }

    fn with(self, request: Request) -> Self {
        Self { request, ..self }
    }

    /// `Deliveries::retry`.
    fn retry(self) -> Effect {
        if self.attempts >= MAX_DELIVERY_ATTEMPTS {
            return Effect::Dropped;
        }
        Effect::Continue(Self {
            attempts: self.attempts + 1,
            ..Self::new(self.record)
        })
    }
}

impl State {
    /// Temporal accepts the result of the pending activity. A result by id needs no task token.
    fn complete(
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
                    activity.is_cancel_requested |= lifecycle.is_cancelled || lifecycle.is_nudged;
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
        if status <= lifecycle.known && !bounds.is(Mutation::TrustStale) {
            return;
        }
        self.went_back |= status < lifecycle.known;
        lifecycle.known = status;
        if status == TERMINAL && lifecycle.is_cancelled {
            lifecycle.phase = Phase::Cancelled;
        } else if status == TERMINAL {
            self.archives += 1;
            // Archiving and not polling: else the same news would start a second archival.
            lifecycle.phase = match bounds.is(Mutation::PollWhileArchiving) {
                true => Phase::BetweenPolls,
                false => Phase::Archiving,
            };
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

    /// `Tasks::look` and `Watcher::look`.
    pub(crate) fn look(&mut self, slot: usize, record: Status) {
        let Some(watcher) = &mut self.watchers[slot] else {
            return;
        };
        if record > watcher.known && watcher.delivery.is_none_or(|it| it.record != record) {
            watcher.delivery = Some(Delivery::new(record));
        }
    }

    /// `Requests::deliver`, and `Watcher::delivered`.
    pub(crate) fn deliver(&mut self, bounds: &Bounds, slot: usize, reply: Reply) {
        let Some(mut watcher) = self.watchers[slot] else {
            return;
        };
        let Some(delivery) = watcher.delivery.take() else {
            return;
        };
        // Who archives, or has ended, has no pending query: `has_ended_waiting`. A status is in a search attribute.
        let is_waiting = matches!(self.lifecycle.phase, Phase::Polling | Phase::BetweenPolls);
        let is_known = !is_waiting || delivery.record <= self.lifecycle.known;
        let is_settled = bounds.is(Mutation::SettleUnheard) || !is_waiting;
        let next = match delivery.request {
            _ if reply == Reply::Fails => delivery.retry(),
            Request::Describe if is_known && delivery.record < TERMINAL => Effect::Known,
            Request::Describe => Effect::Continue(delivery.with(Request::Complete)),
            Request::Complete => match self.complete(bounds, None, Some(delivery.record)) {
                _ if reply == Reply::Lost => delivery.retry(),
                true => Effect::Known,
                false => Effect::Continue(delivery.with(Request::DescribeAfter)),
            },
            Request::DescribeAfter if is_settled => Effect::Known,
            Request::DescribeAfter => delivery.retry(),
        };
        match next {
            Effect::Continue(delivery) => watcher.delivery = Some(delivery),
            Effect::Known => watcher.known = watcher.known.max(delivery.record),
            Effect::Dropped => {}
        }
        self.watchers[slot] = Some(watcher);
    }

    /// `deliver` in `callbacks/handler.rs`, which repeats its requests as long as the lifecycle waits.
    pub(crate) fn call_back(&mut self, bounds: &Bounds, reply: Reply) {
        let Some(delivery) = self.callback.take() else {
            return;
        };
        let is_waiting = matches!(self.lifecycle.phase, Phase::Polling | Phase::BetweenPolls);
        let is_needed = is_waiting && delivery.record > self.lifecycle.known;
        self.callback = match delivery.request {
            // The caller of the callback gets an error, and may repeat it.
            _ if reply == Reply::Fails => None,
            Request::Complete => match self.complete(bounds, None, Some(delivery.record)) {
                true => None,
                false => Some(delivery.with(Request::Describe)),
            },
            _ if is_needed => Some(delivery.with(Request::Complete)),
            _ => None,
        };
    }
}
