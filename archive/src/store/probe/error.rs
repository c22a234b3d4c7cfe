use crate::{
    Error,
    store::{
        conditional_requests,
        error::{StoreError, quoted},
    },
};

/// A request of a probe that failed, or that the store answered wrongly. Each problem has its own fix.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The store did not respond in time.
    #[error("no response to {operation} within {seconds} s")]
    Timeout {
        /// The request.
        operation: &'static str,
        /// Time since the probe started.
        seconds: u64,
    },
    /// Reading an object that does not exist failed with an error other than that the object does not exist.
    #[error("cannot look up a missing object: {}", quoted(.0))]
    MissingObject(object_store::Error),
    /// The store returned an object that does not exist.
    #[error("the store returned an object for a key that does not exist")]
    FindsMissingObject,
    /// The put failed.
    #[error("cannot write the test object: {}", quoted(.0))]
    Write(object_store::Error),
    /// The put failed only with the tags of the account.
    #[error("cannot write an object with tags: {}", quoted(.0))]
    Tags(object_store::Error),
    /// A create-only put replaced an object.
    #[error("a create-only put replaced an existing object")]
    Overwrites,
    /// The store rejects create-only puts, or failed with an error other than that the key exists.
    #[error("a create-only put failed: {}", quoted(.0))]
    ConditionalPut(object_store::Error),
    /// The get failed.
    #[error("cannot read the test object: {}", quoted(.0))]
    Read(object_store::Error),
    /// The get returned different bytes.
    #[error("read-back mismatch: the store returned different bytes")]
    ReadBackMismatch,
    /// An unconditional put, which replaces an object, failed.
    #[error("cannot replace an object: {}", quoted(.0))]
    Replace(object_store::Error),
    /// A put with `If-Match` failed, or failed with an error other than that the object changed.
    #[error("a put with `If-Match` failed: {}", quoted(.0))]
    ConditionalReplace(object_store::Error),
    /// A put with `If-Match` replaced an object with another ETag.
    #[error("a put with `If-Match` replaced an object with another ETag")]
    ReplacesChanged,
    /// A multipart upload could not be started.
    #[error("cannot start a multipart upload: {}", quoted(.0))]
    StartUpload(object_store::Error),
    /// A multipart upload could be started only without the storage class of the account.
    #[error("cannot start a multipart upload with the storage class `{class}`: {}", quoted(.source))]
    StorageClass {
        /// The configured class.
        class: String,
        /// The error of the store.
        source: object_store::Error,
    },
    /// A part could not be uploaded.
    #[error("cannot upload a part: {}", quoted(.0))]
    UploadPart(object_store::Error),
    /// A multipart upload could not be completed.
    #[error("cannot complete a multipart upload: {}", quoted(.0))]
    CompleteUpload(object_store::Error),
    /// The store rejects `If-None-Match: *` when an upload is completed.
    #[error("the store rejects `If-None-Match: *` on CompleteMultipartUpload: {}", quoted(.0))]
    ConditionalComplete(object_store::Error),
    /// Completing an upload replaced an object.
    #[error(
        "completing a multipart upload replaced an existing object: the store ignores `If-None-Match: *` on \
         CompleteMultipartUpload"
    )]
    CompleteOverwrites,
    /// A multipart upload could not be aborted.
    #[error("cannot abort a multipart upload: {}", quoted(.0))]
    AbortUpload(object_store::Error),
    /// A create-only copy failed.
    #[error("a create-only copy failed: {}", quoted(.0))]
    Copy(object_store::Error),
    /// A create-only copy replaced an object.
    #[error("a create-only copy replaced an existing object")]
    CopyOverwrites,
    /// The store has no way to publish a large object without the risk of replacing another. The texts say why.
    #[error("{complete}; copying instead does not work either: {copy}")]
    NoCreateOnlyUpload {
        /// Why an upload to the final key does not work.
        complete: Box<ProbeError>,
        /// Why a copy to the final key does not work.
        copy: Box<ProbeError>,
    },
    /// Large objects are staged and copied, because an upload to the final key is not safe.
    #[error("{reason}; large objects are staged and copied instead, with `{header}: *`")]
    CopiesInstead {
        /// Why an upload to the final key does not work.
        reason: Box<ProbeError>,
        /// The header that makes a copy create-only.
        header: &'static str,
    },
    /// The archive could not be listed.
    #[error("cannot list objects: {}", quoted(.0))]
    List(object_store::Error),
    /// The incomplete uploads could not be listed.
    #[error("cannot list incomplete uploads: {0}")]
    ListUploads(String),
    /// Test objects could not be deleted.
    #[error("cannot delete the test objects: {}", quoted(.0))]
    Delete(object_store::Error),
}

impl ProbeError {
    /// Returns whether nothing, or no large object, can be archived. The other problems concern `verify`, `clean`
    /// and rare cases.
    pub fn blocks_archiving(&self) -> bool {
        !matches!(
            self,
            Self::Replace(_)
                | Self::ConditionalReplace(_)
                | Self::ReplacesChanged
                | Self::AbortUpload(_)
                | Self::CopiesInstead { .. }
                | Self::List(_)
                | Self::ListUploads(_)
                | Self::Delete(_)
        )
    }

    /// Returns whether the store has no safe operation, as opposed to one that failed this time.
    pub(super) fn is_unsafe_store(&self) -> bool {
        match self {
            Self::Overwrites
            | Self::CompleteOverwrites
            | Self::CopyOverwrites
            | Self::ConditionalComplete(_)
            | Self::NoCreateOnlyUpload { .. } => true,
            Self::ConditionalPut(error) | Self::Copy(error) => is_unsupported(error),
            _ => false,
        }
    }

    /// Returns the error of the store, if the probe failed because of one.
    pub fn store_error(&self) -> Option<&object_store::Error> {
        match self {
            Self::MissingObject(error)
            | Self::Write(error)
            | Self::Tags(error)
            | Self::ConditionalPut(error)
            | Self::Read(error)
            | Self::Replace(error)
            | Self::ConditionalReplace(error)
            | Self::StartUpload(error)
            | Self::StorageClass { source: error, .. }
            | Self::UploadPart(error)
            | Self::CompleteUpload(error)
            | Self::ConditionalComplete(error)
            | Self::AbortUpload(error)
            | Self::Copy(error)
            | Self::List(error)
            | Self::Delete(error) => Some(error),
            _ => None,
        }
    }
}

/// Returns whether a conditional operation failed because the object exists or changed.
pub(super) fn is_exists(error: &object_store::Error) -> bool {
    use object_store::Error::{AlreadyExists, Precondition};
    matches!(error, AlreadyExists { .. } | Precondition { .. })
}

/// Returns whether a store rejected the condition of a request, instead of answering it.
pub(super) fn is_unsupported(error: &object_store::Error) -> bool {
    conditional_requests::is_unsupported(error)
}

/// Returns the error of the store in an error of an upload.
pub(super) fn store_error_of(error: Error) -> object_store::Error {
    match error {
        Error::Store(StoreError(error)) => error,
        error => store_error(error.to_string()),
    }
}

/// Returns an error of the store with a text.
pub(super) fn store_error(text: String) -> object_store::Error {
    object_store::Error::Generic {
        store: "archive",
        source: text.into(),
    }
}
