//! The workflow `AccountWatcher`.

// The constants that the macro generates have no documentation.
#![allow(missing_docs)]

use seedance_archiver_proto::v1::{
    AccountWatcherRequest, CompletionTimes, WatchAccountRequest, WatchAccountResult,
};
use temporalio_common::error::ApplicationFailure;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_workflow::{ContinueAsNewOptions, WorkflowContext, WorkflowResult};

use crate::{
    activities::SweepActivities, activity_error, details, encoding::Encoding, options,
    reply::Reply, request::Request,
};

/// An activity is 6 events.
const MAX_ACTIVITIES_PER_RUN: u32 = 50;

/// Watches the tasks of an account for its lifecycles while enough of them wait. One activity does the work; the workflow
/// moves it to another worker when its worker dies.
#[workflow]
#[derive(Default)]
pub struct AccountWatcher;

type Context = WorkflowContext<AccountWatcher>;

#[workflow_methods]
impl AccountWatcher {
    /// Watches until nothing is left to watch. An invalid request fails the workflow with `InvalidRequest`.
    #[run(name = "AccountWatcher")]
    pub async fn run(
        ctx: &mut WorkflowContext<Self>,
        request: Request<AccountWatcherRequest>,
    ) -> WorkflowResult<()> {
        let encoding = request.encoding();
        let request = request.check().map_err(ApplicationFailure::from)?;
        let account = request.account;
        let mut completion_times = request.completion_times;
        let mut is_busy = true;
        ctx.set_current_details(details::for_watcher(&account));
        for _ in 0..MAX_ACTIVITIES_PER_RUN {
            let watched = watch(ctx, &account, completion_times, is_busy).await?;
            if watched.is_idle {
                return Ok(());
            }
            is_busy = watched.is_busy;
            completion_times = watched.completion_times;
        }
        continue_as_new(ctx, account, encoding, completion_times)
    }
}

async fn watch(
    ctx: &Context,
    account: &str,
    completion_times: Option<CompletionTimes>,
    is_busy: bool,
) -> WorkflowResult<WatchAccountResult> {
    let request = WatchAccountRequest {
        account: account.to_owned(),
        completion_times,
        is_busy,
    };
    let options = options::watch(is_busy);
    let watched = ctx.execute_activity(SweepActivities::watch_account, request, options);
    watched
        .await
        .map(Reply::into_message)
        .map_err(|error| activity_error::termination(ctx, error))
}

fn continue_as_new(
    ctx: &Context,
    account: String,
    encoding: Encoding,
    completion_times: Option<CompletionTimes>,
) -> WorkflowResult<()> {
    let request = AccountWatcherRequest {
        account,
        completion_times,
    };
    match ctx.continue_as_new(
        Request::new(request, encoding),
        ContinueAsNewOptions::default(),
    )? {}
}
