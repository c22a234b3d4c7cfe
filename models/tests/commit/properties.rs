//! What must hold in every state.

use super::{
    bounds::Bounds,
    model::{Action, OUTCOME, Reply, State},
    steps::Next,
    store::{RIGHT, SHORT, Status, Store},
};

pub(crate) const RECEIPT: &str = "a receipt names a video that exists with its digest";
pub(crate) const RECEIPT_RECORD: &str = "a receipt names a record that exists with its digest";
pub(crate) const REPLACED: &str = "no object at a final key is replaced";
pub(crate) const ONE_RECEIPT: &str = "all attempts return the same receipt";
pub(crate) const CHECKED: &str = "published bytes passed the checks";
pub(crate) const RECORD: &str = "the record of a succeeded task is not replaced";
pub(crate) const CONFLICT: &str = "only other bytes conflict";
pub(crate) const RETRIES: &str = "retries lead to a receipt";
pub(crate) const CLEAN: &str = "clean leaves no staged object and no upload";
pub(crate) const OUTCOME_DELETED: &str = "no outcome stays beside a receipt";

/// Steps after which a process without faults must have ended, and attempts after which an archival must have.
const MAX_STEPS: usize = 100;
const MAX_RETRIES: usize = 4;

pub(crate) fn receipt(store: &Store) -> bool {
    let receipt = store.receipt;
    receipt.is_none_or(|receipt| store.video == Some(receipt.video))
}

pub(crate) fn receipt_record(store: &Store) -> bool {
    let receipt = store.receipt;
    receipt.is_none_or(|receipt| store.record == Some(receipt.record))
}

pub(crate) fn checked(bounds: &Bounds, store: &Store) -> bool {
    store
        .video
        .is_none_or(|video| !video.contains(&SHORT) && bounds.bodies.contains(&video))
}

pub(crate) fn clean(bounds: &Bounds, state: &State) -> bool {
    let mut store = state.store.clone();
    store.clean(bounds);
    store.staged.is_empty() && store.uploads.iter().all(|it| it.status != Status::Open)
}

/// Returns whether an archival ends with a receipt if no further fault happens, or with a conflict if the host served
/// other bytes. The running processes all die, or run to their ends one after the other, in any order.
pub(crate) fn retries(bounds: &Bounds, state: &State) -> bool {
    let orders = [None, Some(&[0, 1]), Some(&[1, 0])];
    orders.iter().all(|order| {
        let settled = settle(bounds, state, *order);
        settled.store.receipt.is_some() || state.served_other && settled.has_ended
    })
}

/// Returns whether the outcome is gone once all processes have ended, if there is a receipt. An error of the deletion is
/// only logged.
pub(crate) fn outcome_deleted(bounds: &Bounds, state: &State) -> bool {
    if bounds.outcomes == 0 {
        return true;
    }
    [[0, 1], [1, 0]].iter().all(|order| {
        let settled = settle(bounds, state, Some(order));
        let is_deleted = settled.store.receipt.is_none() || !settled.store.has_outcome;
        is_deleted || settled.has_failed_deletion
    })
}

/// Lets the running processes end, or kills them, and retries until both activities end.
fn settle(bounds: &Bounds, state: &State, order: Option<&[usize; 2]>) -> State {
    let mut state = state.clone();
    match order {
        Some(order) => {
            for slot in order.iter().copied().chain([OUTCOME]) {
                run(bounds, &mut state, slot);
            }
        }
        None => (0..=OUTCOME).for_each(|slot| bounds.apply(&mut state, Action::Die(slot))),
    }
    for _ in 0..MAX_RETRIES {
        if state.has_ended {
            break;
        }
        bounds.apply(&mut state, Action::Start);
        run(bounds, &mut state, 0);
    }
    if state.is_recording {
        bounds.apply(&mut state, Action::StartOutcome);
        run(bounds, &mut state, OUTCOME);
    }
    state
}

fn run(bounds: &Bounds, state: &mut State, slot: usize) {
    for _ in 0..MAX_STEPS {
        let action = match &state.processes[slot] {
            None => return,
            Some(process) if process.next == Next::Connect => Action::Connect(slot, RIGHT),
            Some(_) => Action::Step(slot, Reply::Arrives),
        };
        bounds.apply(state, action);
    }
}
