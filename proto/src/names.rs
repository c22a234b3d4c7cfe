//! Names that callers use. They never change.

/// Task queue of the workflows and the query activities.
pub const TASK_QUEUE: &str = "seedance-archiver";

/// Nexus service of the archiver.
pub const NEXUS_SERVICE: &str = "SeedanceArchiver";

/// Nexus endpoint that `setup` creates.
pub const NEXUS_ENDPOINT: &str = "seedance-archiver";

/// Type of the lifecycle workflow.
pub const LIFECYCLE_WORKFLOW: &str = "VideoTaskLifecycle";

/// Type of the workflow that delivers an event to a webhook.
pub const DELIVER_EVENT_WORKFLOW: &str = "DeliverEvent";

/// Type of the workflow that creates a task and waits until its video is archived.
pub const GENERATE_WORKFLOW: &str = "GenerateVideo";

/// Type of the workflow of a submission.
pub const SUBMISSION_WORKFLOW: &str = "VideoTaskSubmission";

/// Memo of the workflow of a submission: what its request asks for, as `SubmittedRequest`.
pub const SUBMITTED_MEMO: &str = "submitted";

/// Account of requests that name none.
pub const DEFAULT_ACCOUNT: &str = "default";

/// Activity id of a lifecycle's `QueryVideoTask`. A worker that learns of a change first completes the activity
/// by this id.
pub const QUERY_ACTIVITY_ID: &str = "query";

/// Activity id of a lifecycle's `ArchiveVideo`.
pub const ARCHIVE_ACTIVITY_ID: &str = "archive";

/// Activity id of the cancellation of a task.
pub const CANCEL_ACTIVITY_ID: &str = "cancel";

/// Activity id of writing `outcome.json`.
pub const RECORD_ACTIVITY_ID: &str = "record";
/// Id of the activity that records an outcome after its workflow was cancelled meanwhile: an attempt of the one before may
/// still run, and two activities with one id cannot.
pub const RECORD_AGAIN_ACTIVITY_ID: &str = "record-again";

/// Activity id of a watcher's `WatchAccount`.
pub const WATCH_ACTIVITY_ID: &str = "watch";

/// Activity id of an audit's `AuditShare`.
pub const AUDIT_ACTIVITY_ID: &str = "audit";

/// Activity id of the delivery of an event.
pub const DELIVER_ACTIVITY_ID: &str = "deliver";

/// Activity id of `CreateVideoTask` in `GenerateVideo`. The default submission id follows from it.
pub const CREATE_ACTIVITY_ID: &str = "create";

/// Activity id of `AwaitVideoTask` in `GenerateVideo`.
pub const AWAIT_ACTIVITY_ID: &str = "await";

/// Activity id of a submission's `FindSubmittedTask`.
pub const FIND_ACTIVITY_ID: &str = "find";

/// File name of the receipt.
pub const MANIFEST: &str = "manifest.json";

/// File name of the record of an outcome other than `archived`.
pub const OUTCOME: &str = "outcome.json";

/// File name of the tombstone of an erased task.
pub const ERASED: &str = "erased.json";

/// File name of the task's record.
pub const TASK: &str = "task.json";

/// Returns the account of a request: the default account if the name is empty.
pub fn account_or_default(account: &str) -> &str {
    if account.is_empty() {
        DEFAULT_ACCOUNT
    } else {
        account
    }
}

/// Returns the task queue of `ArchiveVideo` that belongs to the task queue of the workflow.
pub fn transfers_task_queue(task_queue: &str) -> String {
    format!("{task_queue}-transfers")
}

/// Returns the Nexus task queue that belongs to the task queue of the workflow.
pub fn nexus_task_queue(task_queue: &str) -> String {
    format!("{task_queue}-nexus")
}

/// Returns the workflow id of the lifecycle of a task. A task has one lifecycle at a time.
pub fn lifecycle_workflow_id(account: &str, task_id: &str) -> String {
    format!("video-task/{}/{task_id}", account_or_default(account))
}

/// Returns the workflow id of the sweep of an account, and the id of the schedule that repeats it. The server
/// appends the time to the workflow id of a scheduled sweep.
pub fn sweep_workflow_id(account: &str) -> String {
    format!("sweep-video-tasks/{}", account_or_default(account))
}

/// Returns the workflow id of the watcher of an account, of which there is one at a time.
pub fn watcher_workflow_id(account: &str) -> String {
    format!("account-watcher/{}", account_or_default(account))
}

/// Returns the id of the schedule that repeats the audit of an archive. `destination` is the archive URL in the request,
/// empty for the worker's archive. The server appends the time to the workflow id of a scheduled audit.
pub fn audit_schedule_id(destination: &str) -> String {
    let archive = match destination {
        "" => DEFAULT_ACCOUNT,
        url => url,
    };
    format!("audit-archive/{archive}")
}

/// Operations of the Nexus service.
pub mod nexus_operation {
    /// Starts or joins the lifecycle of a task. Its result is that of the lifecycle.
    pub const AWAIT_VIDEO_TASK: &str = "AwaitVideoTask";
    /// Returns what the latest lifecycle of a task knows.
    pub const GET_VIDEO_TASK: &str = "GetVideoTask";
}

/// Returns the start of the workflow ids of an account's deliveries of events.
pub fn event_workflow_id_prefix(account: &str) -> String {
    format!("video-event/{}/", account_or_default(account))
}

