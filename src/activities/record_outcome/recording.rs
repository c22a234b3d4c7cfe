//! Looks for the receipt or the tombstone of a task, and writes `outcome.json` if there is none.

use std::iter;

use seedance_archiver_proto::{
    outcome,
    v1::{Manifest, OutcomeRecord, RecordOutcomeRequest},
};

use super::{
    super::{
        destination, recorded_task::RecordedTask, task_record, transfer_account::TransferAccount,
        transfer_error::TransferError,
    },
    erased_task,
};
use crate::{
    archive::{Archive, lookup::Ending, receipt},
    seedance::Client,
};

/// Looks for a receipt, and writes `outcome.json` if there is none.
pub(super) async fn record(
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
            erased_task::complete_erasure(archives, task).await?;
            Ok(erased_task::outcome_of(outcome, &tombstone))
        }
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
    if let Some(tombstone) = erased_task::complete_erasure_at(archive, &layout).await? {
        outcome.outcome_url.clear();
        return Ok(erased_task::outcome_of(&outcome, &tombstone));
    }
    tracing::info!(
        task_id = outcome.task_id,
        outcome = outcome.outcome,
        reason = outcome.reason,
        "recorded the outcome"
    );
    Ok(outcome)
}
