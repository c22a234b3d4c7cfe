//! The record of an outcome without a video.

use object_store::ObjectStoreExt;
use seedance_archiver_proto::v1::OutcomeRecord;

use super::{find::is_archived, json, task_record};
use crate::{Archive, Error, Layout, error::optional};

/// Records that a task ended without a video: writes `outcome.json`, then `task.json` if the task has a record. A later
/// outcome replaces an earlier one. If the task has a receipt, or gets one meanwhile, there is no `outcome.json`
/// afterwards.
///
/// # Errors
///
/// Returns an error if the store fails.
pub async fn write_outcome(
    archive: &Archive,
    layout: &Layout,
    task: Option<&str>,
    outcome: &OutcomeRecord,
) -> Result<(), Error> {
    if is_archived(archive, layout).await? {
        // A writer that died may have left one.
        delete_outcome(archive, layout).await;
        return Ok(());
    }
    let key = layout.outcome();
    let earlier = json::read(archive, &key, json::MAX_RECORD).await?;
    if let Some(earlier) = &earlier
        && let Ok(earlier) = serde_json::from_slice::<OutcomeRecord>(&earlier.json)
        && earlier.ended_at > outcome.ended_at
    {
        return Ok(());
    }
    let json = json::to_json(&key, outcome)?;
    let version = earlier.map(|earlier| earlier.version);
    match json::put(archive, &key, json, version).await {
        Err(error) if error.is_already_exists() => return Ok(()),
        written => drop(written?),
    }
    if let Some(task) = task {
        task_record::write(archive, layout, task).await?;
    }
    if is_archived(archive, layout).await? {
        delete_outcome(archive, layout).await;
    }
    Ok(())
}

/// Returns whether a task has an `outcome.json`.
///
/// # Errors
///
/// Returns an error if the store fails.
pub async fn has_outcome(archive: &Archive, layout: &Layout) -> Result<bool, Error> {
    Ok(optional(archive.store.head(&layout.outcome()).await)?.is_some())
}

/// Reads the `outcome.json` of a task. Returns `None` if it does not exist, or is not a record of an outcome: nothing
/// follows from it then.
///
/// # Errors
///
/// Returns an error if the store fails.
pub async fn find_outcome(
    archive: &Archive,
    layout: &Layout,
) -> Result<Option<OutcomeRecord>, Error> {
    let stored = json::read(archive, &layout.outcome(), json::MAX_RECORD).await?;
    Ok(stored.and_then(|stored| serde_json::from_slice(&stored.json).ok()))
}

/// Deletes the `outcome.json` of a task that has a receipt, if there is one. Errors are only logged, because the task is
/// archived, and the record means nothing.
pub async fn delete_outcome(archive: &Archive, layout: &Layout) {
    let key = layout.outcome();
    let deleted = async {
        match has_outcome(archive, layout).await? {
            true => optional(archive.store.delete(&key).await).map(drop),
            false => Ok(()),
        }
    };
    if let Err(error) = deleted.await {
        tracing::warn!(%error, %key, "cannot delete the record of an earlier outcome");
    }
}
