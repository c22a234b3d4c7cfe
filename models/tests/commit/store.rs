//! The object store. Its operations are atomic; what a protocol does between them is up to the protocol.

use std::collections::BTreeMap;

use super::{
    bounds::{Bounds, Mutation},
    model::Receipt,
};

/// The two halves of an object, which are also its digest and its ETag.
pub(crate) type Content = [u8; 2];

/// A half that the host cut off.
pub(crate) const SHORT: u8 = 9;
pub(crate) const RIGHT: Content = [1, 1];
pub(crate) const OTHER: Content = [2, 2];
/// Other bytes after a beginning that is the same, so that a resumed download does not notice.
pub(crate) const OTHER_END: Content = [1, 2];
pub(crate) const TRUNCATED: Content = [1, SHORT];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Failure {
    AlreadyExists,
    NotFound,
    Other,
}

/// `task.json`, whose bytes depend on its writer.
#[derive(Clone, Copy, Debug, Hash, PartialEq)]
pub(crate) struct Record {
    pub(crate) by: u8,
    pub(crate) has_succeeded: bool,
}

#[derive(Clone, Copy, Debug, Hash, PartialEq)]
pub(crate) enum Status {
    Open,
    Completed,
    Aborted,
}

/// A multipart upload, to the final key or to the staging key of the attempt that started it.
#[derive(Clone, Copy, Debug, Hash, PartialEq)]
pub(crate) struct Upload {
    attempt: u8,
    parts: Content,
    pub(crate) status: Status,
}

#[derive(Clone, Debug, Default, Hash, PartialEq)]
pub(crate) struct Store {
    pub(crate) video: Option<Content>,
    pub(crate) staged: BTreeMap<u8, Content>,
    pub(crate) uploads: Vec<Upload>,
    pub(crate) record: Option<Record>,
    pub(crate) receipt: Option<Receipt>,
    pub(crate) has_outcome: bool,
    /// Whether an object at its final key, or a receipt, was ever replaced.
    pub(crate) has_replaced: bool,
    pub(crate) has_replaced_receipt: bool,
    pub(crate) has_replaced_record: bool,
}

impl Store {
    pub(crate) fn start_upload(&mut self, attempt: u8) -> Result<(), Failure> {
        self.uploads.push(Upload {
            attempt,
            parts: [0, 0],
            status: Status::Open,
        });
        Ok(())
    }

    /// Returns the id of the upload that was started last.
    pub(crate) fn last_upload(&self) -> Option<u8> {
        u8::try_from(self.uploads.len().checked_sub(1)?).ok()
    }

    pub(crate) fn put_part(&mut self, id: u8, part: usize, half: u8) -> Result<(), Failure> {
        let upload = &mut self.uploads[usize::from(id)];
        if upload.status != Status::Open {
            return Err(Failure::NotFound);
        }
        upload.parts[part] = half;
        Ok(())
    }

    /// Completes an upload whose parts have the given ETags.
    pub(crate) fn complete(
        &mut self,
        bounds: &Bounds,
        id: u8,
        parts: Content,
    ) -> Result<(), Failure> {
        let upload = self.uploads[usize::from(id)];
        match upload.status {
            Status::Completed if bounds.remembers_completion && upload.parts == parts => {
                return Ok(());
            }
            Status::Completed | Status::Aborted => return Err(Failure::NotFound),
            Status::Open if upload.parts != parts => return Err(Failure::Other),
            Status::Open => {}
        }
        if bounds.has_conditional_complete {
            self.create_video(bounds, parts)?;
        } else {
            self.staged.insert(upload.attempt, parts);
        }
        let remembered = if bounds.remembers_completion {
            parts
        } else {
            [0, 0]
        };
        self.close(id, Status::Completed, remembered);
        Ok(())
    }

    pub(crate) fn abort(&mut self, id: u8) -> Result<(), Failure> {
        if self.uploads[usize::from(id)].status == Status::Open {
            self.close(id, Status::Aborted, [0, 0]);
        }
        Ok(())
    }

    pub(crate) fn abort_all(&mut self) -> Result<(), Failure> {
        (0..self.uploads.len()).try_for_each(|id| self.abort(u8::try_from(id).unwrap_or(0)))
    }

    /// Closes an upload. Its parts matter only if the store remembers them, and would make more states.
    fn close(&mut self, id: u8, status: Status, remembered: Content) {
        let upload = &mut self.uploads[usize::from(id)];
        upload.status = status;
        upload.parts = remembered;
    }

    /// Returns the attempt whose staging key an upload has.
    pub(crate) fn staging_key(&self, upload: u8) -> u8 {
        self.uploads[usize::from(upload)].attempt
    }

    pub(crate) fn create_video(
        &mut self,
        bounds: &Bounds,
        content: Content,
    ) -> Result<(), Failure> {
        if self.video.is_some() && bounds.mutation != Some(Mutation::Overwrite) {
            return Err(Failure::AlreadyExists);
        }
        self.has_replaced |= self.video.is_some_and(|it| it != content);
        self.video = Some(content);
        Ok(())
    }

    pub(crate) fn delete_staged(&mut self, key: u8) -> Result<(), Failure> {
        self.staged.remove(&key).map(drop).ok_or(Failure::NotFound)
    }

    pub(crate) fn copy(&mut self, bounds: &Bounds, key: u8) -> Result<(), Failure> {
        let staged = self.staged.get(&key).copied().ok_or(Failure::NotFound)?;
        self.create_video(bounds, staged)
    }

    /// Creates the record, or replaces this version of it.
    pub(crate) fn put_record(
        &mut self,
        record: Record,
        replaced: Option<Record>,
    ) -> Result<(), Failure> {
        match self.record == replaced {
            true => self.overwrite_record(record),
            false => Err(Failure::AlreadyExists),
        }
    }

    pub(crate) fn overwrite_record(&mut self, record: Record) -> Result<(), Failure> {
        let replaced = self.record.replace(record);
        self.has_replaced_record |= replaced.is_some_and(|it| it.has_succeeded && it != record);
        Ok(())
    }

    pub(crate) fn put_receipt(&mut self, bounds: &Bounds, receipt: Receipt) -> Result<(), Failure> {
        if self.receipt.is_some() && bounds.mutation != Some(Mutation::OverwriteReceipt) {
            return Err(Failure::AlreadyExists);
        }
        self.has_replaced_receipt |= self.receipt.is_some_and(|it| it != receipt);
        self.receipt = Some(receipt);
        Ok(())
    }

    /// `find_leftovers` in `audit/leftovers.rs`, and what the command `clean` does with them.
    pub(crate) fn clean(&mut self, bounds: &Bounds) {
        self.staged.clear();
        if bounds.mutation != Some(Mutation::CleanSkipsUploads) {
            // Aborting an upload never fails here.
            let _ = self.abort_all();
        }
    }
}
