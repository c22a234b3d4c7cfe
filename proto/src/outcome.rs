//! Values of `VideoTaskLifecycleResult.outcome`.

/// The video is stored and checked, and has a receipt.
pub const ARCHIVED: &str = "archived";
/// The task failed, was cancelled or expired: there is no video.
pub const UNSUCCESSFUL: &str = "unsuccessful";
/// The video, if there was one, can no longer be fetched.
pub const LOST: &str = "lost";
/// The API never returned a record of the task, or the lifecycle was stopped before the task ended.
pub const UNKNOWN: &str = "unknown";

/// Every outcome.
pub const ALL: [&str; 4] = [ARCHIVED, UNSUCCESSFUL, LOST, UNKNOWN];
