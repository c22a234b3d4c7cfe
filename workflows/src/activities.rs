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
    Manifest, OutcomeRecord, QueryVideoTaskRequest, RecordOutcomeRequest,
    SweepVideoTaskPageRequest, SweepVideoTaskPageResult, VideoTask, VideoTaskLifecycleResult,
};
use temporalio_common::error::ApplicationFailure;
use temporalio_macros::activity_definitions;

use crate::{reply::Reply, request::Request};

/// Activities of the query task queue.
pub struct QueryActivities;

#[activity_definitions]
impl QueryActivities {
    #[activity(name = "QueryVideoTask")]
    pub fn query_video_task(
        request: Request<QueryVideoTaskRequest>,
    ) -> Result<Reply<VideoTask>, ApplicationFailure> {
        unimplemented!()
    }

    #[activity(name = "AwaitVideoTask")]
    pub fn await_video_task(
        request: Request<AwaitVideoTaskRequest>,
    ) -> Result<Reply<VideoTaskLifecycleResult>, ApplicationFailure> {
        unimplemented!()
    }

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
    #[activity(name = "ArchiveVideo")]
    pub fn archive_video(
        request: Request<ArchiveVideoRequest>,
    ) -> Result<Reply<Manifest>, ApplicationFailure> {
        unimplemented!()
    }

    #[activity(name = "RecordOutcome")]
    pub fn record_outcome(
        request: Request<RecordOutcomeRequest>,
    ) -> Result<Reply<OutcomeRecord>, ApplicationFailure> {
        unimplemented!()
    }
}
