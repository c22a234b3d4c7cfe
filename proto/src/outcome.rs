//! Values of `VideoTaskLifecycleResult.outcome`.

/// The video is stored and checked, and has a receipt.
pub const ARCHIVED: &str = "archived";
/// The task failed, was cancelled or expired: there is no video.
pub const UNSUCCESSFUL: &str = "unsuccessful";
/// There was a video, or may have been, and it can no longer be fetched.
pub const LOST: &str = "lost";
/// The task was never seen, or the lifecycle was stopped before the task ended.
pub const UNKNOWN: &str = "unknown";

/// Every outcome.
pub const ALL: [&str; 4] = [ARCHIVED, UNSUCCESSFUL, LOST, UNKNOWN];
