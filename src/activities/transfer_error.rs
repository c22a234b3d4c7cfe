//! Errors of the activities that use the archive.

use std::time::Duration;

use seedance_archiver_policy::transfers::Side;
use seedance_archiver_proto::{
    external,
    names::failure,
    reason::{self, RECORD_VANISHED, SEAL_KEY_MISSING},
};
use seedance_archiver_workflows::invalid_request::InvalidRequest;

use crate::{
    archive,
    seedance::{self, ErrorKind, UnsealError},
};

/// Why an attempt failed.
pub(super) enum TransferError {
    /// The request is invalid.
    Invalid(InvalidRequest),
    /// The attempt was cancelled.
    Cancelled,
    /// The archive holds a different video under the task's key. An operator has to decide.
    Conflict(archive::Error),
    /// The task was erased from the archive.
    Erased(archive::Error),
    /// A later attempt may succeed.
    Retryable(RetryableError),
}

/// An error after which a later attempt may succeed.
pub(super) struct RetryableError {
    pub(super) message: String,
    /// The side that failed.
    pub(super) side: Side,
    /// Type of the failure that reports the error.
    pub(super) failure_type: &'static str,
    /// Reason of the verdict if this is the last error before the archive deadline.
    pub(super) reason: String,
    /// Delay that the service requested, zero if none.
    pub(super) retry_after: Duration,
}

impl TransferError {
    /// Returns a retryable error with the reason that belongs to its failure type.
    pub(super) fn retryable(message: impl Into<String>, failure_type: &'static str) -> Self {
        Self::Retryable(RetryableError {
            message: external::message(&message.into()),
            side: side_of(failure_type),
            failure_type,
            reason: reason::from_failure_type(failure_type),
            retry_after: Duration::ZERO,
        })
    }

    /// Returns the text of the error.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Invalid(error) => error.to_string(),
            Self::Cancelled => "cancelled".to_owned(),
            Self::Conflict(error) | Self::Erased(error) => error.to_string(),
            Self::Retryable(error) => error.message.clone(),
        }
    }

    /// Returns the error of a task without a working URL.
    pub(super) fn no_url(message: impl Into<String>) -> Self {
        Self::retryable(message, failure::URL_EXPIRED)
    }

    /// Returns the error of a URL that may work but cannot be unsealed.
    pub(super) fn sealed_url(error: &UnsealError) -> Self {
        Self::Retryable(RetryableError {
            message: sealed_url_message(error),
            side: Side::Api,
            failure_type: failure::URL_EXPIRED,
            reason: SEAL_KEY_MISSING.to_owned(),
            retry_after: Duration::ZERO,
        })
    }

    /// Adds to the message of a failed query for a fresh URL why one was needed: the key is the other way to a URL.
    pub(super) fn for_sealed_url(self, unseal_error: &UnsealError) -> Self {
        match self {
            Self::Retryable(error) => {
                let message = format!("{}; {}", sealed_url_message(unseal_error), error.message);
                Self::Retryable(RetryableError {
                    message: external::message(&message),
                    ..error
                })
            }
            error => error,
        }
    }
}

fn sealed_url_message(error: &UnsealError) -> String {
    format!("cannot unseal the video URL: {error}; add the key to the account's seal keys")
}

/// Returns the side of a transfer that fails with this type.
fn side_of(failure_type: &str) -> Side {
    match failure_type {
        failure::STORE_UNAVAILABLE | failure::STORE_CONFLICT => Side::Store,
        failure::URL_EXPIRED => Side::Url,
        _ => Side::Host,
    }
}

impl From<archive::Error> for TransferError {
    fn from(error: archive::Error) -> Self {
        match error {
            archive::Error::Conflict { .. } | archive::Error::OtherReceipt { .. } => {
                Self::Conflict(error)
            }
            archive::Error::Erased { .. } => Self::Erased(error),
            error => Self::Retryable(RetryableError {
                message: external::message(&error.to_string()),
                side: side_of(error.failure_type()),
                failure_type: error.failure_type(),
                reason: reason::from_failure_type(error.failure_type()),
                retry_after: error.retry_after(),
            }),
        }
    }
}

/// A query for a fresh URL failed.
impl From<seedance::Error> for TransferError {
    fn from(error: seedance::Error) -> Self {
        let failure_type = error.failure_type();
        let reason = match error.kind() {
            ErrorKind::NotFound => RECORD_VANISHED.to_owned(),
            _ => reason::from_failure_type(failure_type),
        };
        Self::Retryable(RetryableError {
            message: format!("cannot get a fresh video URL: {error}"),
            side: Side::Api,
            failure_type,
            reason,
            retry_after: error.retry_after().unwrap_or_default(),
        })
    }
}
