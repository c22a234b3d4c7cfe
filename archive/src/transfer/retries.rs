//! How often and when a download connects again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// Maximum number of consecutive connections that bring no bytes. Hosts may limit the downloads per URL and count each
/// connection.
const MAX_CONNECTIONS: usize = 6;
/// Delay before the second connection. It doubles for each further connection that brings no bytes.
const MIN_DELAY: Duration = Duration::from_millis(500);
/// Number of new bytes after which the connections are counted from the beginning.
const MIN_GAIN: u64 = 1024;
/// Maximum delay requested by the host during which a download waits. After a longer one, the attempt ends.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(10);

/// The connections that a download may still make.
pub(super) struct Retries {
    delays: ExponentialBackoff,
    gained: u64,
}

impl Retries {
    pub(super) fn new() -> Self {
        Self {
            delays: delays(),
            gained: 0,
        }
    }

    /// Counts new bytes. A host that cuts each connection, at whatever distance, makes no download fail.
    pub(super) fn gain(&mut self, bytes: u64) {
        self.gained += bytes;
        if self.gained >= MIN_GAIN {
            *self = Self::new();
        }
    }

    /// Returns the delay before the next connection, at least as long as the host requested. Returns `None` if there
    /// is no further connection.
    pub(super) fn next_delay(&mut self, retry_after: Option<Duration>) -> Option<Duration> {
        let delay = self.delays.next()?;
        Some(delay.max(retry_after.unwrap_or_default()))
    }
}

fn delays() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(MIN_DELAY)
        .with_max_times(MAX_CONNECTIONS - 1)
        .with_jitter()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_connections_without_new_bytes_are_the_limit() {
        let mut retries = Retries::new();
        for _ in 0..5 {
            retries.gain(100);
            assert!(retries.next_delay(None) >= Some(MIN_DELAY));
        }
        assert_eq!(retries.next_delay(None), None);
    }

    #[test]
    fn connections_with_new_bytes_are_not_limited() {
        let mut retries = Retries::new();
        for _ in 0..1000 {
            retries.gain(300);
            assert!(retries.next_delay(None).is_some());
        }
    }

    #[test]
    fn the_host_may_lengthen_the_delay() {
        let delay = Retries::new().next_delay(Some(MAX_WAIT));
        assert_eq!(delay, Some(MAX_WAIT));
    }
}
