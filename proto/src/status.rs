//! Values of `VideoTask.status`.

/// Created, not started.
pub const QUEUED: &str = "queued";
/// The video is being generated.
pub const RUNNING: &str = "running";
/// The video was generated, and the record has its URL.
pub const SUCCEEDED: &str = "succeeded";
/// No video was generated. The record has an error.
pub const FAILED: &str = "failed";
/// Cancelled before it started.
pub const CANCELLED: &str = "cancelled";
/// Not finished within `execution_expires_after`. Unrelated to the expiry of the URL.
pub const EXPIRED: &str = "expired";

/// Every status that the API documents.
pub const ALL: [&str; 6] = [QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED, EXPIRED];

/// Returns whether a status is final. An unknown status counts as not final, because waiting loses nothing.
pub fn is_terminal(status: &str) -> bool {
    [SUCCEEDED, FAILED, CANCELLED, EXPIRED].contains(&status)
}
