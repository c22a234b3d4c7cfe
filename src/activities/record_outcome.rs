//! `RecordOutcome`: counts the end of a lifecycle without a receipt, writes `outcome.json` and `task.json`, and starts
//! the delivery of the event. If the archive has a receipt of the task after all, returns the receipt and writes nothing. Each
//! `outcome.json` is then deleted: an attempt that died may have written it, beside the receipt or to the other archive. If the task was erased, writes
//! nothing either, and deletes what such an attempt wrote.

use std::{iter, time::Duration};

use seedance_archiver_clock::Clock;
use seedance_archiver_policy::transfers::{History, TimeLeft};
use seedance_archiver_proto::{
    external, names, outcome,
    reason::{ERASED, INVALID_REQUEST, UNKNOWN_ACCOUNT},
    time::unix_seconds,
    v1::{Manifest, OutcomeRecord, RecordOutcomeRequest, VideoEvent},
};
use seedance_archiver_workflows::{format, request::Request};
use serde::{Deserialize, Serialize};
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::time::timeout;

use super::{
    account_map::AccountMap, destination, ending_event, failure, heartbeat,
    recorded_task::RecordedTask, task_record, transfer_account::TransferAccount,
    transfer_error::TransferError, unknown_account,
};
use crate::{
    archive::{
        Archive, Error, erasure,
        lookup::Ending,
        receipt::{self, Tombstone},
    },
    config::Account,
    seedance::Client,
    telemetry,
    webhook::event,
};

/// Writing an outcome has no deadline: the activity is retried until the store accepts it.
const NO_DEADLINE: TimeLeft = TimeLeft {
    until_deadline: Duration::MAX,
    until_expiry: Duration::MAX,
};
/// Label of a lifecycle whose account is unknown. The name is from outside, so it is no label.
const NO_ACCOUNT: &str = "";
/// Number of attempts within which a rollout reaches a worker that serves the account: about a minute.
const ROLLOUT_ATTEMPTS: u32 = 5;
/// Part of the time for all attempts that an attempt has at least for the store.
const LATE_SHARE: u32 = 8;
/// Maximum length of a reason, in characters. It may be a code of the service.
const MAX_REASON: usize = 400;

/// Heartbeat: what an earlier attempt did.
#[derive(Clone, Default, Deserialize, Serialize)]
struct RecordProgress {
    /// Whether the end of the lifecycle was counted.
    is_counted: bool,
    /// Number of attempts that could not start the delivery of the event.
    #[serde(default)]
    event_failures: u32,
}

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
    let task = request.result.as_ref().and_then(|it| it.task.as_ref());
    let account = match accounts.get(&request.account) {
        Ok(account) => account,
        // No worker can record these.
        Err(_)
            if [UNKNOWN_ACCOUNT, INVALID_REQUEST].contains(&outcome.reason.as_str())
                && task.is_none() =>
        {
            count(ctx, NO_ACCOUNT, &outcome.outcome).await;
            return Ok(outcome);
        }
        // Another worker may serve the account.
        Err(error) => {
            if ctx.info().attempt > ROLLOUT_ATTEMPTS {
                count(ctx, NO_ACCOUNT, &outcome.outcome).await;
            }
            let clock = seedance.clock();
            let failure = unknown_account::failure(ctx, clock, &request, encoding, &error);
            return Err(failure);
        }
    };
    let recorded_task = RecordedTask::new(&account.account, &request.task_id, task);
    let recorded = match recorded_task {
        Some(task) => {
            let progress = progress(ctx);
            let details = || progress.clone();
            let record = record(seedance, account, &request, &task, &outcome);
            heartbeat::until_shutdown(ctx, details, in_time(ctx, record)).await?
        }
        None => Ok(outcome.clone()),
    };
    if recorded.is_ok() || is_late(ctx) {
        let record = recorded.as_ref().unwrap_or(&outcome);
        let event = event::ended(record, task);
        start_delivery(ctx, &account.account, workflow_queue, event).await?;
    }
    // Also after an error: the store may be down for longer than the lifecycle waits.
    let counted = recorded.as_ref().unwrap_or(&outcome);
    count(ctx, account.account.name(), &counted.outcome).await;
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

/// Returns what earlier attempts did.
fn progress(ctx: &ActivityContext) -> RecordProgress {
    heartbeat::last_details(ctx).unwrap_or_default()
}

