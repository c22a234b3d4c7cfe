//! Words of `VideoTask.status`.

/// Accepted, not started.
pub const QUEUED: &str = "queued";
/// Being made.
pub const RUNNING: &str = "running";
/// Made: the record has URLs.
pub const SUCCEEDED: &str = "succeeded";
/// Not made; `error` says why.
pub const FAILED: &str = "failed";
/// Cancelled by a person before it started.
pub const CANCELLED: &str = "cancelled";
/// Not finished within `execution_expires_after`. Has nothing to do with the URL's expiry.
pub const EXPIRED: &str = "expired";

/// Every status that the API documents.
pub const ALL: [&str; 6] = [QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED, EXPIRED];

/// Whether the status is final. A word that is not known counts as open: waiting loses nothing.
pub fn is_terminal(status: &str) -> bool {
    [SUCCEEDED, FAILED, CANCELLED, EXPIRED].contains(&status)
}
