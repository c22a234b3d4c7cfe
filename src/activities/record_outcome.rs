//! `RecordOutcome`: writes `outcome.json` and `task.json` for a task that was not archived.

use std::time::Duration;

use seedance_archiver_policy::transfers::History;
use seedance_archiver_proto::{
    time::unix_seconds,
    v1::{OutcomeRecord, RecordOutcomeRequest, VideoTask, VideoTaskLifecycleResult},
};
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{
    checked_request::CheckedRequest, destination, failure, heartbeat, task_record,
    transfer_account::TransferAccount, transfer_error::TransferError,
};
use crate::{
    archive::{Archive, receipt},
    config::Account,
    seedance::Client,
    telemetry::record,
};

/// Writing an outcome has no deadline: the activity is retried until the store accepts it.
const NO_DEADLINE: Duration = Duration::MAX;

type Call<'a> = CheckedRequest<RecordOutcomeRequest, &'a TransferAccount>;

pub(super) async fn run(
    ctx: &ActivityContext,
    seedance: &Client,
    call: Call<'_>,
) -> Result<OutcomeRecord, ActivityError> {
    let CheckedRequest {
        request,
        account: TransferAccount {
            account, archive, ..
        },
        encoding,
    } = call;
    let mut result = request.result.unwrap_or_default();
    let task = result.task.take().unwrap_or_default();
    let attempt = ctx.info().attempt;
    if attempt == 1 {
        record::lifecycle_end(account.name(), &result.outcome);
    }
    let written = async {
        let archive = destination::open(archive, &request.destination)?;
        write(seedance, account, &archive, &task, result).await
    };
    heartbeat::during(ctx, || (), written)
        .await
        .map_err(|error| {
            // Without a deadline there is no verdict, so the history is not needed.
            let history = History::default();
            failure::for_transfer(error, attempt, NO_DEADLINE, &task, &history, encoding)
        })
}

async fn write(
    seedance: &Client,
    account: &Account,
    archive: &Archive,
    task: &VideoTask,
    result: VideoTaskLifecycleResult,
) -> Result<OutcomeRecord, TransferError> {
    let layout = account.layout(&archive.root, task);
    let outcome = OutcomeRecord {
        task_id: task.id.clone(),
        account: account.name().to_owned(),
        outcome: result.outcome,
        reason: result.reason,
        message: result.message,
        ended_at: unix_seconds(seedance.clock().now()),
        outcome_url: archive.url_of(&layout.outcome()),
        archiver_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let record = task_record::fetch(seedance, account, task).await;
    receipt::write_outcome(archive, &layout, &record, &outcome).await?;
    tracing::info!(
        task_id = outcome.task_id,
        outcome = outcome.outcome,
        reason = outcome.reason,
        "recorded the outcome"
    );
    Ok(outcome)
}
