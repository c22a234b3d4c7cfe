//! Words of `VideoTaskLifecycleResult.outcome`.

/// The video is stored and checked, with a receipt.
pub const ARCHIVED: &str = "archived";
/// Upstream failed, cancelled or expired the task: there is no video.
pub const UNSUCCESSFUL: &str = "unsuccessful";
/// There was a video or may have been, and nothing can fetch it any more.
pub const LOST: &str = "lost";
/// The task was never seen, or the lifecycle was stopped: not a verdict.
pub const UNKNOWN: &str = "unknown";

/// Every outcome there is.
pub const ALL: [&str; 4] = [ARCHIVED, UNSUCCESSFUL, LOST, UNKNOWN];
