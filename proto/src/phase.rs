//! Values of `LifecycleProgress.phase`.

/// The task is polled until its status is terminal.
pub const WAITING: &str = "waiting";
/// The video is being transferred to the archive.
pub const ARCHIVING: &str = "archiving";
/// The lifecycle has a result.
pub const ENDED: &str = "ended";
