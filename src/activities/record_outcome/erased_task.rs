//! A task that was erased before its outcome was recorded.

use seedance_archiver_proto::{outcome, reason::ERASED, v1::OutcomeRecord};
use seedance_archiver_workflows::format;

use super::super::{recorded_task::RecordedTask, transfer_error::TransferError};
use crate::archive::{
    Archive, Error, Layout, erasure,
    receipt::{self, Tombstone},
};

/// Deletes what an attempt that died wrote after the task was erased. That an archive besides the first fails is only logged:
/// the task may not be erased from it.
pub(super) async fn complete_erasure(
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
    match task.layout(archive) {
        Some(layout) => complete_erasure_at(archive, &layout).await.map(drop),
        None => Ok(()),
    }
}

/// Deletes what was written after the task with these keys was erased. Returns the tombstone, or `None` if there is none.
pub(super) async fn complete_erasure_at(
    archive: &Archive,
    layout: &Layout,
) -> Result<Option<Tombstone>, Error> {
    let tombstone = receipt::find_tombstone(archive, layout).await?;
    if tombstone.is_some() {
        erasure::complete(archive, layout).await?;
    }
    Ok(tombstone)
}

/// Returns the outcome of a task that was erased. There is no record of it in the archive, besides the tombstone.
pub(super) fn outcome_of(outcome: &OutcomeRecord, tombstone: &Tombstone) -> OutcomeRecord {
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
