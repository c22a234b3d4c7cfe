//! `RecordOutcome`: leaves `outcome.json` and `task.json` of a task that has no receipt.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use seedance_archiver_proto::v1::{OutcomeRecord, RecordOutcomeRequest, VideoTask};
use seedance_archiver_workflows::request::Request;
use serde_json::Value;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{TransferActivities, failure, fault::Fault};
use crate::{
    archive::{Layout, receipt},
    config::Account,
    time::time,
};

/// There is no deadline: the store is waited for as long as it takes.
const FOR_EVER: Duration = Duration::MAX;

pub(super) async fn run(
    activities: &TransferActivities,
    ctx: &ActivityContext,
    request: Request<RecordOutcomeRequest>,
) -> Result<OutcomeRecord, ActivityError> {
    let request = request.check().map_err(failure::invalid_request)?;
    let account = activities.account(&request.account)?;
    let result = request.result.unwrap_or_default();
    let task = result.task.unwrap_or_default();
    let recorded = async {
        let archive = activities.archive_at(&request.destination)?;
        let layout = Layout::new(&archive.root, &account.name, &task);
        let outcome = OutcomeRecord {
            task_id: task.id.clone(),
            account: account.name.clone(),
            outcome: result.outcome,
            reason: result.reason,
            message: result.message,
            ended_at: Timestamp::now().as_second(),
            outcome_url: archive.url_of(&layout.outcome()),
            archiver_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let record = last_record(activities, &account, &task).await;
        receipt::write_outcome(&archive, &layout, &record, &outcome).await?;
        tracing::info!(
            task_id = outcome.task_id,
            outcome = outcome.outcome,
            reason = outcome.reason,
            "recorded an outcome"
        );
        Ok(outcome)
    };
    let attempt = ctx.info().attempt;
    recorded
        .await
        .map_err(|fault: Fault| failure::transfer_failed(fault, attempt, FOR_EVER, &task))
}

/// The record as the service has it, with the fields that do not travel. Where it has none any more,
/// the fields that the lifecycle knows: a sealed URL is for workers alone.
async fn last_record(
    activities: &TransferActivities,
    account: &Account,
    task: &VideoTask,
) -> Value {
    let created_at = time(task.created_at);
    let now = SystemTime::now();
    if created_at.is_some_and(|created_at| !account.windows.is_outside(created_at, now)) {
        match activities.seedance.query(account, &task.id).await {
            Ok(record) => return record.as_received(),
            Err(error) => tracing::info!(
                task_id = task.id,
                %error,
                "the record is stored as far as it is known, because it cannot be had"
            ),
        }
    }
    let known = VideoTask {
        content: None,
        archive_deadline: 0,
        ..task.clone()
    };
    serde_json::to_value(known).unwrap_or_default()
}
