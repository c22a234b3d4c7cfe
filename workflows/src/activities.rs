//! The names and types of the activities. The worker implements them.

// The bodies never run: the macro takes only the names and types from the functions.
#![allow(
    clippy::result_large_err,
    clippy::unimplemented,
    missing_docs,
    unused_variables
)]

use seedance_archiver_proto::v1::{
    ArchiveVideoRequest, AuditShareRequest, AuditShareResult, AwaitVideoTaskRequest,
    CancelVideoTaskRequest, CancelVideoTaskResult, CreateVideoTaskRequest, CreateVideoTaskResult,
    DeliverEventRequest, DeliverEventResult, FindSubmittedTaskRequest, FindSubmittedTaskResult,
    Manifest, OutcomeRecord, QueryVideoTaskRequest, QueryVideoTaskResult, RecordOutcomeRequest,
    SweepVideoTaskPageRequest, SweepVideoTaskPageResult, VideoTaskLifecycleResult,
    WatchAccountRequest, WatchAccountResult,
};
use temporalio_common::error::ApplicationFailure;
use temporalio_macros::activity_definitions;

use crate::{reply::Reply, request::Request};

/// Activities of the query task queue.
pub struct QueryActivities;

#[activity_definitions]
impl QueryActivities {
    /// Waits until the status of a task differs from `known_status`, and returns the record with sealed URLs.
    ///
    /// Each attempt sends one query. If the status is still the same, the attempt fails with `StillWaiting` and
    /// the delay of the next attempt, so set neither a limit of attempts nor a schedule-to-close timeout. The
    /// activity fails without further retries with `InvalidRequest`, and with a `Verdict` in the failure details
    /// when polling can no longer help.
    #[activity(name = "QueryVideoTask")]
    pub fn query_video_task(
        request: Request<QueryVideoTaskRequest>,
    ) -> Result<Reply<QueryVideoTaskResult>, ApplicationFailure> {
        unimplemented!()
    }

    /// Starts the lifecycle of a task, or joins the running one, and returns its result.
    ///
    /// The activity fails without further retries with `InvalidRequest`, with `VideoLost` and the result in the
    /// failure details unless `report_only` is set, and with the failure type of the lifecycle if that failed
    /// otherwise. Set a heartbeat timeout, so that the loss of a worker is detected.
    #[activity(name = "AwaitVideoTask")]
    pub fn await_video_task(
        request: Request<AwaitVideoTaskRequest>,
    ) -> Result<Reply<VideoTaskLifecycleResult>, ApplicationFailure> {
        unimplemented!()
    }

    /// Cancels a task if it is still queued, and returns its record.
    #[activity(name = "CancelVideoTask")]
    pub fn cancel_video_task(
        request: Request<CancelVideoTaskRequest>,
    ) -> Result<Reply<CancelVideoTaskResult>, ApplicationFailure> {
        unimplemented!()
    }

    /// Creates a task with one request to the API, at most one for each submission id, and starts its lifecycle.
    ///
    /// If the answer is lost, the activity waits until the task is known from a callback or from the list, at most about a
    /// quarter of an hour. If it then still is not known, the result says so. While no task was created for sure, for example
    /// after 429, the activity is retried. It fails without further retries with `InvalidRequest` and `TaskRejected`.
    #[activity(name = "CreateVideoTask")]
    pub fn create_video_task(
        request: Request<CreateVideoTaskRequest>,
    ) -> Result<Reply<CreateVideoTaskResult>, ApplicationFailure> {
        unimplemented!()
    }

    /// Looks for the task of a submission in the list, until it is found or certain that the list does not decide it.
    #[activity(name = "FindSubmittedTask")]
    pub fn find_submitted_task(
        request: Request<FindSubmittedTaskRequest>,
    ) -> Result<Reply<FindSubmittedTaskResult>, ApplicationFailure> {
        unimplemented!()
    }
}

/// Activities that list the tasks of an account, on the query task queue.
pub struct SweepActivities;

#[activity_definitions]
impl SweepActivities {
    /// Lists one page of an account's tasks and starts a lifecycle for each task that needs one.
    #[activity(name = "SweepVideoTaskPage")]
    pub fn sweep_video_task_page(
        request: Request<SweepVideoTaskPageRequest>,
    ) -> Result<Reply<SweepVideoTaskPageResult>, ApplicationFailure> {
        unimplemented!()
    }

    /// Polls the tasks of an account whose lifecycles wait, and delivers their records to the lifecycles.
    #[activity(name = "WatchAccount")]
    pub fn watch_account(
        request: Request<WatchAccountRequest>,
    ) -> Result<Reply<WatchAccountResult>, ApplicationFailure> {
        unimplemented!()
    }
}

/// Activities of events, on the query task queue.
pub struct EventActivities;

#[activity_definitions]
impl EventActivities {
    /// Posts an event to the webhook of its account until the receiver accepts it.
    ///
    /// Each attempt sends one request. Set neither a limit of attempts nor a schedule-to-close timeout: after three days, or if
    /// the receiver returns 410, the activity fails without further retries with `WebhookFailed`.
    #[activity(name = "DeliverEvent")]
    pub fn deliver_event(
        request: Request<DeliverEventRequest>,
    ) -> Result<Reply<DeliverEventResult>, ApplicationFailure> {
        unimplemented!()
    }
}

/// Activities of the transfers task queue.
pub struct TransferActivities;

#[activity_definitions]
impl TransferActivities {
    /// Archives the video of a succeeded task, as `QueryVideoTask` returned it, and returns the receipt.
    ///
    /// A retry resumes from the checkpoint in the last heartbeat. The activity fails without further retries with
    /// `InvalidRequest`, with `StoreConflict`, and with a `Verdict` in the failure details when the video can no
    /// longer be fetched.
    #[activity(name = "ArchiveVideo")]
    pub fn archive_video(
        request: Request<ArchiveVideoRequest>,
    ) -> Result<Reply<Manifest>, ApplicationFailure> {
        unimplemented!()
    }

    /// Verifies the receipts of an audit's share, for half an hour at most, and writes the report once all are verified.
    ///
    /// A retry continues after the last receipt in the heartbeat. The activity fails without further retries with
    /// `InvalidRequest`, and with `DestinationNotAllowed`.
    #[activity(name = "AuditShare")]
    pub fn audit_share(
        request: Request<AuditShareRequest>,
    ) -> Result<Reply<AuditShareResult>, ApplicationFailure> {
        unimplemented!()
    }

    /// Writes `outcome.json` for a lifecycle that ended without a video in the archive, and returns its content.
    #[activity(name = "RecordOutcome")]
    pub fn record_outcome(
        request: Request<RecordOutcomeRequest>,
    ) -> Result<Reply<OutcomeRecord>, ApplicationFailure> {
        unimplemented!()
    }
}
