//! Starts lifecycles, follows them to their end and tells of them.
//!
//! - [`start`]: starts one, or joins it.
//! - [`Lifecycle`]: one that is there, or may be; [`State`] is all that can be told of it.
//! - [`list`]: finds them by a [`Filter`].
//!
//! Started, or joined where a callback or somebody else was first, and followed to its end:
//!
//! ```no_run
//! use seedance_archiver::{
//!     lifecycles::{self, Doing, LifecycleError},
//!     proto::{names, outcome, v1::VideoTaskLifecycleRequest},
//! };
//! use temporalio_client::Client;
//!
//! /// Where the receipt of the video is, or why there is none.
//! async fn archive(client: &Client, task_id: &str) -> Result<Result<String, String>, LifecycleError> {
//!     let request = VideoTaskLifecycleRequest {
//!         task_id: task_id.to_owned(),
//!         ..VideoTaskLifecycleRequest::default()
//!     };
//!     let lifecycle = lifecycles::start(client, names::TASK_QUEUE, request).await?;
//!     let result = lifecycle
//!         .follow(|doing| match doing {
//!             Doing::Waiting(why) => eprintln!("{why}"),
//!             Doing::Archiving { done, total } => eprintln!("{done} of {total} bytes"),
//!         })
//!         .await?;
//!     Ok(match result.manifest {
//!         Some(manifest) if result.outcome == outcome::ARCHIVED => Ok(manifest.manifest_url),
//!         _ => Err(format!("{} {}: {}", result.outcome, result.reason, result.message)),
//!     })
//! }
//! ```

mod cost;
mod describe;
mod list;
mod standing;
mod state;

pub use cost::Cost;
pub use list::{Filter, List, Listed, list};
pub use standing::Standing;
pub use state::{Pending, State};

use seedance_archiver_policy::outcomes;
use seedance_archiver_proto::{
    names,
    reason::{CANCELLED_BY_CALLER, TERMINATED, TIMED_OUT},
    v1::{ArchiveProgress, VideoTaskLifecycleRequest, VideoTaskLifecycleResult},
};
use seedance_archiver_workflows::{VideoTaskLifecycle, encoding, reply::Reply};
use temporalio_client::{
    Client, WorkflowDescribeOptions, WorkflowExecutionInfo, WorkflowFetchHistoryOptions,
    WorkflowGetResultOptions, WorkflowHandle, WorkflowIdConflictPolicy, WorkflowStartOptions,
    errors::{WorkflowGetResultError, WorkflowStartError},
};
use temporalio_common::{
    error::IncomingError,
    protos::temporal::api::{
        enums::v1::PendingActivityState,
        history::v1::{HistoryEvent, history_event::Attributes},
        workflow::v1::PendingActivityInfo,
    },
};

use crate::temporal::{codec, watch::watching};

/// A lifecycle that was started, by this call or an earlier one.
pub struct Lifecycle {
    client: Client,
    handle: WorkflowHandle<Client, VideoTaskLifecycle>,
}

/// What a lifecycle is doing.
#[derive(Clone, Debug, PartialEq)]
pub enum Doing {
    /// Waiting for the task, or for something that failed to be mended, in words.
    Waiting(String),
    /// Bringing the video in: bytes so far and in all, 0 while unknown.
    Archiving {
        /// Bytes so far.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
}

/// A lifecycle could not be started, looked at or ended otherwise than with a result.
#[derive(Debug, thiserror::Error)]
#[error("{workflow_id}: {fault}")]
pub struct LifecycleError {
    workflow_id: String,
    fault: String,
    failure_type: Option<String>,
}

impl LifecycleError {
    fn new(workflow_id: String, fault: impl ToString) -> Self {
        Self {
            workflow_id,
            fault: fault.to_string(),
            failure_type: None,
        }
    }

