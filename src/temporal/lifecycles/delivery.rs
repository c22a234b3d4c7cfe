//! Passes what others learned of a task to its lifecycle.

use seedance_archiver_proto::{names::QUERY_ACTIVITY_ID, v1::QueryVideoTaskResult};
use seedance_archiver_workflows::{VideoTaskLifecycle, reply::OptionalArgument};
use temporalio_client::{
    ActivityIdentifier, RpcOptions, WorkflowSignalOptions, errors::AsyncActivityError,
};

use super::{error::LifecycleError, handle::Lifecycle};

impl Lifecycle {
    /// Completes the pending query activity of the latest run with a record. Returns whether there was one.
    ///
    /// The activity may be running, or wait for its next attempt. Its slot is not needed, and the history is the same as if
    /// the activity had completed by itself.
    ///
    /// # Errors
    ///
    /// Returns an error if Temporal is unreachable or rejects the call.
    pub(crate) async fn complete_query(
        &self,
        result: QueryVideoTaskResult,
    ) -> Result<bool, LifecycleError> {
        let latest_run = "";
        let activity =
            ActivityIdentifier::by_id_workflow(self.workflow_id(), latest_run, QUERY_ACTIVITY_ID);
        let activity = self.client.get_async_activity_handle(activity);
        match activity.complete(Some(result), RpcOptions::default()).await {
            Ok(()) => Ok(true),
            Err(AsyncActivityError::NotFound(_)) => Ok(false),
            Err(error) => Err(self.call_error(&error)),
        }
    }

    /// Makes the lifecycle poll its task now.
    ///
    /// # Errors
    ///
    /// Returns an error if Temporal is unreachable, or the lifecycle has ended.
    pub(crate) async fn nudge(&self) -> Result<(), LifecycleError> {
        let argument = OptionalArgument::default();
        let signal = self.handle.signal(
            VideoTaskLifecycle::nudge,
            argument,
            WorkflowSignalOptions::default(),
        );
        signal.await.map_err(|error| self.call_error(&error))
    }
}
