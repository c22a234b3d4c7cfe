//! The state of a submission, and its task.

// The constants that the macro generates have no documentation.
#![allow(missing_docs)]

use seedance_archiver_proto::v1::{SubmissionCreated, SubmissionStatus};
use temporalio_macros::workflow;
use temporalio_workflow::WorkflowContext;

use crate::encoding::Encoding;

/// A submission: at most one create request. The workflow exists from before the request is sent, so that no worker sends a
/// second one, until the task is known.
///
/// The workflow id can be taken again only after the workflow was terminated, which is how `CreateVideoTask` says that no
/// task was created. So the workflow never fails, and has no timeout: it always completes.
#[workflow]
#[derive(Default)]
pub struct VideoTaskSubmission {
    /// The task, as the first signal said.
    pub(super) created: Option<SubmissionCreated>,
    /// Whether the answer to the request was lost.
    pub(super) is_unanswered: bool,
    /// The reply to the query `submission`.
    pub(super) status: SubmissionStatus,
    /// The encoding of the request.
    pub(super) encoding: Encoding,
}

pub(super) type Context = WorkflowContext<VideoTaskSubmission>;

/// A task, and how it was learned.
pub(super) struct Learned {
    pub(super) task_id: String,
    pub(super) from: &'static str,
    /// Whether the task has a lifecycle that no caller asked for.
    pub(super) has_lifecycle: bool,
    /// Whether the task belongs to the submission already: the workflow was reset.
    pub(super) is_own: bool,
}
