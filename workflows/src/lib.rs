//! The durable logic: what happens to a video task, in which order, and why it ends.
//!
//! - [`VideoTaskLifecycle`]: the workflow. It carries out decisions and records results.
//! - [`SweepVideoTasks`]: the workflow that starts it for every task of an account.
//! - [`activities`]: the names and shapes of the activities that do the I/O.
//! - [`question`]: when to ask about a task again, and when asking can no longer help.
//! - [`windows`]: the times within which a task can be asked about and its video fetched.
//! - [`pages`]: which page of a list comes after which.
//! - [`ending`]: how what is known becomes an outcome.
//! - [`details`]: what people see of it in the Temporal UI.
//! - [`attributes`]: what they find it by there.
//! - [`request`]: how requests are read, and what makes one invalid.
//! - [`reply`]: how results are written.
//! - [`encoding`]: the encodings of both.
//!
//! A workflow of yours that needs a video awaits it by an activity. With the type [`activities`] has of it,
//! nothing is spelt by hand, and whichever worker of seedance-archiver serves the queue answers:
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
//!             report_only: true, // a lost video is a result, no failure
//!             ..AwaitVideoTaskRequest::default()
//!         };
//!         // It may wait for as long as a video can take; a lost worker is noticed within a minute.
//!         let options = ActivityOptions::with_start_to_close_timeout(Duration::from_secs(15 * 86_400))
//!             .heartbeat_timeout(Duration::from_secs(60))
//!             .task_queue(names::TASK_QUEUE.to_owned())
//!             .build();
//!         let video = ctx.execute_activity(QueryActivities::await_video_task, request, options);
//!         Ok(video.await?)
//!     }
//! }
//! ```
//!
//! Nothing here can open a socket or a file, or read a clock: the crate depends on nothing that
//! could, and `clippy.toml` bans what the standard library offers.

pub mod activities;
pub mod attributes;
pub mod details;
pub mod encoding;
pub mod format;
pub mod invalid_request;
mod lifecycle;
mod options;
pub mod reply;
pub mod request;
mod sweep;
pub mod video_lost;

pub use lifecycle::VideoTaskLifecycle;
pub use sweep::SweepVideoTasks;
