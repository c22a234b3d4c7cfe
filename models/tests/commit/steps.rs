//! The operations of a process.

use super::store::Record;

/// `archive_record` runs before the transfer and after it.
#[derive(Clone, Copy, Debug, Hash, PartialEq)]
pub(crate) enum Pass {
    First,
    Last,
}

/// The next operation of a process.
#[derive(Clone, Copy, Debug, Hash, PartialEq)]
pub(crate) enum Next {
    FindReceipt,
    FindRecord(Pass),
    PutRecord(Pass, Option<Record>),
    OverwriteRecord(Pass),
    FindArchived,
    Connect,
    AbortOthers,
    StartUpload,
    PutPart(usize),
    PutSmall,
    HeadFinal,
    Complete,
    /// Whether the attempt itself completed the upload, and so knows the ETag.
    HeadStaged {
        is_own: bool,
    },
    ReadStaged,
    /// The staged object has other bytes.
    DeleteOther,
    Copy,
    HeadCopied,
    /// With the size of the staged object after the copy.
    CompareCopy(Option<bool>),
    CompareSizes(Option<bool>),
    DeleteStaged {
        has_copied: bool,
    },
    HeadAfter {
        not_found: bool,
    },
    Verify,
    HeadEntry,
    PutReceipt,
    LookUpReceipt,
    DeleteOutcome,
    Abort(u8, Then),
    IsArchived,
    PutOutcome,
    IsArchivedNow,
    Fail,
    End,
}

/// What follows an abort.
#[derive(Clone, Copy, Debug, Hash, PartialEq)]
pub(crate) enum Then {
    Connect,
    Verify,
    DeleteOutcome,
    Fail,
}

impl Next {
    pub(crate) fn is_write(self) -> bool {
        use Next::*;
        let is_record_write = matches!(self, PutRecord(..) | OverwriteRecord(_) | PutReceipt);
        let is_upload_write = matches!(self, StartUpload | PutPart(_) | Complete | Abort(..));
        is_record_write
            || is_upload_write
            || matches!(
                self,
                PutSmall | Copy | DeleteOther | DeleteStaged { .. } | PutOutcome | DeleteOutcome
            )
    }
}
