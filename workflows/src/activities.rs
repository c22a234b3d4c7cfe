//! The activities as workflows see them. Their implementations are in the worker.

// The bodies are never run: the macro asks for functions and keeps their names and types.
#![allow(
    clippy::result_large_err,
    clippy::unimplemented,
    missing_docs,
    unused_variables
)]

use seedance_archiver_proto::v1::{
    ArchiveVideoRequest, AwaitVideoTaskRequest, CancelVideoTaskRequest, CancelVideoTaskResult,
    Manifest, OutcomeRecord, QueryVideoTaskRequest, QueryVideoTaskResult, RecordOutcomeRequest,
    SweepVideoTaskPageRequest, SweepVideoTaskPageResult, VideoTaskLifecycleResult,
};
use temporalio_common::error::ApplicationFailure;
use temporalio_macros::activity_definitions;

use crate::{reply::Reply, request::Request};

/// Activities of the query task queue.
pub struct QueryActivities;

#[activity_definitions]
impl QueryActivities {
    /// Waits until a task's status is another one than `known_status`, and returns its record. URLs in it are
    /// sealed.
    ///
    /// It asks once an attempt: without news it fails as `StillWaiting`, with the delay of the next one, so leave
    /// the retries without a limit and give it no schedule-to-close timeout. It fails for good, with a `Verdict` in
    /// the details, where asking can no longer help, and as `InvalidRequest`.
    #[activity(name = "QueryVideoTask")]
    pub fn query_video_task(
        request: Request<QueryVideoTaskRequest>,
    ) -> Result<Reply<QueryVideoTaskResult>, ApplicationFailure> {
        unimplemented!()
    }

    /// Starts the lifecycle of a task or joins the one that runs, and returns its result.
    ///
    /// It fails for good as `VideoLost`, with the result in the details, where `report_only` is not set, as
    /// `InvalidRequest`, and with the type that the lifecycle itself failed with. A heartbeat timeout is how the
    /// loss of a worker is noticed.
    #[activity(name = "AwaitVideoTask")]
    pub fn await_video_task(
        request: Request<AwaitVideoTaskRequest>,
    ) -> Result<Reply<VideoTaskLifecycleResult>, ApplicationFailure> {
        unimplemented!()
    }

    /// Cancels a task, where it is still queued, and says what became of it.
    #[activity(name = "CancelVideoTask")]
    pub fn cancel_video_task(
        request: Request<CancelVideoTaskRequest>,
    ) -> Result<Reply<CancelVideoTaskResult>, ApplicationFailure> {
        unimplemented!()
    }
}

/// What sweeps need, on the query task queue.
pub struct SweepActivities;

#[activity_definitions]
impl SweepActivities {
    /// Goes through one page of an account's tasks and starts a lifecycle for each that has nothing.
    #[activity(name = "SweepVideoTaskPage")]
    pub fn sweep_video_task_page(
        request: Request<SweepVideoTaskPageRequest>,
    ) -> Result<Reply<SweepVideoTaskPageResult>, ApplicationFailure> {
        unimplemented!()
    }
}

/// Activities of the transfers task queue.
pub struct TransferActivities;

#[activity_definitions]
impl TransferActivities {
    /// Archives a succeeded task, as `QueryVideoTask` returned it, and returns the receipt.
    ///
    /// Another attempt goes on from the last checkpoint, which is in the heartbeat. It fails for good, with a
    /// `Verdict` in the details, where the video can no longer be had, as `StoreConflict` and as
    /// `InvalidRequest`.
    #[activity(name = "ArchiveVideo")]
    pub fn archive_video(
        request: Request<ArchiveVideoRequest>,
    ) -> Result<Reply<Manifest>, ApplicationFailure> {
        unimplemented!()
    }

    /// Writes `outcome.json`, how a lifecycle ended without a video in the archive, and returns what it wrote.
    #[activity(name = "RecordOutcome")]
    pub fn record_outcome(
        request: Request<RecordOutcomeRequest>,
    ) -> Result<Reply<OutcomeRecord>, ApplicationFailure> {
        unimplemented!()
    }
}
