//! The workflow `AuditArchive`.

// The constants that the macro generates have no documentation.
#![allow(missing_docs)]

use seedance_archiver_proto::{
    names,
    v1::{AuditArchiveRequest, AuditReport, AuditShareRequest, AuditShareResult, AuditState},
};
use temporalio_common::error::ApplicationFailure;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_workflow::{ContinueAsNewOptions, WorkflowContext, WorkflowResult};

use crate::{
    activities::TransferActivities, activity_error, details, encoding::Encoding, options,
    reply::Reply, request::Request,
};

/// An activity is 6 events, and takes half an hour. Its request and its result contain the findings.
const MAX_ACTIVITIES_PER_RUN: u32 = 25;

/// Verifies the part of an archive that was verified longest ago, and stores a report in the archive.
#[workflow]
#[derive(Default)]
pub struct AuditArchive;

type Context = WorkflowContext<AuditArchive>;

#[workflow_methods]
impl AuditArchive {
    /// Verifies one share. An invalid request fails the workflow with `InvalidRequest`.
    #[run(name = "AuditArchive")]
    pub async fn run(
        ctx: &mut WorkflowContext<Self>,
        request: Request<AuditArchiveRequest>,
    ) -> WorkflowResult<Reply<AuditReport>> {
        let encoding = request.encoding();
        let request = request.check().map_err(ApplicationFailure::from)?;
        let mut state = request.resumed.clone();
        for _ in 0..MAX_ACTIVITIES_PER_RUN {
            ctx.set_current_details(details::for_running_audit(state.as_ref()));
            let audited = audit_share(ctx, &request, state).await?;
            if let Some(report) = audited.report {
                ctx.set_current_details(details::for_audit(&report));
                return Ok(Reply::new(report, encoding));
            }
            state = audited.state;
        }
        continue_as_new(ctx, request, encoding, state)
    }
}

async fn audit_share(
    ctx: &Context,
    request: &AuditArchiveRequest,
    state: Option<AuditState>,
) -> WorkflowResult<AuditShareResult> {
    let task_queue = match request.transfers_task_queue.as_str() {
        "" => names::transfers_task_queue(ctx.task_queue()),
        task_queue => task_queue.to_owned(),
    };
    let request = AuditShareRequest {
        destination: request.destination.clone(),
        share: request.share.clone(),
        state,
    };
    let options = options::audit_share(task_queue);
    let audited = ctx.execute_activity(TransferActivities::audit_share, request, options);
    audited
        .await
        .map(Reply::into_message)
        .map_err(|error| activity_error::termination(ctx, error))
}

fn continue_as_new(
    ctx: &Context,
    request: AuditArchiveRequest,
    encoding: Encoding,
    resumed: Option<AuditState>,
) -> WorkflowResult<Reply<AuditReport>> {
    let request = AuditArchiveRequest { resumed, ..request };
    match ctx.continue_as_new(
        Request::new(request, encoding),
        ContinueAsNewOptions::default(),
    )? {}
}
