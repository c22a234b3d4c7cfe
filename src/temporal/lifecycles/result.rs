//! The result of a lifecycle.

use seedance_archiver_policy::outcomes;
use seedance_archiver_proto::{
    names::failure::VIDEO_LOST,
    reason::{CANCELLED_BY_CALLER, TERMINATED, TIMED_OUT},
    v1::VideoTaskLifecycleResult,
};
use seedance_archiver_workflows::reply::Reply;
use temporalio_client::{WorkflowGetResultOptions, errors::WorkflowGetResultError};
use temporalio_common::error::IncomingError;

use super::{error::LifecycleError, handle::Lifecycle};

impl Lifecycle {
    /// Waits for the result.
    ///
    /// A lifecycle has a result even if its workflow did not complete: the result of a lost video is in the
    /// details of the failure, and a workflow that was terminated, cancelled or timed out has the outcome
    /// `unknown`.
    ///
    /// # Errors
    ///
    /// Returns an error if the workflow failed for another reason, does not exist, or Temporal is unreachable. The
    /// [type](LifecycleError::failure_type) of a failed workflow is that of its failure, such as
    /// `InvalidRequest` or `StoreConflict`.
    pub async fn result(&self) -> Result<VideoTaskLifecycleResult, LifecycleError> {
        let options = WorkflowGetResultOptions::default();
        match self.handle.get_result(options).await {
            Ok(result) => Ok(result.into_message()),
            Err(WorkflowGetResultError::Failed(failure)) => lost_video(&failure)
                .ok_or_else(|| LifecycleError::from_failure(self.workflow_id(), &failure)),
            Err(WorkflowGetResultError::Terminated { .. }) => Ok(outcomes::stopped(TERMINATED)),
            Err(WorkflowGetResultError::TimedOut) => Ok(outcomes::stopped(TIMED_OUT)),
            Err(WorkflowGetResultError::Cancelled { .. }) => {
                Ok(outcomes::stopped(CANCELLED_BY_CALLER))
            }
            Err(WorkflowGetResultError::Rpc(status)) => Err(self.call_error(&status)),
            Err(error) => Err(self.call_error(&error)),
        }
    }
}

/// Returns the result in the details of a `VideoLost` failure.
fn lost_video(failure: &IncomingError) -> Option<VideoTaskLifecycleResult> {
    match failure {
        IncomingError::Application(failure) if failure.type_name() == Some(VIDEO_LOST) => {
            let result: Option<Reply<VideoTaskLifecycleResult>> = failure.details().ok().flatten();
            result.map(Reply::into_message)
        }
        _ => None,
    }
}
