//! The time in which tasks can be queried, according to the accounts.

use std::time::Duration;

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How wrong the clock of a worker may be.
pub(super) const MAX_CLOCK_ERROR: Duration = Duration::from_secs(180);
/// How long before the end of the window the last poll is sent.
pub(super) const MARGIN: Duration = Duration::from_secs(5);

/// Returns the query window of the accounts. The API's is a week: a worker whose clock is behind must not query a task
/// outside of it.
pub(super) fn query_window() -> Duration {
    WEEK - MAX_CLOCK_ERROR - 2 * MARGIN
}
