//! What is checked, and the errors that the checker must find.

use super::store::{Content, RIGHT};

/// The bounds of one run.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    pub(crate) name: &'static str,
    /// Attempts of `ArchiveVideo`, of which two run at once.
    pub(crate) attempts: u8,
    /// Runs of `RecordOutcome`, one at a time.
    pub(crate) outcomes: u8,
    /// Deaths, lost or repeated responses, failed requests, and connections with other or truncated bytes.
    pub(crate) faults: u8,
    pub(crate) bodies: &'static [Content],
    /// Whether the video is no larger than a part.
    pub(crate) is_small: bool,
    /// `has_conditional_complete` in `store/archive.rs`: S3.
    pub(crate) has_conditional_complete: bool,
    /// Whether completing an upload again, with the same parts, succeeds. If not, the upload is not found.
    pub(crate) remembers_completion: bool,
    /// Whether the store replaces an object only if it has a given version. A disk does not.
    pub(crate) has_conditional_update: bool,
    /// Whether a task had a record before it succeeded.
    pub(crate) has_outdated_record: bool,
    pub(crate) mutation: Option<Mutation>,
}

/// An error in the protocol.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mutation {
    /// The receipt is written before the objects.
    ReceiptFirst,
    /// Objects are created without a condition.
    Overwrite,
    /// An existing object is taken for the attempt's own.
    TrustExisting,
    /// The bytes are published whether or not they passed the checks.
    SkipChecks,
    /// The receipt is written without a condition.
    OverwriteReceipt,
    /// An attempt returns its own receipt although another one exists.
    ReturnOwnReceipt,
    /// The record of a succeeded task is replaced, too.
    ReplaceRecord,
    /// An existing object is a conflict, whatever its bytes.
    ConflictWithSelf,
    /// A lost upload is resumed again and again.
    KeepLostUpload,
    /// `clean` does not list the uploads.
    CleanSkipsUploads,
    /// The outcome is not deleted after the receipt was written.
    KeepOutcome,
    /// A repeated `RecordOutcome` that finds a receipt does not delete what a dead one left.
    LeaveOutcome,
    /// A staged object is copied whoever completed the upload.
    CopyUnchecked,
    /// The staged object is not looked at after it was copied.
    TrustCopy,
    /// A receipt names any record whose writer was faster.
    NameAnyRecord,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            name: "conditional completion",
            attempts: 2,
            outcomes: 0,
            faults: 2,
            bodies: &[RIGHT],
            is_small: false,
            has_conditional_complete: true,
            remembers_completion: false,
            has_conditional_update: true,
            has_outdated_record: false,
            mutation: None,
        }
    }
}
