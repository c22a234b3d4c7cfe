//! Errors of an archival, classified by how to react.

use std::time::Duration;

use seedance_archiver_proto::names::failure;

use crate::{
    fetch,
    store::{OpenArchiveError, StoreError},
};

/// An error of an archival. Its text contains no signed URL.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The video URL expired or was revoked: retry with a fresh one. The text has the status and the code in the
    /// body.
    #[error("video URL rejected: {0}")]
    UrlRejected(String),
    /// The account does not allow the video URL: retry, because an operator may allow its host.
    #[error("{0}")]
    UrlNotAllowed(String),
    /// The download failed: retry.
    #[error("cannot download the video: {0}")]
    Download(String),
    /// The host asked to wait: retry after the delay.
    #[error("cannot download the video: {text}; the host asked to wait {} s", .delay.as_secs())]
    RetryLater {
        /// The reason.
        text: String,
        /// The delay that the host requested.
        delay: Duration,
    },
    /// The downloaded bytes are incomplete or invalid: retry.
    #[error("invalid download: {0}")]
    Corrupt(String),
    /// The MD5 of the bytes differs from the declared MD5: retry. If the same bytes arrive again, the ETag is not an
    /// MD5.
    #[error("invalid download: md5 is {found}, but the response headers declare {declared}")]
    Md5Mismatch {
        /// MD5 of the bytes.
        found: String,
        /// Declared MD5.
        declared: String,
    },
    /// The bytes look invalid, but nothing proves that they differ from the object: retry. If the same bytes arrive
    /// again, they are the object.
    #[error("invalid download: {finding}")]
    Odd {
        /// Why the bytes look invalid.
        finding: String,
        /// SHA-256 of the bytes.
        sha256: String,
    },
    /// A check of the bytes failed internally, so nothing is known of the object: retry.
    #[error("internal error: {0}")]
    Internal(String),
    /// A receipt or a record in the archive is not valid JSON.
    #[error("{0}")]
    InvalidRecord(String),
    /// The archive cannot be opened: retry, because an operator may correct its configuration.
    #[error(transparent)]
    Open(#[from] OpenArchiveError),
    /// The object store returned an error or is unreachable: retry.
    #[error("archive store error: {0}")]
    Store(StoreError),
    /// The store could replace an existing object, so nothing is written: retry, because an operator may change the
    /// store or its settings.
    #[error(
        "archive store error: {0}; nothing is archived in this store; run `seedance-archiver doctor`"
    )]
    UnsafeStore(String),
    /// An upload failed, but `object_store` returned no error: retry.
    #[error("upload error: {0}")]
    Upload(String),
    /// The archive has different bytes under this name: an operator has to decide.
    #[error("`{name}` is already archived with SHA-256 {archived}, but the new bytes have {new}")]
    Conflict {
        /// File name of the object.
        name: String,
        /// SHA-256 of the archived object.
        archived: String,
        /// SHA-256 of the new bytes.
        new: String,
    },
    /// The task was erased: nothing of it is archived again.
    #[error(
        "the task was erased at {}; it is archived again only if `{key}` is deleted",
        .erased_at.map_or_else(
            || "an unknown time".to_owned(),
            |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
        )
    )]
    Erased {
        /// Key of the tombstone.
        key: String,
        /// When the task was erased.
        erased_at: Option<jiff::Timestamp>,
    },
    /// The archive has the receipt of another task under the key of this task's: an operator has to decide.
    #[error("`{key}` is the receipt of task `{found}`, not of `{expected}`")]
    OtherReceipt {
        /// Key of the receipt.
        key: String,
        /// Id of the task that the receipt names.
        found: String,
        /// Id of the task.
        expected: String,
    },
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<fetch::Error> for Error {
    fn from(error: fetch::Error) -> Self {
        match error {
            fetch::Error::NotAllowed(text) => Self::UrlNotAllowed(text),
            fetch::Error::Unavailable(text) => Self::Download(text),
        }
    }
}

/// Returns `None` instead of the error that the object does not exist.
pub(crate) fn optional<T>(result: object_store::Result<T>) -> Result<Option<T>, Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl Error {
    /// Returns the error for a conditional operation on a key that exists, or changed.
    pub(crate) fn already_exists(key: &object_store::path::Path) -> Self {
        object_store::Error::AlreadyExists {
            path: key.to_string(),
            source: "another writer was faster".into(),
        }
        .into()
    }

    /// Returns the error of the store, if it returned one.
    fn store_error(&self) -> Option<&object_store::Error> {
        match self {
            Self::Store(StoreError(error)) => Some(error),
            _ => None,
        }
    }

    /// Returns whether the store does not have the object or upload.
    pub(crate) fn is_not_found(&self) -> bool {
        use object_store::Error::NotFound;
        matches!(self.store_error(), Some(NotFound { .. }))
    }

    /// Returns whether the store does not support the operation.
    pub(crate) fn is_not_supported(&self) -> bool {
        use object_store::Error::{NotImplemented, NotSupported};
        matches!(
            self.store_error(),
            Some(NotSupported { .. } | NotImplemented { .. })
        )
    }

    /// Returns whether a conditional operation failed because the object exists or changed.
    pub(crate) fn is_already_exists(&self) -> bool {
        use object_store::Error::{AlreadyExists, Precondition};
        matches!(
            self.store_error(),
            Some(AlreadyExists { .. } | Precondition { .. })
        )
    }

    /// Returns the delay that the host requested, zero if none.
    pub fn retry_after(&self) -> Duration {
        match self {
            Self::RetryLater { delay, .. } => *delay,
            _ => Duration::ZERO,
        }
    }

    /// Returns the failure type that an activity reports for this error.
    pub fn failure_type(&self) -> &'static str {
        match self {
            Self::UrlRejected(_) => failure::URL_EXPIRED,
            Self::UrlNotAllowed(_) => failure::URL_REFUSED,
            Self::Download(_) | Self::RetryLater { .. } => failure::UPSTREAM_UNAVAILABLE,
            Self::Corrupt(_)
            | Self::Md5Mismatch { .. }
            | Self::Odd { .. }
            | Self::Internal(_)
            | Self::InvalidRecord(_) => failure::CORRUPT_VIDEO,
            Self::Open(_) | Self::Store(_) | Self::UnsafeStore(_) | Self::Upload(_) => {
                failure::STORE_UNAVAILABLE
            }
            Self::Erased { .. } => failure::VIDEO_ERASED,
            Self::Conflict { .. } | Self::OtherReceipt { .. } => failure::STORE_CONFLICT,
        }
    }
}
