//! The operations of an attempt, and what it does after each response. Comments name the functions of the crate
//! `archive` that they stand for.

use super::{
    attempt::{
        MAX_PUTS, abort, conflict, end, fail, fail_publication, fail_transfer, follow, size,
    },
    bounds::{Bounds, Mutation},
    model::{Checkpoint, OUTCOME, Process, Progress, Receipt, Reply, State},
    staging::Stored,
    steps::{Next, Pass, Then},
    store::{Content, Failure, RIGHT, Record, Store},
};

impl Bounds {
    /// Performs the next operation of a process, and returns the one after it.
    pub(crate) fn next(
        &self,
        state: &mut State,
        process: &mut Process,
        slot: usize,
        reply: Reply,
        body: Content,
    ) -> Next {
        use Next::*;
        let store = &mut state.store;
        let write = |store: &mut Store, operation: &dyn Fn(&mut Store) -> Result<(), Failure>| {
            match reply {
                Reply::Arrives => operation(store),
                Reply::Lost => operation(store).and(Err(Failure::Other)),
                Reply::Repeated => operation(store).and_then(|()| operation(store)),
                Reply::Fails => Err(Failure::Other),
            }
        };
        let is_read_failed = reply == Reply::Fails;
        let received = process.received;
        match process.next {
            // receipt::find_of_task, in TaskArchival::run.
            FindReceipt if is_read_failed => fail(state, process, slot),
            FindReceipt => match store.receipt {
                Some(receipt) => {
                    process.receipt = Some(receipt);
                    abort(process, Then::DeleteOutcome)
                }
                None => FindRecord(Pass::First),
            },
            // task_record::find_task, in TaskArchival::archive_record, task_record::write_task and write.
            FindRecord(_) if is_read_failed => fail(state, process, slot),
            FindRecord(pass) => match store.record {
                Some(record) if self.is_current(process, record) => {
                    process.record = Some(record);
                    self.after_record(process, slot, pass)
                }
                _ if process.lost_puts == MAX_PUTS => fail(state, process, slot),
                outdated => PutRecord(pass, outdated),
            },
            // json::put, in task_record::put_task. Without conditional updates, it compares the versions first.
            PutRecord(pass, Some(outdated)) if !self.has_conditional_update => match store.record {
                _ if is_read_failed => fail(state, process, slot),
                Some(record) if record != outdated => self.after_lost_put(process, slot, pass),
                _ => OverwriteRecord(pass),
            },
            PutRecord(pass, _) | OverwriteRecord(pass) => {
                let record = Record {
                    by: process.number,
                    has_succeeded: slot != OUTCOME,
                };
                let put = |store: &mut Store| match process.next {
                    PutRecord(_, outdated) => store.put_record(record, outdated),
                    _ => store.overwrite_record(record),
                };
                match write(store, &put) {
                    Ok(()) => {
                        process.record = Some(record);
                        self.after_record(process, slot, pass)
                    }
                    Err(Failure::AlreadyExists) => self.after_lost_put(process, slot, pass),
                    Err(_) => fail(state, process, slot),
                }
            }
            // TaskArchival::find_archived.
            FindArchived => match process.progress.archived {
                _ if is_read_failed => fail(state, process, slot),
                Some((_, etag)) if store.video == Some(etag) => FindRecord(Pass::Last),
                _ => self.resume(process),
            },
            // ResumableDownload::start and next.
            Connect if is_read_failed => fail_transfer(state, process, slot),
            Connect if process.parts == 1 && body[0] != received[0] => {
                abort(process, Then::Connect)
            }
            Connect => {
                process.received = body;
                match process.parts {
                    _ if self.is_small => self.check(process),
                    // is_retry, in Transfer::start_upload.
                    0 if process.number > 1 && self.has_conditional_complete => AbortOthers,
                    0 => StartUpload,
                    parts => PutPart(parts),
                }
            }
            // incomplete_uploads::abort_incomplete_uploads: all uploads to the final key. It only logs errors.
            AbortOthers => {
                let _ = write(store, &Store::abort_all);
                StartUpload
            }
            // Upload::start.
            StartUpload => match write(store, &|store| store.start_upload(process.number)) {
                Ok(()) => {
                    process.upload = store.last_upload();
                    process.progress.upload = process.upload;
                    PutPart(0)
                }
                Err(_) => fail_transfer(state, process, slot),
            },
            // Upload::send, CheckpointedUpload::set_checkpoint and Transfer::copy.
            PutPart(part) => {
                let id = process.upload.unwrap_or_default();
                match write(store, &|store| store.put_part(id, part, received[part])) {
                    Ok(()) => {
                        process.parts = part + 1;
                        process.progress.checkpoint = Some(Checkpoint {
                            upload: id,
                            parts: process.parts,
                            received: [received[0], received[1] * u8::from(part == 1)],
                            tries: 0,
                        });
                        match part {
                            0 => PutPart(1),
                            _ => self.check(process),
                        }
                    }
                    Err(Failure::NotFound) if !process.has_restarted_upload => {
                        process.has_restarted_upload = true;
                        abort(process, Then::Connect)
                    }
                    Err(_) => fail_transfer(state, process, slot),
                }
            }
            // publish::publish.
            PutSmall => match write(store, &|store| store.create_video(self, received)) {
                Ok(()) => HeadEntry,
                Err(Failure::AlreadyExists) => Verify,
                Err(_) => HeadAfter { not_found: false },
            },
            // publish::complete.
            HeadFinal => match (process.upload, store.video) {
                _ if is_read_failed => HeadAfter { not_found: false },
                (Some(id), Some(_)) => Abort(id, Then::Verify),
                _ => Complete,
            },
            // Upload::complete, in publish::complete and complete_and_copy.
            Complete => {
                let id = process.upload.unwrap_or_default();
                match write(store, &|store| store.complete(self, id, received)) {
                    Ok(()) if self.has_conditional_complete => HeadEntry,
                    Ok(()) => HeadStaged { is_own: true },
                    Err(Failure::AlreadyExists) => Abort(id, Then::Verify),
                    Err(Failure::NotFound) if !self.has_conditional_complete => {
                        HeadStaged { is_own: false }
                    }
                    Err(error) => HeadAfter {
                        not_found: error == Failure::NotFound,
                    },
                }
            }
            // publish::complete_and_copy.
            HeadStaged { .. }
            | ReadStaged
            | DeleteOther
            | Copy
            | HeadCopied
            | CompareCopy(_)
            | CompareSizes(_)
            | DeleteStaged { .. } => {
                let operation = |store: &mut Store, key| match process.next {
                    Copy => store.copy(self, key),
                    _ => store.delete_staged(key),
                };
                let key = store.staging_key(process.upload.unwrap_or_default());
                let result = match process.next.is_write() {
                    true => write(store, &|store| operation(store, key)),
                    false if is_read_failed => Err(Failure::Other),
                    false => Ok(()),
                };
                let stored = Stored {
                    staged: store.staged.get(&key).copied(),
                    video: store.video,
                };
                self.after_copy(process, result, stored)
            }
            // publish::exists, after an error; the rest is in TaskArchival::transfer and archive_object.
            HeadAfter { .. } if is_read_failed => fail_publication(state, process, slot),
            HeadAfter { .. } if store.video.is_some() => Verify,
            HeadAfter { not_found: true } if self.is(Mutation::KeepLostUpload) => {
                fail(state, process, slot)
            }
            HeadAfter { not_found: true } if !process.has_restarted_transfer => {
                process.has_restarted_transfer = true;
                process.has_restarted_upload = false;
                process.is_resumed = false;
                abort(process, Then::Connect)
            }
            HeadAfter { not_found: true } => fail(state, process, slot),
            HeadAfter { not_found: false } => fail_publication(state, process, slot),
            // publish::check_same_bytes.
            Verify => match store.video {
                _ if self.is(Mutation::TrustExisting) => HeadEntry,
                Some(video) if !is_read_failed && !self.is(Mutation::ConflictWithSelf) => {
                    match video == received {
                        true => HeadEntry,
                        false => conflict(state, process, slot),
                    }
                }
                Some(_) if !is_read_failed => conflict(state, process, slot),
                _ => fail_publication(state, process, slot),
            },
            // publish::receipt_entry, and Progress::add_archived.
            HeadEntry => match store.video {
                Some(video) if !is_read_failed && size(Some(video)) == size(Some(received)) => {
                    process.progress = Progress {
                        archived: Some((received, video)),
                        ..Progress::default()
                    };
                    FindRecord(Pass::Last)
                }
                _ => fail_publication(state, process, slot),
            },
            // receipt::write.
            PutReceipt => {
                let Some(record) = process.record else {
                    return fail(state, process, slot);
                };
                let receipt = Receipt {
                    by: process.number,
                    video: process
                        .progress
                        .archived
                        .map_or(RIGHT, |(digest, _)| digest),
                    record,
                };
                process.receipt = Some(receipt);
                match write(store, &|store| store.put_receipt(self, receipt)) {
                    Err(_) if !self.is(Mutation::ReturnOwnReceipt) => LookUpReceipt,
                    _ => DeleteOutcome,
                }
            }
            LookUpReceipt => match store.receipt {
                Some(receipt) if !is_read_failed => {
                    process.receipt = Some(receipt);
                    DeleteOutcome
                }
                _ => fail(state, process, slot),
            },
            // outcome::delete_outcome, which only logs errors; then the attempt returns.
            DeleteOutcome => {
                if !self.is(Mutation::KeepOutcome) {
                    let deleted = write(store, &|store| {
                        store.has_outcome = false;
                        Ok(())
                    });
                    state.has_failed_deletion |= deleted.is_err() && state.store.has_outcome;
                }
                end(state, process, slot)
            }
            // Upload::abort, which only logs errors.
            Abort(id, then) => {
                let _ = write(store, &|store| store.abort(id));
                follow(then)
            }
            Fail => fail(state, process, slot),
            // `record` in record_outcome/recording.rs and outcome::write_outcome, which both look for a receipt.
            IsArchived | IsArchivedNow if is_read_failed => fail(state, process, slot),
            IsArchived if store.receipt.is_none() => PutOutcome,
            IsArchivedNow if store.receipt.is_none() => end(state, process, slot),
            IsArchived if self.is(Mutation::LeaveOutcome) => end(state, process, slot),
            IsArchived | IsArchivedNow => DeleteOutcome,
            PutOutcome => {
                let put = write(store, &|store| {
                    store.has_outcome = true;
                    Ok(())
                });
                match put {
                    Ok(()) => FindRecord(Pass::First),
                    Err(_) => fail(state, process, slot),
                }
            }
            End => End,
        }
    }
}
