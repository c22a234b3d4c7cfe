//! The workflow `VideoTaskClaim`.

// The constants that the macro generates have no documentation.
#![allow(missing_docs)]

use seedance_archiver_proto::v1::VideoTaskClaimRequest;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_workflow::{WorkflowContext, WorkflowResult};

use crate::request::Request;

/// Says by its workflow id and its parent to which submission a task belongs. It does nothing else: the id can be taken
/// only once. Submissions start it for a task whose lifecycle somebody else started; otherwise the lifecycle says it.
#[workflow]
#[derive(Default)]
pub struct VideoTaskClaim;

#[workflow_methods]
impl VideoTaskClaim {
    /// Returns at once.
    #[run(name = "VideoTaskClaim")]
    pub async fn run(
        _: &mut WorkflowContext<Self>,
        _: Request<VideoTaskClaimRequest>,
    ) -> WorkflowResult<()> {
        Ok(())
    }
}