/// Returns the workflow id of the delivery of an event about a task.
pub fn event_workflow_id(account: &str, task_id: &str, event_id: &str) -> String {
    format!("{}{task_id}/{event_id}", event_workflow_id_prefix(account))
}

/// Returns the workflow id under which the command line generates the video of a submission. Other callers may choose their
/// own: calls with the same submission id share one task.
pub fn generate_workflow_id(account: &str, submission_id: &str) -> String {
    format!(
        "generate-video/{}/{submission_id}",
        account_or_default(account)
    )
}

/// Returns the workflow id of a submission. It exists from before the create request is sent, so that no second one is
/// sent for the same submission.
pub fn submission_workflow_id(account: &str, submission_id: &str) -> String {
    format!(
        "video-task-submission/{}/{submission_id}",
        account_or_default(account)
    )
}

/// Returns the workflow id that says to which submission a task belongs, if the workflow id of its lifecycle was taken.
pub fn claim_workflow_id(account: &str, task_id: &str) -> String {
    format!("video-task-claim/{}/{task_id}", account_or_default(account))
}

/// Search attributes that lifecycles upsert if they are registered. The deadlines have the type `Datetime`, `SeedanceDraft`
/// has `Bool`, and the others have `Keyword`.
pub mod search_attribute {
    /// Id of the generation task.
    pub const TASK_ID: &str = "SeedanceTaskId";
    /// Name of the account.
    pub const ACCOUNT: &str = "SeedanceAccount";
    /// Last known status of the task.
    pub const STATUS: &str = "SeedanceStatus";
    /// Name and version of the model.
    pub const MODEL: &str = "SeedanceModel";
    /// Outcome of the lifecycle.
    pub const OUTCOME: &str = "SeedanceOutcome";
    /// When the video can no longer be fetched.
    pub const ARCHIVE_DEADLINE: &str = "SeedanceArchiveDeadline";

    /// Whether the video is a draft. Set only if it is.
    pub const DRAFT: &str = "SeedanceDraft";
    /// Until when a final video can be made from the draft.
    pub const DRAFT_DEADLINE: &str = "SeedanceDraftDeadline";
    /// Id of the task of the draft that the video was made from.
    pub const DRAFT_TASK_ID: &str = "SeedanceDraftTaskId";

    /// The search attributes of drafts and of the videos made from them. Namespaces that were set up for version 0.1.0 have
    /// only the others, and lifecycles write only the others there.
    pub const OF_DRAFTS: [&str; 3] = [DRAFT, DRAFT_DEADLINE, DRAFT_TASK_ID];

    /// `safety_identifier` of the task. Only operators register it: search attributes are not encrypted, and it identifies a
    /// person.
    pub const USER: &str = "SeedanceUser";

    /// Every search attribute except [`USER`].
    pub const ALL: [&str; 9] = [
        TASK_ID,
        ACCOUNT,
        STATUS,
        MODEL,
        OUTCOME,
        ARCHIVE_DEADLINE,
        DRAFT,
        DRAFT_DEADLINE,
        DRAFT_TASK_ID,
    ];
}

/// Failure types of the activities and the workflow.
pub mod failure {
    /// The status of the task has not changed; the poll is retried. Benign.
    pub const STILL_WAITING: &str = "StillWaiting";
    /// The request is invalid. Not retried.
    pub const INVALID_REQUEST: &str = "InvalidRequest";
    /// No worker that ran an attempt serves the account of the request.
    pub const UNKNOWN_ACCOUNT: &str = "UnknownAccount";
    /// The account does not allow the destination of the request.
    pub const DESTINATION_NOT_ALLOWED: &str = "DestinationNotAllowed";
    /// The service rejected the request that creates a task. Not retried.
    pub const TASK_REJECTED: &str = "TaskRejected";
    /// The service returned 404 for the task.
    pub const TASK_NOT_FOUND: &str = "TaskNotFound";
    /// The service rejected the account's API key.
    pub const UNAUTHORIZED: &str = "Unauthorized";
    /// The service returned 429, or the worker's own rate limit is used up.
    pub const RATE_LIMITED: &str = "RateLimited";
    /// The service is unreachable or returned a server error.
    pub const UPSTREAM_UNAVAILABLE: &str = "UpstreamUnavailable";
    /// The service returned something other than a task record.
    pub const UNEXPECTED_RESPONSE: &str = "UnexpectedResponse";
    /// The task can no longer be queried. Not retried.
    pub const QUERY_WINDOW_CLOSED: &str = "QueryWindowClosed";
    /// The video URL no longer works.
    pub const URL_EXPIRED: &str = "UrlExpired";
    /// The video URL points to a host or address that the account does not allow.
    pub const URL_REFUSED: &str = "UrlRefused";
    /// The downloaded bytes are not the video of the task.
    pub const CORRUPT_VIDEO: &str = "CorruptVideo";
    /// The object store is unreachable or returned an error.
    pub const STORE_UNAVAILABLE: &str = "StoreUnavailable";
    /// The archive holds a different video under the task's key. Not retried.
    pub const STORE_CONFLICT: &str = "StoreConflict";
    /// The task was erased from the archive, and nothing of it is archived again. Not retried.
    pub const VIDEO_ERASED: &str = "VideoErased";
    /// The receiver of a webhook did not accept an event.
    pub const WEBHOOK_FAILED: &str = "WebhookFailed";
    /// The outcome of the lifecycle is `lost`. The result is in the failure details.
    pub const VIDEO_LOST: &str = "VideoLost";
}
