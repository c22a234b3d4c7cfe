//! What must hold in every state.

use super::{
    actions::{Action, Reply},
    bounds::Bounds,
    callers::Caller,
    model::{Phase, State, TERMINAL},
};

pub(crate) const FORWARD: &str = "each status is later than the one before";
pub(crate) const ONE_RESULT: &str = "an activity has at most one result";
pub(crate) const ONE_ARCHIVAL: &str = "there is at most one archival";
pub(crate) const BY_POLLS: &str = "polls alone tell the lifecycle of the end";
pub(crate) const BY_WATCHERS: &str = "watchers alone tell the lifecycle of the end";
pub(crate) const BY_CALLBACKS: &str =
    "callbacks that are repeated until they are answered do so too";
pub(crate) const CANCELLED: &str = "a cancelled lifecycle ends although it hears nothing";
pub(crate) const OWN_CANCELLATION: &str = "only its own cancellation ends a lifecycle as cancelled";
pub(crate) const CALLERS_HEAR: &str =
    "a caller that is not cancelled receives the result of the lifecycle";
pub(crate) const CALLERS_STOP: &str = "a cancelled caller stops waiting for an open lifecycle";

/// Rounds after which the lifecycle must know. An activity needs few of them, and there are few activities.
const MAX_ROUNDS: usize = 60;

/// The sources that work.
#[derive(Clone, Copy, Default)]
struct Sources {
    polls: bool,
    watchers: bool,
    callbacks: bool,
}

const POLLS: Sources = Sources {
    polls: true,
    watchers: false,
    callbacks: false,
};

pub(crate) fn by_polls(bounds: &Bounds, state: &State) -> bool {
    ends(bounds, state, POLLS)
}

pub(crate) fn by_watchers(bounds: &Bounds, state: &State) -> bool {
    let watchers = Sources {
        watchers: true,
        ..Sources::default()
    };
    ends(bounds, state, watchers)
}

pub(crate) fn by_callbacks(bounds: &Bounds, state: &State) -> bool {
    let callbacks = Sources {
        callbacks: true,
        ..Sources::default()
    };
    ends(bounds, state, callbacks)
}

pub(crate) fn cancelled(bounds: &Bounds, state: &State) -> bool {
    !state.lifecycle.is_cancelled || ends(bounds, state, Sources::default())
}

pub(crate) fn own_cancellation(_: &Bounds, state: &State) -> bool {
    state.lifecycle.phase != Phase::Cancelled || state.cancellations > 0
}

pub(crate) fn callers_hear(bounds: &Bounds, state: &State) -> bool {
    if state.callers == [None; 2] {
        return true;
    }
    let mut state = after(bounds, state, POLLS);
    for slot in [0, 1] {
        state.apply(bounds, Action::StartWait(slot));
        state.apply(bounds, Action::Wait(slot));
    }
    let mut callers = state.callers.iter().flatten();
    callers.all(|caller| matches!(caller, Caller::Answered | Caller::Cancelled))
}

pub(crate) fn callers_stop(bounds: &Bounds, state: &State) -> bool {
    let mut state = state.clone();
    for slot in [0, 1] {
        state.apply(bounds, Action::StopWaiting(slot));
    }
    let still_waits = Some(Caller::Waiting { is_cancelled: true });
    !state.callers.contains(&still_waits)
}

/// Returns whether the lifecycle learns that the task has ended, or ends cancelled, if no further fault happens and only
/// these sources work.
fn ends(bounds: &Bounds, state: &State, works: Sources) -> bool {
    after(bounds, state, works).lifecycle.has_ended()
}

/// Returns the state after the task has ended, if no further fault happens and only these sources work.
fn after(bounds: &Bounds, state: &State, works: Sources) -> State {
    let mut state = state.clone();
    state.task = TERMINAL;
    for _ in 0..MAX_ROUNDS {
        if state.lifecycle.has_ended() {
            break;
        }
        state.apply(bounds, Action::Workflow);
        for slot in [0, 1] {
            match works.polls {
                true => poll(bounds, &mut state, slot),
                false => lose_attempt(bounds, &mut state, slot),
            }
            match works.watchers {
                true => watch(bounds, &mut state, slot),
                false => state.watchers[slot] = None,
            }
        }
        match works.callbacks {
            true => call_back(bounds, &mut state),
            false => state.callback = None,
        }
    }
    state
}

fn poll(bounds: &Bounds, state: &mut State, slot: usize) {
    let is_lost = |token| {
        !state
            .attempts
            .iter()
            .flatten()
            .any(|it| it.token() == token)
    };
    if state
        .activity
        .is_some_and(|activity| is_lost(activity.token()))
    {
        state.apply(bounds, Action::TimeOut);
    }
    state.apply(bounds, Action::StartAttempt);
    let action = match &state.attempts[slot] {
        Some(attempt) if attempt.record.is_none() => Action::Poll(slot, state.task),
        _ => Action::Respond(slot),
    };
    state.apply(bounds, action);
}

/// The attempt died, and its heartbeat timeout passes.
fn lose_attempt(bounds: &Bounds, state: &mut State, slot: usize) {
    state.attempts[slot] = None;
    state.apply(bounds, Action::TimeOut);
}

fn watch(bounds: &Bounds, state: &mut State, slot: usize) {
    let action = match &state.watchers[slot] {
        None if state.watchers == [None; 2] => Action::StartWatcher(slot),
        Some(watcher) if watcher.delivery.is_some() => Action::Deliver(slot, Reply::Arrives),
        _ => Action::Look(slot, state.task),
    };
    state.apply(bounds, action);
}

fn call_back(bounds: &Bounds, state: &mut State) {
    if state.callback.is_some() {
        state.apply(bounds, Action::Callback(Reply::Arrives));
    } else if state.answered < state.task {
        state.apply(bounds, Action::StartCallback);
    }
}
