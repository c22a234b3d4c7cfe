//! The effect of a callback, or the error.

use std::time::Duration;

use crate::{seedance, temporal::lifecycles::LifecycleError};

/// The effect of a callback: the value of `effect` in the response. The effect is durable in Temporal.
#[derive(Clone, Copy, Debug, PartialEq, strum::Display)]
pub(super) enum CallbackEffect {
    /// The waiting lifecycle received the record.
    #[strum(serialize = "delivered")]
    Delivered,
    /// The record changes nothing: the lifecycle already has this status, is archiving, or ended with a verdict.
    #[strum(serialize = "no news")]
    Unchanged,
    /// A lifecycle was started.
    #[strum(serialize = "started")]
    Started,
    /// The submission in the path learned its task.
    #[strum(serialize = "submission known")]
    SubmissionKnown,
}

/// Why a callback was not processed: the value of `error` in the response. The callback may have taken effect if
/// the error is `Temporal` or `Timeout`.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallbackError {
    /// The service has no such task.
    #[error("no such task: {0}")]
    NoTask(seedance::Error),
    /// The task has no lifecycle, and the account does not start lifecycles for callbacks.
    #[error(
        "the task has no running lifecycle; start it with `archive` or set `start_lifecycles = true`"
    )]
    NoLifecycle,
    /// The task could not be queried.
    #[error("cannot query the task: {0}")]
    Query(seedance::Error),
    /// A call to Temporal failed.
    #[error("Temporal call failed: {0}")]
    Temporal(String),
    /// The callback took too long.
    #[error("not processed within {} s", .0.as_secs_f64())]
    Timeout(Duration),
}

impl From<LifecycleError> for CallbackError {
    fn from(error: LifecycleError) -> Self {
        Self::Temporal(error.to_string())
    }
}
