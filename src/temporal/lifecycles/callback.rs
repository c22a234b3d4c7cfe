//! Starts lifecycles whose end the server reports to a Nexus caller.
//!
//! The client's `start_workflow` cannot attach a callback to a workflow that is running already, so the request is built
//! here.

use std::collections::HashMap;

use seedance_archiver_proto::{
    names::{self, LIFECYCLE_WORKFLOW},
    v1::VideoTaskLifecycleRequest,
};
use seedance_archiver_workflows::encoding::Encoding;
use temporalio_client::{
    Client, NamespacedClient,
    grpc::WorkflowService,
    tonic::{IntoRequest, Status},
};
use temporalio_common::protos::{
    coresdk::AsJsonPayloadExt,
    temporal::api::{
        common::v1::{
            Callback, Link, Payload, Payloads, WorkflowType, callback,
            link::{
                Variant, WorkflowEvent,
                workflow_event::{EventReference, Reference},
            },
        },
        enums::v1::{EventType, WorkflowIdConflictPolicy},
        sdk::v1::UserMetadata,
        taskqueue::v1::TaskQueue,
        workflow::v1::OnConflictOptions,
        workflowservice::v1::{StartWorkflowExecutionRequest, StartWorkflowExecutionResponse},
    },
};

use super::start::summary;
use crate::temporal::codec;

/// Header of a callback with the token of its operation, in case that the server learns of the end of the operation before
/// it learns of its start.
const OPERATION_TOKEN_HEADER: &str = "nexus-operation-token";

/// Where the server reports the end of a lifecycle.
pub(crate) struct CompletionCallback {
    /// Token of the operation.
    pub(crate) operation_token: String,
    /// Id of the caller's request. The server starts or joins one lifecycle for it, however often it is sent.
    pub(crate) request_id: String,
    /// URL of the callback. Empty: the caller does not wait.
    pub(crate) url: String,
    /// Headers of the callback.
    pub(crate) header: HashMap<String, String>,
    /// Links to the caller.
    pub(crate) links: Vec<Link>,
}

/// Why a lifecycle could not be started or joined.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The server rejected the call, or is unreachable.
    #[error("{}", crate::temporal::error_text::innermost(.0))]
    Rpc(#[from] Status),
    /// The request could not be encoded.
    #[error("{0}")]
    Encoding(String),
}

/// Starts the lifecycle of a task or joins the running one, as [`start`](super::start) does, and attaches a callback.
/// Returns a link to the event of the lifecycle.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call, or if the codec cannot encode the request.
pub(crate) async fn start_with_callback(
    client: &Client,
    task_queue: &str,
    request: VideoTaskLifecycleRequest,
    callback: CompletionCallback,
) -> Result<Link, StartError> {
    let workflow_id = names::lifecycle_workflow_id(&request.account, &request.task_id);
    let input = Encoding::JsonPlain.encode(&request);
    let input = input.map_err(|error| StartError::Encoding(error.to_string()))?;
    let input = codec::encode(client, input)
        .await
        .map_err(StartError::Encoding)?;
    let request = StartWorkflowExecutionRequest {
        namespace: client.namespace(),
        workflow_id: workflow_id.clone(),
        workflow_type: Some(WorkflowType {
            name: LIFECYCLE_WORKFLOW.to_owned(),
        }),
        task_queue: Some(TaskQueue {
            name: task_queue.to_owned(),
            ..TaskQueue::default()
        }),
        input: Some(Payloads {
            payloads: vec![input],
        }),
        identity: client.identity(),
        request_id: callback.request_id.clone(),
        workflow_id_conflict_policy: WorkflowIdConflictPolicy::UseExisting.into(),
        on_conflict_options: Some(OnConflictOptions {
            attach_request_id: true,
            attach_completion_callbacks: true,
            attach_links: true,
        }),
        user_metadata: summary_metadata(&summary(&request)),
        links: callback.links.clone(),
        completion_callbacks: callback.attached(),
        ..StartWorkflowExecutionRequest::default()
    };
    let mut service = client.clone();
    let response = service
        .start_workflow_execution(request.into_request())
        .await?
        .into_inner();
    Ok(link(client, workflow_id, response))
}

impl CompletionCallback {
    fn attached(self) -> Vec<Callback> {
        if self.url.is_empty() {
            return Vec::new();
        }
        let mut header = self.header;
        header.insert(OPERATION_TOKEN_HEADER.to_owned(), self.operation_token);
        vec![Callback {
            links: self.links,
            variant: Some(callback::Variant::Nexus(callback::Nexus {
                url: self.url,
                header,
            })),
        }]
    }
}

fn summary_metadata(summary: &str) -> Option<UserMetadata> {
    let summary: Payload = summary.as_json_payload().ok()?;
    Some(UserMetadata {
        summary: Some(summary),
        details: None,
    })
}

/// Returns the link in the response. Older servers return none: then, a link to the start of the lifecycle.
fn link(client: &Client, workflow_id: String, response: StartWorkflowExecutionResponse) -> Link {
    let started = |run_id| WorkflowEvent {
        namespace: client.namespace(),
        workflow_id,
        run_id,
        reference: Some(Reference::EventRef(EventReference {
            event_id: 1,
            event_type: EventType::WorkflowExecutionStarted.into(),
        })),
    };
    response.link.unwrap_or_else(|| Link {
        variant: Some(Variant::WorkflowEvent(started(response.run_id))),
    })
}
