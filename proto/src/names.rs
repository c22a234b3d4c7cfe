//! Names that callers use. They do not change.

/// Task queue of the workflow and of `QueryVideoTask`.
pub const TASK_QUEUE: &str = "seedance-archiver";

/// Type of the workflow that follows a task to its end.
pub const LIFECYCLE_WORKFLOW: &str = "VideoTaskLifecycle";

/// Account used where a request names none.
pub const DEFAULT_ACCOUNT: &str = "default";

/// Activity id of the question that a lifecycle has open: a worker that learns of a change first
/// completes it by this id.
pub const QUERY_ACTIVITY_ID: &str = "query";

/// Activity id of a lifecycle's transfer.
pub const ARCHIVE_ACTIVITY_ID: &str = "archive";

/// File name of the receipt.
pub const MANIFEST: &str = "manifest.json";

/// File name of the record of every other ending.
pub const OUTCOME: &str = "outcome.json";

/// File name of a task's record.
pub const TASK: &str = "task.json";

/// The account that a request means.
pub fn account_or_default(account: &str) -> &str {
    if account.is_empty() {
        DEFAULT_ACCOUNT
    } else {
        account
    }
}

/// Task queue of `ArchiveVideo`, beside the queue that the workflow runs on.
pub fn transfers_task_queue(task_queue: &str) -> String {
    format!("{task_queue}-transfers")
}

/// Workflow id of the lifecycle of a task: one task, one lifecycle.
pub fn lifecycle_workflow_id(account: &str, task_id: &str) -> String {
    format!("video-task/{}/{task_id}", account_or_default(account))
}

/// Workflow id of the sweep of an account, and id of the schedule that repeats it: one at a time. The
/// server adds the time to the workflow ids of those that it repeats.
pub fn sweep_workflow_id(account: &str) -> String {
    format!("sweep-video-tasks/{}", account_or_default(account))
}

/// Search attributes that lifecycles write where they are registered. All but the deadline, which is a
/// `Datetime`, are of the type `Keyword`.
pub mod search_attribute {
    /// Id of the generation task.
    pub const TASK_ID: &str = "SeedanceTaskId";
    /// Name of the account.
    pub const ACCOUNT: &str = "SeedanceAccount";
    /// Last known status of the task.
    pub const STATUS: &str = "SeedanceStatus";
    /// Model, name and version.
    pub const MODEL: &str = "SeedanceModel";
    /// How the lifecycle ended.
    pub const OUTCOME: &str = "SeedanceOutcome";
    /// Until when the video's bytes can be had.
    pub const ARCHIVE_DEADLINE: &str = "SeedanceArchiveDeadline";

    /// All of them.
    pub const ALL: [&str; 6] = [TASK_ID, ACCOUNT, STATUS, MODEL, OUTCOME, ARCHIVE_DEADLINE];
}

/// Types of the failures that activities and the workflow report.
pub mod failure {
    /// The task is unchanged; the question is asked again. Benign.
    pub const STILL_WAITING: &str = "StillWaiting";
    /// The request itself is wrong. Not retried.
    pub const INVALID_REQUEST: &str = "InvalidRequest";
    /// The service does not know the task.
    pub const TASK_NOT_FOUND: &str = "TaskNotFound";
    /// The service refuses the account's key.
    pub const UNAUTHORIZED: &str = "Unauthorized";
    /// The service asks to slow down.
    pub const RATE_LIMITED: &str = "RateLimited";
    /// The service cannot be reached or has a fault.
    pub const UPSTREAM_UNAVAILABLE: &str = "UpstreamUnavailable";
    /// The service answered something that is not a task record.
    pub const UNEXPECTED_RESPONSE: &str = "UnexpectedResponse";
    /// The record can no longer be asked for. Not retried.
    pub const QUERY_WINDOW_CLOSED: &str = "QueryWindowClosed";
    /// The video URL no longer works.
    pub const URL_EXPIRED: &str = "UrlExpired";
    /// The video URL points where the account does not allow.
    pub const URL_REFUSED: &str = "UrlRefused";
    /// The bytes are not the video that the task made.
    pub const CORRUPT_VIDEO: &str = "CorruptVideo";
    /// The archive's store cannot be reached or refuses.
    pub const STORE_UNAVAILABLE: &str = "StoreUnavailable";
    /// The archive holds another video under this task's name. Not retried.
    pub const STORE_CONFLICT: &str = "StoreConflict";
    /// The workflow's own: the outcome is `lost`. The result is in its details.
    pub const VIDEO_LOST: &str = "VideoLost";
}
