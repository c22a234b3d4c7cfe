//! Failures of an attempt that sent no request.

use std::time::Duration;

use temporalio_sdk::activities::ActivityError;

use super::super::failure;

/// Delay before the next attempt after Temporal did not answer, or the submission was released.
pub(super) const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Returns the failure of a call of Temporal.
pub(super) fn temporal_failure(message: &str) -> ActivityError {
    failure::retryable(
        message.to_owned(),
        failure::UPSTREAM_UNAVAILABLE,
        RETRY_DELAY,
    )
}