/// Starts the delivery of the event that the lifecycle ended.
async fn start_delivery(
    ctx: &ActivityContext,
    account: &Account,
    workflow_queue: &str,
    event: Option<VideoEvent>,
) -> Result<(), ActivityError> {
    let earlier = progress(ctx);
    let failures = earlier.event_failures;
    let started = ending_event::start(ctx, account, workflow_queue, event, failures).await;
    if started.is_err() {
        let progress = RecordProgress {
            event_failures: failures + 1,
            ..earlier
        };
        heartbeat::record(ctx, progress).await;
    }
    started
}

/// Waits for the store only as long as the event of the ending can: a store that accepts a request and does not respond
/// would hold the attempt until the lifecycle ends.
async fn in_time(
    ctx: &ActivityContext,
    record: impl Future<Output = Result<OutcomeRecord, TransferError>>,
) -> Result<OutcomeRecord, TransferError> {
    let limit = times(ctx).map_or(Duration::MAX, store_time);
    timeout(limit, record).await.unwrap_or_else(|_| {
        let message = format!(
            "archive store error: the outcome was not recorded within {}",
            failure::seconds(limit)
        );
        Err(TransferError::retryable(
            message,
            failure::STORE_UNAVAILABLE,
        ))
    })
}

/// Returns how long an attempt that starts now waits for the store: until half of the time has passed, or for a short
/// time if that is later, so that the time suffices to start the delivery again if that fails.
fn store_time(Times { waited, all }: Times) -> Duration {
    (all / 2).saturating_sub(waited).max(all / LATE_SHARE)
}

/// Returns whether half of the time for all attempts has passed: the event is then sent without an `outcome.json`, because
/// the store may not accept it before the lifecycle ends.
fn is_late(ctx: &ActivityContext) -> bool {
    times(ctx).is_some_and(|Times { waited, all }| waited >= all / 2)
}

/// The time of the activity.
#[derive(Clone, Copy)]
struct Times {
    /// Time since the first attempt was due.
    waited: Duration,
    /// Time for all attempts.
    all: Duration,
}

/// Returns the time of the activity, `None` if it is not limited.
fn times(ctx: &ActivityContext) -> Option<Times> {
    let info = ctx.info();
    let (scheduled_at, deadline) = (info.scheduled_time?, info.deadline?);
    // The times are the server's, so a clock that a test advanced does not count.
    let waited = Clock::default().now().duration_since(scheduled_at);
    let all = deadline.duration_since(scheduled_at);
    Some(Times {
        waited: waited.unwrap_or_default(),
        all: all.unwrap_or_default(),
    })
}

/// Counts the end of the lifecycle once, in the first attempt that gets here.
async fn count(ctx: &ActivityContext, account: &str, outcome: &str) {
    if !progress(ctx).is_counted {
        telemetry::record::lifecycle_end(account, outcome);
        let progress = RecordProgress {
            is_counted: true,
            ..progress(ctx)
        };
        heartbeat::record(ctx, progress).await;
    }
}

/// Looks for a receipt, and writes `outcome.json` if there is none.
async fn record(
    seedance: &Client,
    account: &TransferAccount,
    request: &RecordOutcomeRequest,
    task: &RecordedTask<'_>,
    outcome: &OutcomeRecord,
) -> Result<OutcomeRecord, TransferError> {
    let own = &account.archive;
    // The archive of the worker takes what a destination cannot take.
    let destination = destination::open(&account.account, own, &request.destination).ok();
    let mut writable = own;
    if let Some(destination) = &destination {
        match task.find(destination).await {
            Ok(Some(ending)) => {
                return ended(&[destination, own], task, outcome, ending).await;
            }
            Ok(None) => writable = destination,
            // The store fails.
            Err(_) => {}
        }
    }
    match task.find(own).await? {
        Some(ending) => {
            let archives: Vec<_> = iter::once(own).chain(&destination).collect();
            ended(&archives, task, outcome, ending).await
        }
        None => write(seedance, account, writable, task, outcome).await,
    }
}

/// Returns the outcome of a task that was archived or erased before, by the first of the archives.
async fn ended(
    archives: &[&Archive],
    task: &RecordedTask<'_>,
    outcome: &OutcomeRecord,
    ending: Ending,
) -> Result<OutcomeRecord, TransferError> {
    match ending {
        Ending::Archived(manifest) => Ok(archived(archives, task, outcome, *manifest).await),
        Ending::Erased(tombstone) => {
            complete_erasure(archives, task).await?;
            Ok(erased(outcome, &tombstone))
        }
    }
}

