//! The states and actions of the commit protocol. An action is one operation of the store or of the host.

use stateright::{Model, Property};

use super::{
    attempt::start,
    bounds::Bounds,
    properties,
    steps::Next,
    store::{Content, RIGHT, Record, Store, TRUNCATED},
};

/// The slot of `RecordOutcome`. The others are those of two attempts of `ArchiveVideo`.
pub(crate) const OUTCOME: usize = 2;

/// `ArchiveState` in `transfer/progress.rs`, which heartbeats store.
#[derive(Clone, Debug, Default, Hash, PartialEq)]
pub(crate) struct Progress {
    pub(crate) upload: Option<u8>,
    pub(crate) checkpoint: Option<Checkpoint>,
    /// The digest of the received bytes, and the ETag of the object.
    pub(crate) archived: Option<(Content, Content)>,
}

#[derive(Clone, Copy, Debug, Hash, PartialEq)]
pub(crate) struct Checkpoint {
    pub(crate) upload: u8,
    pub(crate) parts: usize,
    pub(crate) received: Content,
    pub(crate) tries: u8,
}

#[derive(Clone, Debug, Hash, PartialEq)]
pub(crate) struct Process {
    pub(crate) number: u8,
    pub(crate) next: Next,
    pub(crate) progress: Progress,
    pub(crate) received: Content,
    /// The ETag of the staged object before the copy.
    pub(crate) version: Option<Content>,
    /// How often another writer of the record was faster.
    pub(crate) lost_puts: u8,
    /// Number of parts that the store confirmed.
    pub(crate) parts: usize,
    pub(crate) upload: Option<u8>,
    pub(crate) is_resumed: bool,
    pub(crate) has_restarted_upload: bool,
    pub(crate) has_restarted_transfer: bool,
    pub(crate) record: Option<Record>,
    pub(crate) receipt: Option<Receipt>,
}

#[derive(Clone, Copy, Debug, Hash, PartialEq)]
pub(crate) struct Receipt {
    pub(crate) by: u8,
    pub(crate) video: Content,
    pub(crate) record: Record,
}

#[derive(Clone, Debug, Hash, PartialEq)]
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) processes: [Option<Process>; 3],
    /// The last heartbeat that Temporal accepted.
    pub(crate) heartbeat: Progress,
    /// The slot of the attempt that Temporal waits for. Another attempt that runs is a zombie.
    pub(crate) current: Option<usize>,
    pub(crate) attempts: u8,
    pub(crate) outcomes: u8,
    /// Whether Temporal repeats `RecordOutcome` if its attempt dies.
    pub(crate) is_recording: bool,
    /// Whether an outcome was not deleted because the request failed.
    pub(crate) has_failed_deletion: bool,
    pub(crate) faults: u8,
    /// Whether Temporal starts no further attempt.
    pub(crate) has_ended: bool,
    pub(crate) has_conflict: bool,
    pub(crate) served_other: bool,
    pub(crate) returned: Option<Receipt>,
    pub(crate) returns_differ: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Action {
    Start,
    StartOutcome,
    Step(usize, Reply),
    /// The host serves these bytes on a new connection.
    Connect(usize, Content),
    Die(usize),
    Heartbeat(usize),
    TimeOut,
}

/// How the store responds to an operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reply {
    Arrives,
    /// The operation took effect, but the response was lost.
    Lost,
    /// The same, and the store's client sent the request again.
    Repeated,
    /// The operation failed without an effect.
    Fails,
}

