//! Looks for receipts.

use bytes::Bytes;
use object_store::path::Path;
use seedance_archiver_proto::{external, names, v1::Manifest};

use super::json::{self, Stored};
use crate::{Archive, Error, Layout};

/// Maximum size of a receipt, in bytes. It is the result of an activity, whose size Temporal limits.
const MAX_RECEIPT: u64 = 1024 * 1024;

/// The object under the key of a task's receipt.
pub(super) enum Found {
    Nothing,
    Receipt(Box<Manifest>),
    /// An object that is not a receipt.
    Invalid(Stored, Error),
}

/// Reads the receipt at a key. Returns `None` if it does not exist.
///
/// # Errors
///
/// Returns [`Error::InvalidRecord`] if the object is not a receipt, and another error if the store fails.
pub async fn find(archive: &Archive, key: &Path) -> Result<Option<Manifest>, Error> {
    let found = find_with_json(archive, key).await?;
    Ok(found.map(|(manifest, _json)| manifest))
}

/// Reads the receipt at a key, and returns it with the JSON of the object. Otherwise as [`find`].
pub(crate) async fn find_with_json(
    archive: &Archive,
    key: &Path,
) -> Result<Option<(Manifest, Bytes)>, Error> {
    let Some(stored) = json::read(archive, key, MAX_RECEIPT).await? else {
        return Ok(None);
    };
    Ok(Some((parse(key, &stored)?, stored.json)))
}

/// Returns whether a task has a receipt. An object that is not a receipt, or one of another task, does not count.
///
/// # Errors
///
/// Returns an error if the store fails.
pub async fn is_archived(archive: &Archive, layout: &Layout) -> Result<bool, Error> {
    match find_of_task(archive, layout).await {
        Err(Error::OtherReceipt { .. }) => Ok(false),
        receipt => Ok(receipt?.is_some()),
    }
}

/// Returns the receipt of a task. Returns `None` if there is none, or the object is not a receipt.
///
/// # Errors
///
/// Returns [`Error::OtherReceipt`] if the receipt is of another task, and another error if the store fails.
pub async fn find_of_task(archive: &Archive, layout: &Layout) -> Result<Option<Manifest>, Error> {
    match look_up(archive, layout).await? {
        Found::Receipt(manifest) => Ok(Some(*manifest)),
        Found::Nothing | Found::Invalid(..) => Ok(None),
    }
}

/// Reads the object under the key of a task's receipt.
pub(super) async fn look_up(archive: &Archive, layout: &Layout) -> Result<Found, Error> {
    let found = read(archive, &layout.manifest()).await?;
    match &found {
        Found::Receipt(manifest) if manifest.task_id != layout.task_id() => {
            Err(Error::OtherReceipt {
                key: layout.manifest().to_string(),
                found: manifest.task_id.clone(),
                expected: layout.task_id().to_owned(),
            })
        }
        _ => Ok(found),
    }
}

/// Checks that an object of this size can be a receipt.
pub(crate) fn check_size(key: &Path, size: u64) -> Result<(), Error> {
    if size > MAX_RECEIPT {
        let problem = format!("{key} is not a receipt: it has {size} bytes");
        return Err(Error::InvalidRecord(problem));
    }
    Ok(())
}

async fn read(archive: &Archive, key: &Path) -> Result<Found, Error> {
    let Some(stored) = json::read(archive, key, MAX_RECEIPT).await? else {
        return Ok(Found::Nothing);
    };
    Ok(match parse(key, &stored) {
        Ok(manifest) => Found::Receipt(Box::new(manifest)),
        Err(problem) => Found::Invalid(stored, problem),
    })
}

/// Parses a receipt.
fn parse(key: &Path, stored: &Stored) -> Result<Manifest, Error> {
    check_size(key, stored.size)?;
    let problem = match serde_json::from_slice::<Manifest>(&stored.json) {
        Ok(manifest) => match problem(&manifest) {
            None => return Ok(manifest),
            Some(problem) => problem.to_owned(),
        },
        Err(error) => format!("is not a receipt: {}", external::quote(&error.to_string())),
    };
    Err(Error::InvalidRecord(format!("{key} {problem}")))
}

/// Returns why a document is not a receipt, as a predicate after its key.
pub(super) fn problem(manifest: &Manifest) -> Option<&'static str> {
    let mut objects = manifest.objects.iter().map(|object| object.name.as_str());
    match () {
        () if manifest.task_id.is_empty() => Some("has no task id"),
        () if objects.all(|name| name.is_empty() || name == names::TASK) => {
            Some("names no object of the task")
        }
        () => None,
    }
}