/// Deletes what an attempt that died wrote after the task was erased. That an archive besides the first fails is only logged:
/// the task may not be erased from it.
async fn complete_erasure(
    archives: &[&Archive],
    task: &RecordedTask<'_>,
) -> Result<(), TransferError> {
    let Some((first, others)) = archives.split_first() else {
        return Ok(());
    };
    complete_erasure_from(first, task).await?;
    for other in others {
        if let Err(error) = complete_erasure_from(other, task).await {
            tracing::warn!(%error, archive = %other.url(), "cannot complete the erasure of a task");
        }
    }
    Ok(())
}

async fn complete_erasure_from(archive: &Archive, task: &RecordedTask<'_>) -> Result<(), Error> {
    let Some(layout) = task.layout(archive) else {
        return Ok(());
    };
    match receipt::find_tombstone(archive, &layout).await? {
        Some(_) => erasure::complete(archive, &layout).await,
        None => Ok(()),
    }
}

/// Returns the outcome of a task that was erased. There is no record of it in the archive, besides the tombstone.
fn erased(outcome: &OutcomeRecord, tombstone: &Tombstone) -> OutcomeRecord {
    let erased_at = format::utc(tombstone.erased_at);
    OutcomeRecord {
        outcome: outcome::UNSUCCESSFUL.to_owned(),
        reason: ERASED.to_owned(),
        message: format!(
            "the task was erased at {}",
            erased_at.unwrap_or_else(|| "an unknown time".to_owned())
        ),
        ..outcome.clone()
    }
}

/// Returns the outcome of a task that has a receipt in one of the archives. An attempt that died may have left an
/// `outcome.json` in any of them: it writes to the destination, and an archival may then give up the destination.
async fn archived(
    archives: &[&Archive],
    task: &RecordedTask<'_>,
    outcome: &OutcomeRecord,
    manifest: Manifest,
) -> OutcomeRecord {
    for archive in archives {
        if let Some(layout) = task.layout(archive) {
            receipt::delete_outcome(archive, &layout).await;
        }
    }
    tracing::info!(
        task_id = outcome.task_id,
        receipt = manifest.manifest_url,
        "the video is archived already"
    );
    OutcomeRecord {
        outcome: outcome::ARCHIVED.to_owned(),
        reason: String::new(),
        message: String::new(),
        manifest: Some(manifest.for_callers()),
        ..outcome.clone()
    }
}

/// Writes `outcome.json`, and `task.json` if there is a record, where a receipt would be. Writes nothing if the
/// location is not known.
async fn write(
    seedance: &Client,
    account: &TransferAccount,
    archive: &Archive,
    task: &RecordedTask<'_>,
    outcome: &OutcomeRecord,
) -> Result<OutcomeRecord, TransferError> {
    let mut outcome = outcome.clone();
    let Some(layout) = task.layout(archive) else {
        return Ok(outcome);
    };
    outcome.outcome_url = archive.url_of(&layout.outcome());
    let archive = &archive.for_task(&task.record().cloned().unwrap_or_default());
    let record = match task.record() {
        Some(task) => Some(task_record::fetch(seedance, &account.account, task).await),
        None => None,
    };
    receipt::write_outcome(archive, &layout, record.as_deref(), &outcome).await?;
    // Again: an erasure may have deleted the task's objects meanwhile.
    if let Some(tombstone) = receipt::find_tombstone(archive, &layout).await? {
        erasure::complete(archive, &layout).await?;
        outcome.outcome_url.clear();
        return Ok(erased(&outcome, &tombstone));
    }
    tracing::info!(
        task_id = outcome.task_id,
        outcome = outcome.outcome,
        reason = outcome.reason,
        "recorded the outcome"
    );
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_leaves_time_to_start_the_delivery() {
        let limit = |waited| {
            store_time(Times {
                waited: Duration::from_secs(waited),
                all: Duration::from_secs(120),
            })
        };
        let limits = [0, 40, 59, 60, 75, 200].map(limit);
        assert_eq!(limits, [60, 20, 15, 15, 15, 15].map(Duration::from_secs));
    }
}
