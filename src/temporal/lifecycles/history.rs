//! Reads the history of a lifecycle.

use seedance_archiver_proto::v1::VideoTaskLifecycleRequest;
use seedance_archiver_workflows::encoding;
use temporalio_client::{WorkflowFetchHistoryOptions, errors::WorkflowInteractionError};
use temporalio_common::protos::temporal::api::history::v1::{
    HistoryEvent, history_event::Attributes,
};

use super::{error::LifecycleError, handle::Lifecycle};
use crate::temporal::codec;

impl Lifecycle {
    /// Returns the request that the lifecycle was started with.
    ///
    /// # Errors
    ///
    /// Returns an error if the workflow does not exist, has another input, or Temporal is unreachable.
    pub async fn request(&self) -> Result<VideoTaskLifecycleRequest, LifecycleError> {
        let history = self.history().await?;
        let input = history.iter().find_map(|event| match &event.attributes {
            Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) => {
                started.input.as_ref()?.payloads.first()
            }
            _ => None,
        });
        let Some(input) = input else {
            return Err(self.error("the workflow has no input".to_owned()));
        };
        let input = codec::decode(&self.client, input)
            .await
            .map_err(|error| self.error(error))?;
        encoding::decode(&input).map_err(|error| self.error(error.to_string()))
    }

    pub(super) async fn history(&self) -> Result<Vec<HistoryEvent>, LifecycleError> {
        self.handle
            .fetch_history(WorkflowFetchHistoryOptions::default())
            .into_events()
            .await
            .map_err(|error| match error {
                WorkflowInteractionError::Rpc(status) => self.call_error(&status),
                error => self.call_error(&error),
            })
    }
}
