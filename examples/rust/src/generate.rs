//! A workflow that creates a task and archives its video.

use seedance_archiver_proto::{
    names,
    v1::{GenerateVideoRequest, GenerateVideoResult},
};
use seedance_archiver_workflows::{GenerateVideo, reply::Reply};
use serde_json::json;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{ChildWorkflowOptions, ParentClosePolicy, WorkflowContext, WorkflowResult};

/// The end user of the task.
const USER: &str = "user-7";
/// The prompt of the task.
const PROMPT: &str = "a kite over the sea";

/// Creates a task from a prompt and archives its video, by a child workflow. However often it is called for an order, at
/// most one task is created. If the workflow is cancelled, the archiving continues.
#[workflow]
#[derive(Default)]
pub(crate) struct Generate;

#[workflow_methods]
impl Generate {
    #[run]
    pub(crate) async fn run(
        ctx: &mut WorkflowContext<Self>,
        order_id: String,
    ) -> WorkflowResult<Reply<GenerateVideoResult>> {
        // The body of the API's create request, with any of its fields.
        let body = json!({
            "model": "seedance-1-0-pro-250528",
            "content": [{"type": "text", "text": PROMPT}],
            // Whose video it is: `list --user` and `erase --user` find it by this id.
            "safety_identifier": USER,
        });
        let request = GenerateVideoRequest {
            request: body.to_string(),
            submission_id: order_id,
            // A lost video is a result, like every other outcome. Otherwise the workflow fails.
            report_only: true,
            ..GenerateVideoRequest::default()
        };
        let options = ChildWorkflowOptions::builder()
            .task_queue(names::TASK_QUEUE.to_owned())
            // The child continues if this workflow ends first.
            .parent_close_policy(ParentClosePolicy::Abandon)
            .build();
        let generation = ctx.start_child_workflow(GenerateVideo, request, options);
        Ok(generation.await?.result().await?)
    }
}
