//! Words of `LifecycleProgress.phase`.

/// Asking until the task has ended.
pub const WAITING: &str = "waiting";
/// Bringing the video into the archive.
pub const ARCHIVING: &str = "archiving";
/// There is a result.
pub const ENDED: &str = "ended";
