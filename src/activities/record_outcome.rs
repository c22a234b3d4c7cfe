//! `RecordOutcome`: leaves `outcome.json` and `task.json` of a task that has no receipt.

use std::time::Duration;

use jiff::Timestamp;
use seedance_archiver_proto::v1::{OutcomeRecord, RecordOutcomeRequest};
use seedance_archiver_workflows::request::Request;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{TransferActivities, failure, fault::Fault, task_record};
use crate::{archive::receipt, telemetry::record};

/// There is no deadline: the store is waited for as long as it takes.
const FOR_EVER: Duration = Duration::MAX;

pub(super) async fn run(
    activities: &TransferActivities,
    ctx: &ActivityContext,
    request: Request<RecordOutcomeRequest>,
) -> Result<OutcomeRecord, ActivityError> {
    let encoding = request.encoding();
    let request = request.check().map_err(failure::invalid_request)?;
    let served = activities.served(&request.account)?;
    let account = &served.account;
    let result = request.result.unwrap_or_default();
    let task = result.task.unwrap_or_default();
    let attempt = ctx.info().attempt;
    if attempt == 1 {
        record::lifecycle_end(account.name(), &result.outcome);
    }
    let recorded = async {
        let archive = served.archive_at(&request.destination)?;
        let layout = account.layout(&archive.root, &task);
        let outcome = OutcomeRecord {
            task_id: task.id.clone(),
            account: account.name().to_owned(),
            outcome: result.outcome,
            reason: result.reason,
            message: result.message,
            ended_at: Timestamp::now().as_second(),
            outcome_url: archive.url_of(&layout.outcome()),
            archiver_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let record = task_record::ask(&activities.seedance, account, &task).await;
        receipt::write_outcome(&archive, &layout, &record, &outcome).await?;
        tracing::info!(
            task_id = outcome.task_id,
            outcome = outcome.outcome,
            reason = outcome.reason,
            "recorded an outcome"
        );
        Ok(outcome)
    };
    recorded
        .await
        .map_err(|fault: Fault| failure::transfer_failed(fault, attempt, FOR_EVER, &task, encoding))
}
