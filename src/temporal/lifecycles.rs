//! Starts, follows, describes and lists lifecycles.
//!
//! - [`start`]: starts a lifecycle, or joins the running one.
//! - [`Lifecycle`]: a handle of a lifecycle. It waits for the result and reports each [`Step`] until then.
//! - [`LifecycleSnapshot`]: the state of a lifecycle on the server. [`LifecycleStatus`] adds its progress or
//!   result.
//! - [`list`]: finds lifecycles by a [`Filter`].
//! - [`drafts`]: finds the drafts of which a final video can still be made.
//!
//! This function starts a lifecycle, or joins the one that a callback or another caller started, and follows
//! it to its end:
//!
//! ```no_run
//! use seedance_archiver::{
//!     lifecycles::{self, LifecycleError, Step},
//!     proto::{names, outcome, v1::VideoTaskLifecycleRequest},
//! };
//! use temporalio_client::Client;
//!
//! /// Returns the URL of the receipt, or why the video was not archived.
//! async fn archive(client: &Client, task_id: &str) -> Result<Result<String, String>, LifecycleError> {
//!     let request = VideoTaskLifecycleRequest {
//!         task_id: task_id.to_owned(),
//!         ..VideoTaskLifecycleRequest::default()
//!     };
//!     let lifecycle = lifecycles::start(client, names::TASK_QUEUE, request).await?;
//!     let result = lifecycle
//!         .follow(|step| match step {
//!             Step::Waiting(message) => eprintln!("{message}"),
//!             Step::Archiving { done, total } => eprintln!("{done} of {total} bytes"),
//!         })
//!         .await?;
//!     Ok(match result.manifest {
//!         Some(manifest) if result.outcome == outcome::ARCHIVED => Ok(manifest.manifest_url),
//!         _ => Err(format!("{} {}: {}", result.outcome, result.reason, result.message)),
//!     })
//! }
//! ```

mod attributes;
mod callback;
mod completed;
mod cost;
mod delivery;
mod drafts;
mod error;
mod execution;
mod follow;
mod handle;
mod history;
mod list;
mod pending;
mod result;
mod snapshot;
mod start;
mod status;
mod waiting;

pub use attributes::Attributes;
pub(crate) use callback::{CompletionCallback, StartError, start_with_callback};
pub(crate) use completed::{completed, results};
pub use cost::Cost;
pub use drafts::{Draft, DraftFilter, Drafts, drafts};
pub use error::LifecycleError;
pub use execution::ExecutionStatus;
pub use handle::Lifecycle;
pub use list::{Filter, LifecycleSummary, List, list};
pub use pending::{PendingActivity, Step};
pub use snapshot::LifecycleSnapshot;
pub(crate) use start::request_of;
pub use start::{start, start_new};
pub use status::LifecycleStatus;
pub(crate) use waiting::OpenLifecycles;
