//! A workflow that archives a video by a Nexus operation.

use seedance_archiver_proto::{
    names::{NEXUS_ENDPOINT, NEXUS_SERVICE, failure::VIDEO_LOST, nexus_operation},
    v1::{AwaitVideoTaskRequest, VideoTaskLifecycleResult},
};
use seedance_archiver_workflows::{
    encoding::{Encoding, decode},
    reply::Reply,
};
use temporalio_common::{
    error::ApplicationFailure,
    protos::{
        coresdk::nexus::nexus_operation_result::Status,
        temporal::api::{
            common::v1::Payload,
            failure::v1::{Failure, failure::FailureInfo},
        },
    },
};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{
    NexusOperationCancellationType, NexusOperationOptions, WorkflowContext, WorkflowResult,
};

/// Archives a video by a Nexus operation. The archiver may be in another namespace. If the workflow is cancelled, the
/// waiting stops and the archiving continues.
#[workflow]
#[derive(Default)]
pub(crate) struct AwaitVideoByNexus;

#[workflow_methods]
impl AwaitVideoByNexus {
    #[run]
    pub(crate) async fn run(
        ctx: &mut WorkflowContext<Self>,
        task_id: String,
    ) -> WorkflowResult<Reply<VideoTaskLifecycleResult>> {
        let request = AwaitVideoTaskRequest {
            task_id,
            ..AwaitVideoTaskRequest::default()
        };
        let input = Encoding::JsonPlain.encode(&request);
        let options = NexusOperationOptions::builder()
            .endpoint(NEXUS_ENDPOINT)
            .service(NEXUS_SERVICE)
            .operation(nexus_operation::AWAIT_VIDEO_TASK)
            .input(input.map_err(|error| ApplicationFailure::new(error.to_string()))?)
            // By default, a cancelled workflow waits for the end of the operation.
            .cancellation_type(NexusOperationCancellationType::TryCancel)
            .build();
        let operation = ctx.start_nexus_operation(options).await;
        let operation = operation.map_err(|failure| ApplicationFailure::new(failure.message))?;
        let result = match operation.result().await.status {
            Some(Status::Completed(result)) => result,
            Some(Status::Failed(failure)) => {
                lost_video(failure).map_err(ApplicationFailure::new)?
            }
            ended => return Err(ApplicationFailure::new(format!("{ended:?}")).into()),
        };
        let result = decode(&result).map_err(ApplicationFailure::from)?;
        Ok(Reply::new(result, Encoding::JsonPlain))
    }
}

/// Returns the result in the details of the failure `VideoLost`, and the message of another failure as the error.
fn lost_video(failure: Failure) -> Result<Payload, String> {
    let message = failure.message;
    let cause = failure.cause.and_then(|cause| cause.failure_info);
    let details = match cause {
        Some(FailureInfo::ApplicationFailureInfo(info)) if info.r#type == VIDEO_LOST => {
            info.details
        }
        _ => None,
    };
    let details = details.and_then(|details| details.payloads.into_iter().next());
    details.ok_or(message)
}
