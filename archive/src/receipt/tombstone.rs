//! The tombstone of an erased task, `erased.json`: nothing of the task is archived while it exists.

use jiff::Timestamp;
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use super::json;
use crate::{Archive, Error, Layout};

/// The tombstone of a task. It has no data of the task's user.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct Tombstone {
    /// Id of the task.
    pub task_id: String,
    /// Name of the task's account.
    pub account: String,
    /// When the tombstone was written, in Unix seconds.
    pub erased_at: i64,
    /// Version of the program that wrote it.
    pub archiver_version: String,
}

/// Returns the tombstone of a task, `None` if the task was not erased. An object under this key that names no task, or
/// another one, says nothing about the task.
///
/// # Errors
///
/// Returns an error if the store fails.
pub async fn find_tombstone(
    archive: &Archive,
    layout: &Layout,
) -> Result<Option<Tombstone>, Error> {
    find_tombstone_at(archive, &layout.tombstone(), layout.task_id()).await
}

/// Fails with [`Error::Erased`] if a task was erased.
///
/// # Errors
///
/// Returns another error if the store fails.
pub async fn check_not_erased(archive: &Archive, layout: &Layout) -> Result<(), Error> {
    match find_tombstone(archive, layout).await? {
        Some(tombstone) => Err(Error::Erased {
            key: layout.tombstone().to_string(),
            erased_at: Timestamp::from_second(tombstone.erased_at).ok(),
        }),
        None => Ok(()),
    }
}

/// Returns the tombstone of a task at a key. Otherwise as [`find_tombstone`].
pub(crate) async fn find_tombstone_at(
    archive: &Archive,
    key: &Path,
    task_id: &str,
) -> Result<Option<Tombstone>, Error> {
    let Some(stored) = json::read(archive, key, json::MAX_RECORD).await? else {
        return Ok(None);
    };
    let tombstone = serde_json::from_slice::<Tombstone>(&stored.json).ok();
    let tombstone = tombstone.filter(|it| it.task_id == task_id && !task_id.is_empty());
    if tombstone.is_none() {
        tracing::warn!(%key, task_id, "ignoring an object that is not a tombstone of the task");
    }
    Ok(tombstone)
}

/// Writes the tombstone of a task, unless it has one.
///
/// # Errors
///
/// Returns [`Error::InvalidRecord`] if there is an object that is no tombstone of the task, and another error if the
/// store fails.
pub(crate) async fn write_tombstone(
    archive: &Archive,
    key: &Path,
    tombstone: &Tombstone,
) -> Result<(), Error> {
    let created = json::put(archive, key, json::to_json(key, tombstone)?, None).await;
    let Err(error) = created else {
        return Ok(());
    };
    // It may have been written even if the response was lost.
    match find_tombstone_at(archive, key, &tombstone.task_id).await? {
        Some(_) => Ok(()),
        None if error.is_already_exists() => Err(Error::InvalidRecord(format!(
            "{key} is not a tombstone of task `{}`; move it elsewhere",
            tombstone.task_id
        ))),
        None => Err(error),
    }
}
