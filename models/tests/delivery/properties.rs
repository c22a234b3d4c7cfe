//! What must hold in every state.

use super::{
    actions::{Action, Reply},
    bounds::Bounds,
    model::{Phase, State, TERMINAL},
};

pub(crate) const FORWARD: &str = "each status is later than the one before";
pub(crate) const ONE_RESULT: &str = "an activity has at most one result";
pub(crate) const ONE_ARCHIVAL: &str = "there is at most one archival";
pub(crate) const WITHOUT_POLLS: &str = "the end reaches the lifecycle without its own polls";
pub(crate) const WITHOUT_WATCHERS: &str = "the end reaches the lifecycle without watchers";
pub(crate) const WITHOUT_CALLBACKS: &str = "the end reaches the lifecycle without callbacks";

/// Rounds after which the lifecycle must know. An activity needs few of them, and there are few activities.
const MAX_ROUNDS: usize = 60;

pub(crate) fn without_polls(bounds: &Bounds, state: &State) -> bool {
    knows_the_end(bounds, state, [false, true, true])
}

pub(crate) fn without_watchers(bounds: &Bounds, state: &State) -> bool {
    knows_the_end(bounds, state, [true, false, true])
}

pub(crate) fn without_callbacks(bounds: &Bounds, state: &State) -> bool {
    knows_the_end(bounds, state, [true, true, false])
}

/// Returns whether the lifecycle learns that the task has ended if no further fault happens, and of its own polls, the
/// watchers and the callbacks only some work.
fn knows_the_end(bounds: &Bounds, state: &State, works: [bool; 3]) -> bool {
    let mut state = state.clone();
    let [polls, watchers, callbacks] = works;
    state.task = TERMINAL;
    for _ in 0..MAX_ROUNDS {
        if matches!(state.lifecycle.phase, Phase::Archiving | Phase::Cancelled) {
            return true;
        }
        state.apply(bounds, Action::Workflow);
        for slot in [0, 1] {
            match polls {
                true => poll(bounds, &mut state, slot),
                false => lose_attempt(bounds, &mut state, slot),
            }
            match watchers {
                true => watch(bounds, &mut state, slot),
                false => state.watchers[slot] = None,
            }
        }
        match callbacks {
            true if state.callback.is_none() && state.callbacks < bounds.callbacks => {
                state.apply(bounds, Action::StartCallback);
            }
            true => state.apply(bounds, Action::Callback(Reply::Arrives)),
            false => state.callback = None,
        }
    }
    false
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
        None if slot == 0 => Action::StartWatcher(slot),
        Some(watcher) if watcher.delivery.is_some() => Action::Deliver(slot, Reply::Arrives),
        _ => Action::Look(slot, state.task),
    };
    state.apply(bounds, action);
}
