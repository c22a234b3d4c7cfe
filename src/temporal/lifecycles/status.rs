//! The status of a lifecycle, from the server and the workflow.

use std::time::Duration;

use seedance_archiver_proto::v1::{LifecycleProgress, VideoTaskLifecycleResult};
use seedance_archiver_workflows::{
    VideoTaskLifecycle,
    reply::{OptionalArgument, Reply},
};
use serde::Serialize;
use temporalio_client::{WorkflowQueryOptions, errors::WorkflowQueryError};

use super::{error::LifecycleError, handle::Lifecycle, snapshot::LifecycleSnapshot};

/// Timeout of the query `progress`, which needs a worker.
const PROGRESS_TIMEOUT: Duration = Duration::from_secs(5);

/// The status of a lifecycle: a snapshot from the server, and the progress or result from the workflow.
#[derive(Clone, Debug, Serialize)]
pub struct LifecycleStatus {
    /// The snapshot from the server.
    #[serde(flatten)]
    pub snapshot: LifecycleSnapshot,
    /// The progress from the workflow. `None` after the end, and if the query failed.
    pub progress: Option<LifecycleProgress>,
    /// Why the query for the progress failed.
    #[serde(rename = "no_progress")]
    pub progress_error: Option<String>,
    /// The result. `None` before the end, and if the lifecycle has none.
    pub result: Option<VideoTaskLifecycleResult>,
    /// Why the lifecycle ended without a result.
    #[serde(rename = "fault")]
    pub result_error: Option<String>,
}

impl Lifecycle {
    /// Returns the status, or `None` if the run does not exist or was deleted.
    ///
    /// # Errors
    ///
    /// Returns an error if Temporal is unreachable or the namespace does not exist. If no worker answers the query,
    /// the status has a [`progress_error`](LifecycleStatus::progress_error).
    pub async fn status(&self) -> Result<Option<LifecycleStatus>, LifecycleError> {
        let Some(snapshot) = self.describe().await? else {
            return Ok(None);
        };
        let is_open = snapshot.execution.is_open();
        let mut status = LifecycleStatus {
            snapshot,
            progress: None,
            progress_error: None,
            result: None,
            result_error: None,
        };
        if is_open {
            match self.progress().await {
                Ok(progress) => status.progress = Some(progress),
                Err(error) => status.progress_error = Some(error.into_message()),
            }
        } else {
            match self.result().await {
                Ok(result) => status.result = Some(result),
                Err(error) => status.result_error = Some(error.into_message()),
            }
        }
        Ok(Some(status))
    }

    /// Queries the workflow for its progress. A closed workflow answers too.
    ///
    /// # Errors
    ///
    /// Returns an error if no worker answers in time, the workflow does not exist, or Temporal is unreachable.
    pub(crate) async fn progress(&self) -> Result<LifecycleProgress, LifecycleError> {
        let options = WorkflowQueryOptions::default();
        let query = self.handle.query(
            VideoTaskLifecycle::progress,
            OptionalArgument::default(),
            options,
        );
        match tokio::time::timeout(PROGRESS_TIMEOUT, query).await {
            Ok(Ok(progress)) => Ok(Reply::into_message(progress)),
            Ok(Err(WorkflowQueryError::Rpc(status))) => Err(self.call_error(&status)),
            Ok(Err(error)) => Err(self.call_error(&error)),
            Err(_) => Err(self.error(format!(
                "no worker answered the query within {} s",
                PROGRESS_TIMEOUT.as_secs()
            ))),
        }
    }
}
