//! The delay that the API requested during an attempt to transfer a video.

use std::time::Duration;

use parking_lot::Mutex;

use super::transfer_error::{RetryableError, TransferError};

/// The longest delay that the API requested. An attempt may fail for another reason after that: a URL that has expired by
/// its own account is tried although no fresh one could be queried.
#[derive(Default)]
pub(super) struct ApiDelay(Mutex<Duration>);

impl ApiDelay {
    /// Notes the `Retry-After` of a response.
    pub(super) fn note(&self, retry_after: Option<Duration>) {
        let mut delay = self.0.lock();
        *delay = retry_after.map_or(*delay, |requested| requested.max(*delay));
    }

    /// Returns an error after which the next attempt waits for at least the delay.
    pub(super) fn extend(&self, error: TransferError) -> TransferError {
        match error {
            TransferError::Retryable(error) => TransferError::Retryable(RetryableError {
                retry_after: error.retry_after.max(*self.0.lock()),
                ..error
            }),
            error => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use seedance_archiver_proto::names::failure;

    use super::*;

    #[test]
    fn the_failure_of_a_host_does_not_shorten_the_delay_of_the_api() {
        let delay = ApiDelay::default();
        let retry_after = |delay: &ApiDelay| {
            let error = TransferError::retryable("HTTP 503", failure::UPSTREAM_UNAVAILABLE);
            match delay.extend(error) {
                TransferError::Retryable(error) => error.retry_after.as_secs(),
                _ => unreachable!("the error is retryable"),
            }
        };
        assert_eq!(retry_after(&delay), 0);
        delay.note(Some(Duration::from_secs(59)));
        delay.note(Some(Duration::from_secs(7)));
        delay.note(None);
        assert_eq!(retry_after(&delay), 59);
    }
}
