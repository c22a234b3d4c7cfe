//! The workflows that deliver events.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use seedance_archiver_proto::{
    names::{self, DELIVER_EVENT_WORKFLOW},
    v1::DeliverEventRequest,
};
use seedance_archiver_workflows::DeliverEvent;
use temporalio_client::{
    Client, WorkflowCountOptions, WorkflowIdReusePolicy, WorkflowStartOptions,
    errors::{ClientError, WorkflowStartError},
    tonic::Code,
};

use super::error_text;

/// How long after its start an event counts as overdue.
pub(crate) const OVERDUE: Duration = Duration::from_secs(60 * 60);

/// A delivery could not be started.
#[derive(Debug)]
pub(crate) struct StartError {
    pub(crate) message: String,
    /// Whether a later attempt may succeed.
    pub(crate) is_temporary: bool,
}

/// Starts the delivery of an event, unless it was started before. One that failed is started again.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call.
pub(crate) async fn start(
    client: &Client,
    task_queue: &str,
    request: DeliverEventRequest,
) -> Result<(), StartError> {
    let event = request.event.clone().unwrap_or_default();
    let workflow_id = names::event_workflow_id(&request.account, &event.subject, &event.id);
    let options = WorkflowStartOptions::new(task_queue, workflow_id)
        .id_reuse_policy(WorkflowIdReusePolicy::AllowDuplicateFailedOnly)
        .static_summary(format!("{} {}", event.r#type, event.subject))
        .build();
    let started = client.start_workflow(DeliverEvent, request.into(), options);
    match started.await {
        Ok(_) | Err(WorkflowStartError::AlreadyStarted { .. }) => Ok(()),
        Err(error) => Err(StartError {
            message: error_text::innermost(&error),
            is_temporary: is_temporary(&error),
        }),
    }
}

/// Returns whether a later attempt may succeed.
fn is_temporary(error: &WorkflowStartError) -> bool {
    match error {
        WorkflowStartError::Rpc(status) => !matches!(
            status.code(),
            Code::InvalidArgument
                | Code::PermissionDenied
                | Code::Unimplemented
                | Code::FailedPrecondition
                | Code::OutOfRange
        ),
        // The codec server may be unreachable.
        _ => true,
    }
}

/// Counts the events of an account that are being delivered and were started before a time.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call.
pub async fn count_undelivered(
    client: &Client,
    account: &str,
    started_before: SystemTime,
) -> Result<usize, ClientError> {
    let prefix = names::event_workflow_id_prefix(account);
    let before = Timestamp::try_from(started_before).unwrap_or(Timestamp::MAX);
    let query = format!(
        "WorkflowType = '{DELIVER_EVENT_WORKFLOW}' AND ExecutionStatus = 'Running' AND WorkflowId STARTS_WITH '{prefix}' \
         AND StartTime < '{before}'"
    );
    let counted = client.count_workflows(query, WorkflowCountOptions::default());
    Ok(counted.await?.count())
}
