//! Whether a lifecycle is there, at the price of one call.

use std::time::SystemTime;

use seedance_archiver_workflows::VideoTaskLifecycle;
use temporalio_client::WorkflowExecutionStatus;

use super::{Lifecycle, LifecycleError};

/// How a lifecycle stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Standing {
    /// The server has none, or has forgotten it.
    Unknown,
    /// It has not ended.
    Running,
    /// It came to its own end, with a result or a failure.
    Ended {
        /// When.
        at: SystemTime,
    },
    /// It was cut short: terminated, cancelled, or out of time.
    Stopped,
}

impl Lifecycle {
    /// How it stands now. It may have gone on in another run.
    ///
    /// # Errors
    ///
    /// Where Temporal cannot be asked.
    pub async fn standing(&self) -> Result<Standing, LifecycleError> {
        let latest = self
            .client
            .get_workflow_handle::<VideoTaskLifecycle>(self.workflow_id());
        let Some(description) = self.describe(&latest).await? else {
            return Ok(Standing::Unknown);
        };
        Ok(match description.status() {
            WorkflowExecutionStatus::Completed | WorkflowExecutionStatus::Failed => {
                let at = description.close_time().unwrap_or(SystemTime::UNIX_EPOCH);
                Standing::Ended { at }
            }
            WorkflowExecutionStatus::Terminated
            | WorkflowExecutionStatus::Canceled
            | WorkflowExecutionStatus::TimedOut => Standing::Stopped,
            _ => Standing::Running,
        })
    }
}
