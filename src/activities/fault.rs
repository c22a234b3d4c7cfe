//! What can go wrong in an attempt at a transfer, wherever it comes from.

use std::time::Duration;

use seedance_archiver_proto::{
    names::failure,
    reason::{self, RECORD_VANISHED, SEAL_KEY_MISSING},
};

use seedance_archiver_workflows::invalid_request::InvalidRequest;

use crate::{
    archive,
    seedance::{self, ErrorKind, UnsealError},
    temporal::lifecycles::LifecycleError,
};

/// Why an attempt failed.
pub(super) enum Fault {
    /// The request is wrong.
    Invalid(InvalidRequest),
    /// It was told to stop.
    Cancelled,
    /// A person has to look.
    Conflict(archive::Error),
    /// It may pass.
    Passing(Passing),
}

/// A fault that may pass, and what it means where it does not in time.
pub(super) struct Passing {
    pub(super) message: String,
    pub(super) failure_type: &'static str,
    pub(super) reason: String,
    pub(super) retry_after: Duration,
}

impl Fault {
    /// There is no URL that works.
    pub(super) fn no_url(message: impl Into<String>) -> Self {
        Self::passing(message, failure::URL_EXPIRED)
    }

    /// There may be one that works, but it cannot be read.
    pub(super) fn unreadable_url(error: &UnsealError) -> Self {
        Self::Passing(Passing {
            message: format!("the video URL is {error}: list it in the account's seal keys"),
            failure_type: failure::URL_EXPIRED,
            reason: SEAL_KEY_MISSING.to_owned(),
            retry_after: Duration::ZERO,
        })
    }

    /// Temporal itself does not do what it was asked to.
    pub(super) fn temporal(error: LifecycleError) -> Self {
        Self::passing(
            format!("cannot start a lifecycle: {error}"),
            failure::UPSTREAM_UNAVAILABLE,
        )
    }

    fn passing(message: impl Into<String>, failure_type: &'static str) -> Self {
        Self::Passing(Passing {
            message: message.into(),
            failure_type,
            reason: reason::of_failure(failure_type),
            retry_after: Duration::ZERO,
        })
    }
}

impl From<archive::Error> for Fault {
    fn from(error: archive::Error) -> Self {
        match error {
            archive::Error::Conflict { .. } => Self::Conflict(error),
            error => Self::passing(error.to_string(), error.failure_type()),
        }
    }
}

/// Asking for a fresh URL failed.
impl From<seedance::Error> for Fault {
    fn from(error: seedance::Error) -> Self {
        let failure_type = error.failure_type();
        let reason = match error.kind() {
            ErrorKind::NotFound => RECORD_VANISHED.to_owned(),
            _ => reason::of_failure(failure_type),
        };
        Self::Passing(Passing {
            message: format!("the video URL does not work, and there is no fresh one: {error}"),
            failure_type,
            reason,
            retry_after: error.retry_after().unwrap_or_default(),
        })
    }
}
