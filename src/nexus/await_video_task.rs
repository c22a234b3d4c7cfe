//! `AwaitVideoTask`: starts the lifecycle of a task, or joins the running one. The operation ends with the lifecycle, and
//! the server reports its result to the caller: nothing waits here. Nor is the account checked: the lifecycle waits for a
//! worker that serves it, and ends when none can help any more.

use seedance_archiver_proto::{names, v1::AwaitVideoTaskRequest};
use seedance_archiver_workflows::invalid_request::InvalidRequest;
use temporalio_client::NamespacedClient;
use temporalio_common::protos::temporal::api::nexus::v1::{
    StartOperationRequest, start_operation_response::Async,
};

use super::{context::Context, error::HandlerError, input::Input, links, token};
use crate::temporal::lifecycles::{self, CompletionCallback, StartError};

pub(super) async fn start(
    context: &Context,
    start: StartOperationRequest,
) -> Result<Async, HandlerError> {
    let input: Input<AwaitVideoTaskRequest> = Input::decode(&context.client, start.payload).await?;
    let request = input.request;
    check_report_only(&request)?;
    let workflow_id = names::lifecycle_workflow_id(&request.account, &request.task_id);
    let operation_token = token::of_workflow(&context.client.namespace(), &workflow_id);
    let callback = CompletionCallback {
        operation_token: operation_token.clone(),
        request_id: start.request_id,
        url: start.callback,
        header: start.callback_header,
        links: start.links.iter().filter_map(links::from_nexus).collect(),
    };
    let lifecycle = lifecycles::request_of(&request);
    let link =
        lifecycles::start_with_callback(&context.client, &context.task_queue, lifecycle, callback)
            .await
            .map_err(not_started)?;
    Ok(Async {
        operation_token,
        links: links::to_nexus(&link).into_iter().collect(),
        ..Async::default()
    })
}

/// All callers of a task get the result of one lifecycle, so none of them decides its form.
fn check_report_only(request: &AwaitVideoTaskRequest) -> Result<(), InvalidRequest> {
    if !request.report_only {
        return Ok(());
    }
    let problem = "cannot be set in a Nexus operation, because its callers share one lifecycle; leave it out, and \
                   handle the failure `VideoLost`, whose details are the result";
    Err(InvalidRequest::new("report_only", problem))
}

fn not_started(error: StartError) -> HandlerError {
    let failed = "cannot start or join the lifecycle";
    match error {
        StartError::Rpc(status) => HandlerError::from_status(failed, &status),
        StartError::Encoding(error) => HandlerError::Unavailable(format!("{failed}: {error}")),
    }
}
