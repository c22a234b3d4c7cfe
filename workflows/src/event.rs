//! The workflow `DeliverEvent`.

// The constants that the macro generates have no documentation.
#![allow(missing_docs)]

use seedance_archiver_proto::{
    names::DELIVER_EVENT_WORKFLOW,
    v1::{DeliverEventRequest, DeliverEventResult},
};
use temporalio_common::error::ApplicationFailure;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_workflow::{WorkflowContext, WorkflowResult};

use crate::{activities::EventActivities, activity_error, options, reply::Reply, request::Request};

/// Delivers one event to the webhook of its account.
///
/// It is a workflow of its own, so that a lifecycle neither waits for a receiver nor has its attempts in its history. Its
/// workflow id contains the id of the event, so that an event is delivered by one workflow.
#[workflow]
#[derive(Default)]
pub struct DeliverEvent;

#[workflow_methods]
impl DeliverEvent {
    /// Posts the event until the receiver has accepted it. An invalid request fails the workflow with `InvalidRequest`, an
    /// event that was not delivered with `WebhookFailed`.
    #[run(name = DELIVER_EVENT_WORKFLOW)]
    pub async fn run(
        ctx: &mut WorkflowContext<Self>,
        request: Request<DeliverEventRequest>,
    ) -> WorkflowResult<Reply<DeliverEventResult>> {
        let encoding = request.encoding();
        let request = request.check().map_err(ApplicationFailure::from)?;
        let options = options::deliver_event();
        let request = Request::new(request, encoding);
        let delivered = ctx.execute_activity(EventActivities::deliver_event, request, options);
        delivered
            .await
            .map_err(|error| activity_error::termination(ctx, error))
    }
}
