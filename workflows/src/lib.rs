//! The workflows of seedance-archiver.
//!
//! - [`VideoTaskLifecycle`]: polls a task until it is terminal and archives its video.
//! - [`SweepVideoTasks`]: starts a lifecycle for each task of an account that needs one.
//! - [`AccountWatcher`]: polls the tasks of an account for all its lifecycles together.
//! - [`AuditArchive`]: verifies a part of an archive.
//! - [`DeliverEvent`]: delivers an event to the webhook of an account.
//! - [`GenerateVideo`]: creates a task and waits until its video is archived.
//! - [`VideoTaskSubmission`], [`VideoTaskClaim`]: one create request, and the task that belongs to it.
//! - [`activities`]: the names and types of the activities, which do the I/O.
//! - [`details`]: the current details in the Temporal UI.
//! - [`attributes`]: the search attributes.
//! - [`request`], [`reply`]: decoding and validation of requests, encoding of results.
//! - [`create_request`]: the body of a create request.
//! - [`encoding`]: the three encodings of both.
//! - [`invalid_request`], [`video_lost`]: the failures of the workflows.
//! - [`mod@format`]: times and durations in texts.
//!
//! The decisions are in `seedance-archiver-policy`. This crate carries them out as workflow commands. It cannot
//! open a socket or a file, or read a clock: it has no dependency that does, and `clippy.toml` bans what the
//! standard library offers.
//!
//! # Example
//!
//! A workflow of another worker that needs a video calls the activity `AwaitVideoTask`. Any worker of
//! seedance-archiver on the task queue runs it:
//!
//! ```
//! use std::time::Duration;
//!
//! use seedance_archiver_proto::{
//!     names,
//!     v1::{AwaitVideoTaskRequest, VideoTaskLifecycleResult},
//! };
//! use seedance_archiver_workflows::{activities::QueryActivities, reply::Reply};
//! use temporalio_macros::{workflow, workflow_methods};
//! use temporalio_workflow::{ActivityOptions, WorkflowContext, WorkflowResult};
//!
//! #[workflow]
//! #[derive(Default)]
//! struct NeedsAVideo;
//!
//! #[workflow_methods]
//! impl NeedsAVideo {
//!     #[run]
//!     async fn run(
//!         ctx: &mut WorkflowContext<Self>,
//!         task_id: String,
//!     ) -> WorkflowResult<Reply<VideoTaskLifecycleResult>> {
//!         let request = AwaitVideoTaskRequest {
//!             task_id,
//!             report_only: true, // return a lost video as a result, not as a failure
//!             ..AwaitVideoTaskRequest::default()
//!         };
//!         // The activity waits until the video is archived or lost, up to three weeks: an attempt that times
//!         // out is retried and joins the same run. The heartbeat timeout detects a lost worker.
//!         let options = ActivityOptions::with_start_to_close_timeout(Duration::from_secs(15 * 86_400))
//!             .heartbeat_timeout(Duration::from_secs(60))
//!             .task_queue(names::TASK_QUEUE.to_owned())
//!             .build();
//!         let video = ctx.execute_activity(QueryActivities::await_video_task, request, options);
//!         Ok(video.await?)
//!     }
//! }
//! ```

pub mod activities;
mod activity_error;
pub mod attributes;
mod audit;
mod claim;
pub mod create_request;
pub mod details;
pub mod encoding;
mod event;
pub mod format;
mod generate;
pub mod invalid_request;
mod lifecycle;
mod options;
pub mod reply;
pub mod request;
mod submission;
mod sweep;
pub mod video_lost;
mod watcher;

pub use audit::AuditArchive;
pub use claim::VideoTaskClaim;
pub use event::DeliverEvent;
pub use generate::GenerateVideo;
pub use lifecycle::VideoTaskLifecycle;
pub use submission::VideoTaskSubmission;
pub use sweep::SweepVideoTasks;
pub use watcher::AccountWatcher;
