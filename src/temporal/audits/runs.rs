//! The audits that a schedule started.

use std::time::SystemTime;

use seedance_archiver_workflows::AuditArchive;
use temporalio_client::{
    Client, WorkflowDescribeOptions, WorkflowExecutionDescription, WorkflowHandle,
    errors::WorkflowInteractionError, schedules::ScheduleRecentAction,
};

use crate::temporal::{error_text, lifecycles::ExecutionStatus};

/// An audit.
pub(super) struct Run {
    pub(super) handle: WorkflowHandle<Client, AuditArchive>,
    pub(super) description: WorkflowExecutionDescription,
}

impl Run {
    pub(super) fn status(&self) -> ExecutionStatus {
        ExecutionStatus::from(self.description.status())
    }
}

/// Returns the audit that a schedule started, in its last run. `None` if the namespace no longer has its history.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call.
pub(super) async fn find(
    client: &Client,
    action: &ScheduleRecentAction,
) -> Result<Option<Run>, String> {
    // Without the run id, because an audit continues as new.
    let handle = client.get_workflow_handle::<AuditArchive>(action.workflow_id.as_str());
    match handle.describe(WorkflowDescribeOptions::default()).await {
        Ok(description) => Ok(Some(Run {
            handle,
            description,
        })),
        Err(WorkflowInteractionError::NotFound(_)) => Ok(None),
        Err(error) => Err(error_text::innermost(&error)),
    }
}

/// Returns the actions of a schedule, the newest first.
pub(super) fn newest_first(mut actions: Vec<ScheduleRecentAction>) -> Vec<ScheduleRecentAction> {
    actions.sort_by_key(started_at);
    actions.reverse();
    actions
}

/// Returns when a schedule started an audit.
pub(super) fn started_at(action: &ScheduleRecentAction) -> Option<SystemTime> {
    action.actual_time.or(action.schedule_time)
}
