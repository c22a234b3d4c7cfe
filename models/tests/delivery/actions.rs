//! Everything that can happen, in any order.

use stateright::{Model, Property};

use super::{
    bounds::Bounds,
    callers::Caller,
    model::{Attempt, Delivery, Lifecycle, Phase, QUEUED, State, Status, TERMINAL, Watcher},
    properties,
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Action {
    /// The task has its next status.
    Progress,
    Nudge,
    Cancel,
    /// A workflow task of the lifecycle.
    Workflow,
    StartAttempt,
    /// An attempt polls, and receives this record.
    Poll(usize, Status),
    /// An attempt completes the activity, or fails as `StillWaiting`.
    Respond(usize),
    /// An attempt notices a cancellation in the response to a heartbeat.
    EndCancelled(usize),
    /// Temporal stops waiting for an attempt, which may still run.
    TimeOut,
    LoseAttempt(usize),
    StartWatcher(usize),
    StopWatcher(usize),
    /// A watcher receives this record.
    Look(usize, Status),
    Deliver(usize, Reply),
    /// The API calls back because the task has another status.
    StartCallback,
    Callback(Reply),
    /// A caller of `AwaitVideoTask` cancels its activity.
    CancelCaller(usize),
    /// Temporal starts the next attempt of a caller's activity.
    StartWait(usize),
    /// The attempt of a caller receives the result of the lifecycle, or fails as `StillWaiting`.
    Wait(usize),
    /// The attempt of a caller notices the cancellation.
    StopWaiting(usize),
    LoseWait(usize),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reply {
    Arrives,
    /// The request took effect, but its response was lost.
    Lost,
    Fails,
}

impl Action {
    fn is_fault(self, task: Status) -> bool {
        match self {
            Self::Poll(_, record) | Self::Look(_, record) => record != task,
            Self::Deliver(_, reply) | Self::Callback(reply) => reply != Reply::Arrives,
            Self::TimeOut | Self::LoseAttempt(_) | Self::LoseWait(_) => true,
            Self::StartWatcher(_) | Self::StopWatcher(_) => true,
            _ => false,
        }
    }
}

impl State {
    /// Performs an action. One that is not possible has no effect.
    pub(crate) fn apply(&mut self, bounds: &Bounds, action: Action) {
        match action {
            Action::Progress => self.task = bounds.next_status(self.task),
            Action::Nudge => {
                self.nudges += 1;
                self.lifecycle.is_nudged = true;
            }
            Action::Cancel => {
                self.cancellations += 1;
                self.lifecycle.is_cancelled = true;
            }
            Action::Workflow => self.run_workflow(bounds),
            Action::StartAttempt => self.start_attempt(),
            Action::Poll(slot, record) => self.poll(bounds, slot, record),
            Action::Respond(slot) => self.respond(bounds, slot),
            Action::EndCancelled(slot) => {
                if let Some(attempt) = self.attempts[slot].take() {
                    self.end_attempt(bounds, attempt.token());
                }
            }
            Action::TimeOut => {
                if let Some(activity) = self.activity {
                    self.end_attempt(bounds, activity.token());
                }
            }
            Action::LoseAttempt(slot) => self.attempts[slot] = None,
            Action::StartWatcher(slot) => self.watchers[slot] = Some(Watcher::default()),
            Action::StopWatcher(slot) => self.watchers[slot] = None,
            Action::Look(slot, record) => self.look(slot, record),
            Action::Deliver(slot, reply) => self.deliver(bounds, slot, reply),
            Action::StartCallback => {
                self.callbacks += 1;
                self.callback = Some(Delivery::new(self.task));
            }
            Action::Callback(reply) => self.call_back(bounds, reply),
            Action::CancelCaller(slot) => self.cancel_caller(bounds, slot),
            Action::StartWait(slot) => self.start_wait(bounds, slot),
            Action::Wait(slot) => self.wait(bounds, slot),
            Action::StopWaiting(slot) => self.stop_waiting(bounds, slot),
            Action::LoseWait(slot) => self.lose_wait(slot),
        }
    }

    /// Returns whether Temporal waits for the attempt in a slot, and has told it to end.
    fn is_told_to_end(&self, attempt: &Attempt) -> bool {
        let activity = self.activity;
        activity.is_none_or(|it| it.token() != attempt.token() || it.is_cancel_requested)
    }

    fn add_attempt_actions(&self, bounds: &Bounds, actions: &mut Vec<Action>) {
        for (slot, attempt) in self.attempts.iter().enumerate() {
            let Some(attempt) = attempt else { continue };
            match attempt.record {
                None => {
                    actions.push(Action::Poll(slot, self.task));
                    let stale = (attempt.known + 1)..self.task;
                    let stale = stale.filter(|record| bounds.has_status(*record));
                    actions.extend(stale.map(|record| Action::Poll(slot, record)));
                }
                Some(_) => actions.push(Action::Respond(slot)),
            }
            actions.push(Action::LoseAttempt(slot));
            if self.is_told_to_end(attempt) {
                actions.push(Action::EndCancelled(slot));
            }
        }
        let Some(activity) = self.activity else {
            return;
        };
        if activity.is_running {
            actions.push(Action::TimeOut);
        } else if self.started < bounds.attempts && self.attempts.contains(&None) {
            actions.push(Action::StartAttempt);
        }
    }

    fn add_watcher_actions(&self, bounds: &Bounds, actions: &mut Vec<Action>) {
        const REPLIES: [Reply; 3] = [Reply::Arrives, Reply::Lost, Reply::Fails];
        for (slot, watcher) in self.watchers.iter().enumerate() {
            let Some(watcher) = watcher else {
                actions.push(Action::StartWatcher(slot));
                continue;
            };
            let news = (watcher.known + 1)..=self.task;
            let news = news.filter(|record| bounds.has_status(*record));
            actions.extend(news.map(|record| Action::Look(slot, record)));
            actions.push(Action::StopWatcher(slot));
            if watcher.delivery.is_some() {
                actions.extend(REPLIES.map(|reply| Action::Deliver(slot, reply)));
            }
        }
        if self.callback.is_some() {
            actions.extend(REPLIES.map(Action::Callback));
        }
    }

    fn add_caller_actions(&self, actions: &mut Vec<Action>) {
        for (slot, caller) in self.callers.iter().enumerate() {
            let next: &[fn(usize) -> Action] = match caller {
                Some(Caller::BetweenAttempts) => &[Action::CancelCaller, Action::StartWait],
                Some(Caller::Waiting {
                    is_cancelled: false,
                }) => &[Action::CancelCaller, Action::Wait, Action::LoseWait],
                Some(Caller::Waiting { is_cancelled: true }) => {
                    &[Action::StopWaiting, Action::Wait, Action::LoseWait]
                }
                _ => &[],
            };
            actions.extend(next.iter().map(|action| action(slot)));
        }
    }
}

impl Model for Bounds {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            task: QUEUED,
            lifecycle: Lifecycle {
                phase: Phase::BetweenPolls,
                known: QUEUED,
                is_nudged: false,
                is_cancelled: false,
            },
            activity: None,
            result: None,
            activities: 0,
            started: 0,
            attempts: [None; 2],
            watchers: [0, 1].map(|slot| (slot < self.watchers).then(Watcher::default)),
            callers: [0, 1].map(|slot| (slot < self.callers).then(Caller::default)),
            callback: None,
            callbacks: 0,
            answered: QUEUED,
            nudges: 0,
            cancellations: 0,
            faults: self.faults,
            archives: 0,
            went_back: false,
            completed_twice: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.push(Action::Workflow);
        if state.task < TERMINAL {
            actions.push(Action::Progress);
        }
        if state.nudges < self.nudges {
            actions.push(Action::Nudge);
        }
        if state.cancellations < self.cancellations {
            actions.push(Action::Cancel);
        }
        if state.callback.is_none() && state.callbacks < self.callbacks {
            actions.push(Action::StartCallback);
        }
        state.add_attempt_actions(self, actions);
        state.add_watcher_actions(self, actions);
        state.add_caller_actions(actions);
        actions.retain(|action| state.faults > 0 || !action.is_fault(state.task));
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        state.faults -= u8::from(action.is_fault(last.task));
        state.apply(self, action);
        // States that differ only in the slots are one.
        state.attempts.sort_unstable();
        state.watchers.sort_unstable();
        state.callers.sort_unstable();
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        use properties::*;
        vec![
            Property::always(FORWARD, |_, state: &State| !state.went_back),
            Property::always(ONE_RESULT, |_, state: &State| !state.completed_twice),
            Property::always(ONE_ARCHIVAL, |_, state: &State| state.archives <= 1),
            Property::always(BY_POLLS, by_polls),
            Property::always(BY_WATCHERS, by_watchers),
            Property::always(BY_CALLBACKS, by_callbacks),
            Property::always(CANCELLED, cancelled),
            Property::always(OWN_CANCELLATION, own_cancellation),
            Property::always(CALLERS_HEAR, callers_hear),
            Property::always(CALLERS_STOP, callers_stop),
        ]
    }
}
