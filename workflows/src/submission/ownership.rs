//! Takes a task for a submission, so that no other one can take it.

use seedance_archiver_proto::{
    learned_from, names,
    v1::{VideoTaskClaimRequest, VideoTaskLifecycleRequest, VideoTaskSubmissionRequest},
};
use temporalio_common::error::StartChildWorkflowExecutionFailedCause::WorkflowAlreadyExists;
use temporalio_workflow::{
    ChildWorkflowCancellationType, ChildWorkflowOptions, ChildWorkflowStartError,
    ParentClosePolicy, WorkflowCancellationToken, WorkflowIdReusePolicy,
};

use super::state::{Context, Learned};
use crate::{claim::VideoTaskClaim, lifecycle::VideoTaskLifecycle};

/// The task belongs to another submission, or to a caller that knew its id.
pub(super) struct NotOwn;

/// Starts the lifecycle of a task as a child: its parent then says to which submission the task belongs. If somebody else
/// started the lifecycle, a claim says it.
///
/// # Errors
///
/// Returns an error if the task turns out to belong to somebody else. What an answer or a callback says is certain.
pub(super) async fn take(
    ctx: &Context,
    request: &VideoTaskSubmissionRequest,
    learned: &Learned,
) -> Result<(), NotOwn> {
    if learned.is_own {
        return Ok(());
    }
    let certain = match learned.from {
        learned_from::LIST => Err(NotOwn),
        _ => Ok(()),
    };
    if !learned.has_lifecycle {
        match start_lifecycle(ctx, request, &learned.task_id).await {
            Ok(()) => return Ok(()),
            Err(error) if is_taken(&error) && certain.is_ok() => {}
            Err(_) => return certain,
        }
    }
    claim(ctx, request, &learned.task_id).await.or(certain)
}

fn is_taken(error: &ChildWorkflowStartError) -> bool {
    matches!(
        error,
        ChildWorkflowStartError::StartFailed {
            cause: WorkflowAlreadyExists,
            ..
        }
    )
}

async fn start_lifecycle(
    ctx: &Context,
    request: &VideoTaskSubmissionRequest,
    task_id: &str,
) -> Result<(), ChildWorkflowStartError> {
    let workflow_id = names::lifecycle_workflow_id(&request.account, task_id);
    let lifecycle = VideoTaskLifecycleRequest {
        task_id: task_id.to_owned(),
        account: request.account.clone(),
        destination: request.destination.clone(),
        ..VideoTaskLifecycleRequest::default()
    };
    let options = child(workflow_id, format!("Seedance video {task_id}"));
    let started = ctx.start_child_workflow(VideoTaskLifecycle::default(), lifecycle, options);
    started.await.map(drop)
}

async fn claim(
    ctx: &Context,
    request: &VideoTaskSubmissionRequest,
    task_id: &str,
) -> Result<(), ChildWorkflowStartError> {
    let workflow_id = names::claim_workflow_id(&request.account, task_id);
    let claim = VideoTaskClaimRequest {
        task_id: task_id.to_owned(),
        submission_id: request.submission_id.clone(),
    };
    let options = child(workflow_id, format!("Claim of the task {task_id}"));
    let started = ctx.start_child_workflow(VideoTaskClaim, claim, options);
    started.await.map(drop)
}

/// Returns the options of a child that outlives the submission, and whose id can be taken only once.
fn child(workflow_id: String, summary: String) -> ChildWorkflowOptions {
    ChildWorkflowOptions::builder()
        .workflow_id(workflow_id)
        .id_reuse_policy(WorkflowIdReusePolicy::RejectDuplicate)
        .parent_close_policy(ParentClosePolicy::Abandon)
        .cancel_type(ChildWorkflowCancellationType::Abandon)
        .cancellation_token(WorkflowCancellationToken::new())
        .static_summary(summary)
        .build()
}