    /// The type of the failure that the workflow ended with. `None`: it is not the workflow that failed.
    pub fn failure_type(&self) -> Option<&str> {
        self.failure_type.as_deref()
    }
}

/// Starts the lifecycle of a task. One that is running already is joined, and goes on as it was asked first.
///
/// # Errors
///
/// Where Temporal cannot be reached or refuses it. A request that is wrong is started, and its result is the
/// error, of the type `InvalidRequest`.
pub async fn start(
    client: &Client,
    task_queue: &str,
    request: VideoTaskLifecycleRequest,
) -> Result<Lifecycle, LifecycleError> {
    let join = WorkflowIdConflictPolicy::UseExisting;
    let started = try_start(client, task_queue, request, join).await;
    started.map_err(|(workflow_id, error)| LifecycleError::new(workflow_id, error))
}

/// Starts the lifecycle of a task, unless it is running already. Returns whether it was started.
///
/// # Errors
///
/// Where Temporal cannot be reached or refuses it for another reason.
pub async fn start_new(
    client: &Client,
    task_queue: &str,
    request: VideoTaskLifecycleRequest,
) -> Result<bool, LifecycleError> {
    let refuse = WorkflowIdConflictPolicy::Fail;
    match try_start(client, task_queue, request, refuse).await {
        Ok(_) => Ok(true),
        Err((_, WorkflowStartError::AlreadyStarted { .. })) => Ok(false),
        Err((workflow_id, error)) => Err(LifecycleError::new(workflow_id, error)),
    }
}

async fn try_start(
    client: &Client,
    task_queue: &str,
    request: VideoTaskLifecycleRequest,
    policy: WorkflowIdConflictPolicy,
) -> Result<Lifecycle, (String, WorkflowStartError)> {
    let workflow_id = names::lifecycle_workflow_id(&request.account, &request.task_id);
    let options = WorkflowStartOptions::new(task_queue, workflow_id.as_str())
        .id_conflict_policy(policy)
        .static_summary(format!("Seedance video {}", request.task_id))
        .build();
    match client
        .start_workflow(VideoTaskLifecycle::default(), request.into(), options)
        .await
    {
        Ok(handle) => Ok(Lifecycle {
            client: client.clone(),
            handle,
        }),
        Err(error) => Err((workflow_id, error)),
    }
}

impl Lifecycle {
    /// The lifecycle of a task, by the run that was started or joined earlier.
    pub fn of_run(client: &Client, account: &str, task_id: &str, run_id: &str) -> Self {
        let info = WorkflowExecutionInfo::builder()
            .namespace(client.options().namespace.as_str())
            .workflow_id(names::lifecycle_workflow_id(account, task_id))
            .run_id(run_id)
            .build();
        Self {
            client: client.clone(),
            handle: WorkflowHandle::new(client.clone(), info),
        }
    }

    /// Waits for the result, telling `watch` what goes on until then, a few times a second.
    ///
    /// # Errors
    ///
    /// As of [`Lifecycle::result`]. What cannot be looked at in between is passed over.
    pub async fn follow(
        &self,
        mut watch: impl FnMut(Doing),
    ) -> Result<VideoTaskLifecycleResult, LifecycleError> {
        let look = async || {
            if let Ok(Some(doing)) = self.doing().await {
                watch(doing);
            }
        };
        watching(self.result(), look).await
    }

    /// Waits for the result. A video that is lost has one too, although its workflow fails, and so has a
    /// lifecycle that was terminated, cancelled or timed out: its outcome is `unknown`.
    ///
    /// # Errors
    ///
    /// Where the lifecycle failed otherwise, with the [type](LifecycleError::failure_type) that it failed with:
    /// `InvalidRequest`, `StoreConflict`. Where it is not there, or Temporal cannot be reached.
    pub async fn result(&self) -> Result<VideoTaskLifecycleResult, LifecycleError> {
        let options = WorkflowGetResultOptions::default();
        match self.handle.get_result(options).await {
            Ok(result) => Ok(result.into_message()),
            Err(WorkflowGetResultError::Failed(failure)) => match lost(&failure) {
                Some(result) => Ok(result),
                None => Err(LifecycleError {
                    failure_type: Some(failure_type(&failure)),
                    ..self.error(words(&failure))
                }),
            },
            Err(WorkflowGetResultError::Terminated { .. }) => Ok(outcomes::stopped(TERMINATED)),
            Err(WorkflowGetResultError::TimedOut) => Ok(outcomes::stopped(TIMED_OUT)),
            Err(WorkflowGetResultError::Cancelled { .. }) => {
                Ok(outcomes::stopped(CANCELLED_BY_CALLER))
            }
            Err(other) => Err(self.error(other.to_string())),
        }
    }

