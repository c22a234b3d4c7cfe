//! The result of a callback.

use std::time::Duration;

use crate::{seedance, temporal::lifecycles::LifecycleError};

/// What a callback has changed: the value of `effect` in the response. The change is durable in Temporal.
#[derive(Clone, Copy, Debug, PartialEq, strum::Display)]
pub(super) enum CallbackEffect {
    /// The waiting lifecycle received the record.
    #[strum(serialize = "delivered")]
    Delivered,
    /// The lifecycle knows the status already, or has ended.
    #[strum(serialize = "no news")]
    NoNews,
    /// A lifecycle was started.
    #[strum(serialize = "started")]
    Started,
}

/// Why a callback has changed nothing: the value of `error` in the response.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallbackError {
    #[error("no such task: {0}")]
    NoTask(seedance::Error),
    #[error("the task has no running lifecycle, and `callbacks.start_lifecycles` is off")]
    NoLifecycle,
    #[error("cannot query the task: {0}")]
    Query(seedance::Error),
    #[error("Temporal call failed: {0}")]
    Temporal(String),
    #[error("not processed within {} s", .0.as_secs_f64())]
    Timeout(Duration),
}

impl From<LifecycleError> for CallbackError {
    fn from(error: LifecycleError) -> Self {
        Self::Temporal(error.to_string())
    }
}
