//! The transitions that need no response of the store.

use super::{
    bounds::{Bounds, Mutation},
    model::{OUTCOME, Process, Progress, State},
    steps::{Next, Pass, Then},
    store::{Content, Record, SHORT},
};

/// `MAX_TRIES` in `transfer/progress.rs` is 3; with 1, the same follows sooner.
const MAX_TRIES: u8 = 1;
/// `MAX_PUTS` in `receipt/task_record.rs` is 3.
pub(crate) const MAX_PUTS: u8 = 2;

impl Bounds {
    pub(crate) fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// `TaskArchival::archive`, after `archive_record`.
    pub(crate) fn after_record(&self, process: &mut Process, slot: usize, pass: Pass) -> Next {
        process.lost_puts = 0;
        match pass {
            _ if slot == OUTCOME => Next::IsArchivedNow,
            Pass::Last => Next::PutReceipt,
            Pass::First if self.is(Mutation::ReceiptFirst) => Next::PutReceipt,
            Pass::First if process.progress.archived.is_some() => Next::FindArchived,
            Pass::First => self.resume(process),
        }
    }

    /// `Transfer::resume` and `Progress::use_checkpoint`.
    pub(crate) fn resume(&self, process: &mut Process) -> Next {
        let checkpoint = process.progress.checkpoint;
        let has_tries = |tries| tries < MAX_TRIES || self.is(Mutation::KeepLostUpload);
        let Some(checkpoint) = checkpoint.filter(|it| has_tries(it.tries)) else {
            return abort(process, Then::Connect);
        };
        process.is_resumed = true;
        process.upload = Some(checkpoint.upload);
        process.parts = checkpoint.parts;
        process.received = checkpoint.received;
        match checkpoint.parts {
            2 => self.check(process),
            _ => Next::Connect,
        }
    }

    /// `Transfer::finish_checks`, and `abort_if_invalid`.
    pub(crate) fn check(&self, process: &mut Process) -> Next {
        match () {
            () if process.received.contains(&SHORT) && !self.is(Mutation::SkipChecks) => {
                abort(process, Then::Fail)
            }
            () if self.is_small => Next::PutSmall,
            () if self.has_conditional_complete => Next::HeadFinal,
            () => Next::Complete,
        }
    }

    /// Returns whether a receipt may name a record, because no writer replaces it: `is_outdated` in
    /// `receipt/task_record.rs`.
    pub(crate) fn is_current(&self, process: &Process, record: Record) -> bool {
        let is_taken = self.is(Mutation::NameAnyRecord) && process.lost_puts > 0;
        is_taken || record.has_succeeded && !self.is(Mutation::ReplaceRecord)
    }

    /// `task_record::write_task` and `task_record::write`, after another writer was faster.
    pub(crate) fn after_lost_put(&self, process: &mut Process, slot: usize, pass: Pass) -> Next {
        if slot == OUTCOME {
            return self.after_record(process, slot, pass);
        }
        process.lost_puts += 1;
        Next::FindRecord(pass)
    }
}

/// `AttemptContext::abort_upload`, and `Transfer::abort_upload`.
pub(crate) fn abort(process: &mut Process, then: Then) -> Next {
    if then == Then::Connect {
        process.parts = 0;
    }
    process.progress.checkpoint = None;
    let saved = process.progress.upload.take();
    match process.upload.take().or(saved) {
        Some(upload) => Next::Abort(upload, then),
        None => follow(then),
    }
}

/// Returns the operation after an abort.
pub(crate) fn follow(then: Then) -> Next {
    match then {
        Then::Connect => Next::Connect,
        Then::Verify => Next::Verify,
        Then::DeleteOutcome => Next::DeleteOutcome,
        Then::Fail => Next::Fail,
    }
}

/// Fails an attempt that resumed from a checkpoint: `count_failed_resumption`, in `object_transfer::transfer`.
pub(crate) fn fail_transfer(state: &mut State, process: &mut Process, slot: usize) -> Next {
    match process.is_resumed {
        true => fail_publication(state, process, slot),
        false => fail(state, process, slot),
    }
}

/// The same in `TaskArchival::transfer`, whether or not the attempt resumed.
pub(crate) fn fail_publication(state: &mut State, process: &mut Process, slot: usize) -> Next {
    if let Some(checkpoint) = &mut process.progress.checkpoint {
        checkpoint.tries = MAX_TRIES.min(checkpoint.tries + 1);
    }
    fail(state, process, slot)
}

/// `transfer_heartbeat::record` in `archive_video.rs`, and a retryable failure. Temporal ignores what a zombie reports.
pub(crate) fn fail(state: &mut State, process: &Process, slot: usize) -> Next {
    if state.current == Some(slot) {
        state.heartbeat = process.progress.clone();
        state.current = None;
    }
    Next::End
}

/// `TransferError::Conflict`, after which there is no further attempt: it aborts its upload.
pub(crate) fn conflict(state: &mut State, process: &mut Process, slot: usize) -> Next {
    state.has_conflict = true;
    if state.current == Some(slot) {
        state.has_ended = true;
        state.current = None;
    }
    abort(process, Then::Fail)
}

/// Returns the receipt to Temporal.
pub(crate) fn end(state: &mut State, process: &Process, slot: usize) -> Next {
    if state.current == Some(slot) {
        state.has_ended = true;
        state.current = None;
    }
    if slot == OUTCOME {
        state.is_recording = false;
    } else {
        state.returns_differ |= state.returned.is_some() && state.returned != process.receipt;
        state.returned = process.receipt;
    }
    Next::End
}

/// Returns what a `HEAD` request tells of an object.
pub(crate) fn size(content: Option<Content>) -> Option<bool> {
    content.map(|content| content.contains(&SHORT))
}

/// Temporal starts the next attempt, with the last heartbeat.
pub(crate) fn start(state: &mut State) {
    let Some(slot) = (0..OUTCOME).find(|slot| state.processes[*slot].is_none()) else {
        return;
    };
    state.attempts += 1;
    let heartbeat = state.heartbeat.clone();
    state.processes[slot] = Some(Process::new(state.attempts, Next::FindReceipt, heartbeat));
    state.current = Some(slot);
}

impl Process {
    pub(crate) fn new(number: u8, next: Next, progress: Progress) -> Self {
        Self {
            number,
            next,
            progress,
            received: [0, 0],
            version: None,
            lost_puts: 0,
            parts: 0,
            upload: None,
            is_resumed: false,
            has_restarted_upload: false,
            has_restarted_transfer: false,
            record: None,
            receipt: None,
        }
    }
}