    /// What it is doing now. `None` between two activities and after the end.
    ///
    /// # Errors
    ///
    /// Where it is not there, or Temporal cannot be reached.
    pub async fn doing(&self) -> Result<Option<Doing>, LifecycleError> {
        let description = self
            .handle
            .describe(WorkflowDescribeOptions::default())
            .await
            .map_err(|error| self.error(error.to_string()))?;
        Ok(description.raw().pending_activities.iter().find_map(doing))
    }

    /// Whether it is there: history forgets, or was never told.
    ///
    /// # Errors
    ///
    /// Where Temporal cannot be reached.
    pub async fn exists(&self) -> Result<bool, LifecycleError> {
        Ok(self.describe(&self.handle).await?.is_some())
    }

    /// Id of its workflow.
    pub fn workflow_id(&self) -> &str {
        &self.handle.info().workflow_id
    }

    /// The run that was started or joined.
    pub fn run_id(&self) -> &str {
        self.handle.run_id().unwrap_or_default()
    }

    /// The request that it was started with, from its history.
    ///
    /// # Errors
    ///
    /// Where it is not there, was started with something else, or Temporal cannot be reached.
    pub async fn request(&self) -> Result<VideoTaskLifecycleRequest, LifecycleError> {
        let history = self.history().await?;
        let input = history.iter().find_map(|event| match &event.attributes {
            Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) => {
                started.input.as_ref()?.payloads.first()
            }
            _ => None,
        });
        let Some(input) = input else {
            return Err(self.error("it was started without a request".to_owned()));
        };
        let input = codec::decoded(&self.client, input).await;
        let input = input.map_err(|fault| self.error(fault))?;
        encoding::decode(&input).map_err(|error| self.error(error.to_string()))
    }

    async fn history(&self) -> Result<Vec<HistoryEvent>, LifecycleError> {
        self.handle
            .fetch_history(WorkflowFetchHistoryOptions::default())
            .into_events()
            .await
            .map_err(|error| self.error(error.to_string()))
    }

    /// Nobody waits for its end any more, for this reason.
    pub(crate) fn error(&self, fault: String) -> LifecycleError {
        LifecycleError::new(self.workflow_id().to_owned(), fault)
    }
}

/// The result in the details of `VideoLost`.
fn lost(failure: &IncomingError) -> Option<VideoTaskLifecycleResult> {
    match failure {
        IncomingError::Application(failure)
            if failure.type_name() == Some(names::failure::VIDEO_LOST) =>
        {
            let result: Option<Reply<VideoTaskLifecycleResult>> = failure.details().ok().flatten();
            result.map(Reply::into_message)
        }
        _ => None,
    }
}

/// The words at the bottom: "activity failed" alone helps nobody.
pub(crate) fn words(failure: &IncomingError) -> String {
    let mut failure = failure.failure();
    while let Some(cause) = &failure.cause {
        failure = cause;
    }
    failure.message.clone()
}

/// The type of the innermost failure that has one.
fn failure_type(failure: &IncomingError) -> String {
    let of_cause = failure.cause().map(failure_type).unwrap_or_default();
    match failure {
        IncomingError::Application(failure) if of_cause.is_empty() => {
            failure.type_name().unwrap_or_default().to_owned()
        }
        _ => of_cause,
    }
}

fn doing(activity: &PendingActivityInfo) -> Option<Doing> {
    let fault = activity
        .last_failure
        .as_ref()
        .map(|failure| failure.message.clone());
    if activity.activity_id == names::QUERY_ACTIVITY_ID {
        return Some(Doing::Waiting(fault.unwrap_or_else(|| "asking".into())));
    }
    if activity.activity_id != names::ARCHIVE_ACTIVITY_ID {
        return Some(Doing::Waiting(fault.unwrap_or_else(|| "ending".into())));
    }
    match fault {
        Some(fault) if activity.state() != PendingActivityState::Started => {
            Some(Doing::Waiting(fault))
        }
        _ => {
            let (done, total) = bytes(activity);
            Some(Doing::Archiving { done, total })
        }
    }
}

/// What the last heartbeat told.
fn bytes(activity: &PendingActivityInfo) -> (u64, u64) {
    let details = activity.heartbeat_details.as_ref();
    let progress: ArchiveProgress = details
        .and_then(|details| details.payloads.first())
        .and_then(|payload| serde_json::from_slice(&payload.data).ok())
        .unwrap_or_default();
    (
        progress.bytes_done.unsigned_abs(),
        progress.bytes_total.unsigned_abs(),
    )
}