impl Bounds {
    /// Performs an action, which must be possible.
    pub(crate) fn apply(&self, state: &mut State, action: Action) {
        match action {
            Action::Start => start(state),
            Action::TimeOut => {
                state.current = None;
                start(state);
            }
            Action::StartOutcome => {
                state.outcomes += 1;
                state.is_recording = true;
                let process =
                    Process::new(100 + state.outcomes, Next::IsArchived, Progress::default());
                state.processes[OUTCOME] = Some(process);
            }
            Action::Heartbeat(slot) => {
                if let Some(process) = &state.processes[slot] {
                    state.heartbeat = process.progress.clone();
                }
            }
            Action::Die(slot) => {
                state.processes[slot] = None;
                state.current = state.current.filter(|current| *current != slot);
                state.faults = state.faults.saturating_sub(1);
            }
            Action::Step(slot, reply) => {
                state.faults -= u8::from(reply != Reply::Arrives);
                self.step(state, slot, reply, RIGHT);
            }
            Action::Connect(slot, body) => {
                state.faults -= u8::from(body != RIGHT);
                state.served_other |= ![RIGHT, TRUNCATED].contains(&body);
                self.step(state, slot, Reply::Arrives, body);
            }
        }
    }

    fn step(&self, state: &mut State, slot: usize, reply: Reply, body: Content) {
        let Some(mut process) = state.processes[slot].take() else {
            return;
        };
        process.next = self.next(state, &mut process, slot, reply, body);
        if process.next != Next::End {
            state.processes[slot] = Some(process);
        }
    }
}

impl Model for Bounds {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let record = Record {
            by: 0,
            has_succeeded: false,
        };
        vec![State {
            store: Store {
                record: self.has_outdated_record.then_some(record),
                ..Store::default()
            },
            processes: [None, None, None],
            heartbeat: Progress::default(),
            current: None,
            attempts: 0,
            outcomes: 0,
            is_recording: false,
            has_failed_deletion: false,
            faults: self.faults,
            has_ended: false,
            has_conflict: false,
            served_other: false,
            returned: None,
            returns_differ: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let has_faults = state.faults > 0;
        for (slot, process) in state.processes.iter().enumerate() {
            let Some(process) = process else { continue };
            if process.next == Next::Connect {
                let bodies = self
                    .bodies
                    .iter()
                    .filter(|body| has_faults || **body == RIGHT);
                actions.extend(bodies.map(|body| Action::Connect(slot, *body)));
            } else {
                actions.push(Action::Step(slot, Reply::Arrives));
            }
            if has_faults {
                actions.extend([Action::Die(slot), Action::Step(slot, Reply::Fails)]);
                if process.next.is_write() {
                    let replies = [Reply::Lost, Reply::Repeated];
                    actions.extend(replies.map(|reply| Action::Step(slot, reply)));
                }
            }
            if state.current == Some(slot) && process.progress != state.heartbeat {
                actions.push(Action::Heartbeat(slot));
            }
        }
        let is_free = state.processes[..OUTCOME].iter().any(Option::is_none);
        if is_free && state.attempts < self.attempts && !state.has_ended {
            actions.push(match state.current {
                None => Action::Start,
                Some(_) => Action::TimeOut,
            });
        }
        if state.outcomes < self.outcomes && state.processes[OUTCOME].is_none() {
            actions.push(Action::StartOutcome);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        self.apply(&mut state, action);
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        use properties::*;
        vec![
            Property::always(RECEIPT, |_, state: &State| receipt(&state.store)),
            Property::always(RECEIPT_RECORD, |_, state: &State| {
                receipt_record(&state.store)
            }),
            Property::always(REPLACED, |_, state: &State| !state.store.has_replaced),
            Property::always(ONE_RECEIPT, |_, state: &State| {
                !state.returns_differ && !state.store.has_replaced_receipt
            }),
            Property::always(CHECKED, |bounds: &Self, state: &State| {
                checked(bounds, &state.store)
            }),
            Property::always(RECORD, |_, state: &State| !state.store.has_replaced_record),
            Property::always(CONFLICT, |_, state: &State| {
                !state.has_conflict || state.served_other
            }),
            Property::always(RETRIES, retries),
            Property::always(CLEAN, clean),
            Property::always(OUTCOME_DELETED, outcome_deleted),
        ]
    }
}
