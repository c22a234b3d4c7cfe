//! The workflow `SweepVideoTasks`.

// The constants that the macro generates have no documentation.
#![allow(missing_docs)]

use seedance_archiver_policy::pages;
use seedance_archiver_proto::v1::{
    SweepPage, SweepState, SweepVideoTaskPageRequest, SweepVideoTaskPageResult,
    SweepVideoTasksRequest, SweepVideoTasksResult,
};
use temporalio_common::error::ApplicationFailure;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_workflow::{ContinueAsNewOptions, WorkflowContext, WorkflowResult};

use crate::{
    activities::SweepActivities, activity_error, details, encoding::Encoding, options,
    reply::Reply, request::Request,
};

/// A page is 6 events or more.
const MAX_PAGES_PER_RUN: u32 = 50;

/// Lists the tasks of an account and starts a lifecycle for each task that has no receipt, no `outcome.json`, and
/// no lifecycle that is running or ended recently.
#[workflow]
#[derive(Default)]
pub struct SweepVideoTasks;

type Context = WorkflowContext<SweepVideoTasks>;

#[workflow_methods]
impl SweepVideoTasks {
    /// Sweeps every page of every list of the account. An invalid request fails the workflow with `InvalidRequest`.
    #[run(name = "SweepVideoTasks")]
    pub async fn run(
        ctx: &mut WorkflowContext<Self>,
        request: Request<SweepVideoTasksRequest>,
    ) -> WorkflowResult<Reply<SweepVideoTasksResult>> {
        let encoding = request.encoding();
        let request = request.check().map_err(ApplicationFailure::from)?;
        let state = request.resumed.clone().unwrap_or_default();
        let mut result = state.result.unwrap_or_default();
        let mut page = state.next.unwrap_or_else(pages::any);
        for _ in 0..MAX_PAGES_PER_RUN {
            ctx.set_current_details(details::for_running_sweep(&result, &page));
            let swept = sweep_page(ctx, &request, page).await?;
            pages::add(&mut result, &swept.result.unwrap_or_default());
            match swept.next {
                Some(next) => page = next,
                None => {
                    ctx.set_current_details(details::for_sweep(&result));
                    return Ok(Reply::new(result, encoding));
                }
            }
        }
        continue_as_new(ctx, request, encoding, result, page)
    }
}

async fn sweep_page(
    ctx: &Context,
    request: &SweepVideoTasksRequest,
    page: SweepPage,
) -> WorkflowResult<SweepVideoTaskPageResult> {
    let options = options::sweep_page(&page);
    let request = SweepVideoTaskPageRequest {
        account: request.account.clone(),
        destination: request.destination.clone(),
        page: Some(page),
    };
    let swept = ctx.execute_activity(SweepActivities::sweep_video_task_page, request, options);
    swept
        .await
        .map(Reply::into_message)
        .map_err(|error| activity_error::termination(ctx, error))
}

fn continue_as_new(
    ctx: &Context,
    request: SweepVideoTasksRequest,
    encoding: Encoding,
    result: SweepVideoTasksResult,
    next: SweepPage,
) -> WorkflowResult<Reply<SweepVideoTasksResult>> {
    let request = SweepVideoTasksRequest {
        resumed: Some(SweepState {
            next: Some(next),
            result: Some(result),
        }),
        ..request
    };
    match ctx.continue_as_new(
        Request::new(request, encoding),
        ContinueAsNewOptions::default(),
    )? {}
}
