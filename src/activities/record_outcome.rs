//! `RecordOutcome`: counts the end of a lifecycle without a receipt, writes `outcome.json` and `task.json`, and starts
//! the delivery of the event.
//!
//! If the archive has a receipt of the task after all, returns the receipt and writes nothing. Each `outcome.json` is then
//! deleted: an attempt that died may have written it, beside the receipt or to the other archive. If the task was erased,
//! writes nothing either, and deletes what such an attempt wrote.
//!
//! - [`recording`]: looks for a receipt or a tombstone, and writes `outcome.json` if there is none.
//! - [`erased_task`]: completes the erasure of a task.
//! - [`timing`]: how long the store may take, so that there is time left for the event.
//! - [`delivery`]: starts the delivery of the event.
//! - [`counting`]: counts the end of the lifecycle once.
//! - [`progress`]: the heartbeat, which says what earlier attempts did.

mod counting;
mod delivery;
mod erased_task;
mod progress;
mod recording;
mod timing;

use std::time::Duration;

use seedance_archiver_clock::Clock;
use seedance_archiver_policy::transfers::{History, TimeLeft};
use seedance_archiver_proto::{
    external, names,
    reason::{INVALID_REQUEST, UNKNOWN_ACCOUNT},
    time::unix_seconds,
    v1::{OutcomeRecord, RecordOutcomeRequest, VideoTask},
};
use seedance_archiver_workflows::{
    encoding::Encoding, invalid_request::InvalidRequest, request::Request,
};
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{
    account_map::AccountMap, failure, heartbeat, recorded_task::RecordedTask,
    transfer_account::TransferAccount, transfer_error::TransferError, unknown_account,
};
use crate::seedance::Client;
use progress::RecordProgress;

/// Writing an outcome has no deadline: the activity is retried until the store accepts it.
const NO_DEADLINE: TimeLeft = TimeLeft {
    until_deadline: Duration::MAX,
    until_expiry: Duration::MAX,
    until_last_query: None,
};
/// Label of a lifecycle whose account is unknown. The name is from outside, so it is no label.
const NO_ACCOUNT: &str = "";
/// Number of attempts within which a rollout reaches a worker that serves the account: about a minute.
const ROLLOUT_ATTEMPTS: u32 = 5;
/// Maximum length of a reason, in characters. It may be a code of the service.
const MAX_REASON: usize = 400;

pub(super) async fn run(
    ctx: &ActivityContext,
    seedance: &Client,
    accounts: &AccountMap<TransferAccount>,
    workflow_queue: &str,
    request: Request<RecordOutcomeRequest>,
) -> Result<OutcomeRecord, ActivityError> {
    let encoding = request.encoding();
    let request = request.check().map_err(failure::invalid_request)?;
    let outcome = outcome_of(&request, seedance);
    let account = match accounts.get(&request.account) {
        Ok(account) => account,
        Err(error) => {
            let clock = seedance.clock();
            return without_account(ctx, clock, &request, encoding, outcome, &error).await;
        }
    };
    let recorded = record(ctx, seedance, account, &request, &outcome).await?;
    let ending = recorded.as_ref().unwrap_or(&outcome);
    let task = task_of(&request);
    if recorded.is_ok() || timing::is_late(ctx) {
        delivery::start(ctx, &account.account, workflow_queue, ending, task).await?;
    }
    // Also after an error: the store may be down for longer than the lifecycle waits.
    counting::count(ctx, account.account.name(), &ending.outcome).await;
    recorded.map_err(|error| {
        // Without a deadline there is no verdict, so the history of earlier attempts is not needed.
        let (history, task) = (History::default(), task.cloned().unwrap_or_default());
        failure::for_transfer(error, NO_DEADLINE, &task, &history, encoding)
    })
}

/// Returns the record of the ending in the request.
fn outcome_of(request: &RecordOutcomeRequest, seedance: &Client) -> OutcomeRecord {
    let result = request.result.clone().unwrap_or_default();
    let task_id = result.task.map(|task| task.id);
    OutcomeRecord {
        task_id: task_id.unwrap_or_else(|| request.task_id.clone()),
        account: names::account_or_default(&request.account).to_owned(),
        outcome: result.outcome,
        reason: external::line(&result.reason, MAX_REASON),
        message: external::message(&result.message),
        ended_at: unix_seconds(seedance.clock().now()),
        archiver_version: env!("CARGO_PKG_VERSION").to_owned(),
        ..OutcomeRecord::default()
    }
}

/// Returns the last record of the task.
fn task_of(request: &RecordOutcomeRequest) -> Option<&VideoTask> {
    request.result.as_ref().and_then(|it| it.task.as_ref())
}

/// Ends an attempt whose account this worker does not serve: counts the end of the lifecycle if no worker can record it,
/// otherwise fails, so that another worker may.
async fn without_account(
    ctx: &ActivityContext,
    clock: &Clock,
    request: &RecordOutcomeRequest,
    encoding: Encoding,
    outcome: OutcomeRecord,
    error: &InvalidRequest,
) -> Result<OutcomeRecord, ActivityError> {
    let reason = outcome.reason.as_str();
    // No worker can record these.
    if [UNKNOWN_ACCOUNT, INVALID_REQUEST].contains(&reason) && task_of(request).is_none() {
        counting::count(ctx, NO_ACCOUNT, &outcome.outcome).await;
        return Ok(outcome);
    }
    // Another worker may serve the account.
    if ctx.info().attempt > ROLLOUT_ATTEMPTS {
        counting::count(ctx, NO_ACCOUNT, &outcome.outcome).await;
    }
    Err(unknown_account::failure(
        ctx, clock, request, encoding, error,
    ))
}

/// Records the outcome if the task is known, and heartbeats meanwhile.
///
/// # Errors
///
/// The outer error ends the attempt, because the worker shuts down. The inner one is that of the store.
async fn record(
    ctx: &ActivityContext,
    seedance: &Client,
    account: &TransferAccount,
    request: &RecordOutcomeRequest,
    outcome: &OutcomeRecord,
) -> Result<Result<OutcomeRecord, TransferError>, ActivityError> {
    let task = RecordedTask::new(&account.account, &request.task_id, task_of(request));
    let Some(task) = task else {
        return Ok(Ok(outcome.clone()));
    };
    let progress = RecordProgress::last(ctx);
    let details = || progress.clone();
    let recording = recording::record(seedance, account, request, &task, outcome);
    heartbeat::until_shutdown(ctx, details, timing::in_time(ctx, recording)).await
}
