//! Finds the receipt of a task of which only the id is known, because the service no longer has its record.

use std::time::SystemTime;

use object_store::path::{Path, PathPart};
use seedance_archiver_proto::{names, v1::Manifest};

use crate::{
    Archive, Error, KeyTemplate,
    keys::search::{self, Directories, Name},
    receipt::{self, Tombstone},
};

/// A task of which only the id is known.
#[derive(Clone, Copy, Debug)]
pub struct TaskId<'a> {
    /// Name of the account.
    pub account: &'a str,
    /// Id of the task.
    pub id: &'a str,
    /// Creation time in the id.
    pub created_at: Option<SystemTime>,
}

/// How a task ended, by its archive.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// The task has a receipt.
    Archived(Box<Manifest>),
    /// The task was erased.
    Erased(Tombstone),
}

/// Returns the receipt of a task. Returns `None` if the task was erased. Otherwise as [`find`].
///
/// # Errors
///
/// Returns an error if the store fails.
pub async fn find_receipt(
    archive: &Archive,
    template: &KeyTemplate,
    task: TaskId<'_>,
) -> Result<Option<Manifest>, Error> {
    Ok(match find(archive, template, task).await? {
        Some(Ending::Archived(receipt)) => Some(*receipt),
        Some(Ending::Erased(_)) | None => None,
    })
}

/// Returns the tombstone or the receipt of a task, `None` if the archive has neither within a day of the time in its id.
///
/// If the template of keys has a value that only the record has, such as the model, its directories are listed.
///
/// # Errors
///
/// Returns an error if the store fails.
pub async fn find(
    archive: &Archive,
    template: &KeyTemplate,
    task: TaskId<'_>,
) -> Result<Option<Ending>, Error> {
    let TaskId {
        account,
        id,
        created_at,
    } = task;
    for names in search::directories(template, account, id, created_at) {
        for directory in existing(archive, &names).await? {
            let tombstone = directory.clone().join(names::ERASED);
            if let Some(tombstone) = receipt::find_tombstone_at(archive, &tombstone, id).await? {
                return Ok(Some(Ending::Erased(tombstone)));
            }
            match receipt::find(archive, &directory.join(names::MANIFEST)).await {
                Ok(Some(receipt)) if receipt.task_id == id => {
                    return Ok(Some(Ending::Archived(Box::new(receipt))));
                }
                // An unreadable receipt is a finding of `verify`. It does not say that the video is archived.
                Ok(_) | Err(Error::InvalidRecord(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(None)
}

/// Returns the directories with these names. Lists only where a name is not known.
async fn existing(archive: &Archive, names: &Directories) -> Result<Vec<Path>, Error> {
    let mut found = vec![archive.root.clone()];
    for name in names {
        let mut children = Vec::new();
        for parent in found {
            match name {
                Name::Known(name) => children.push(child(&parent, name)),
                Name::AnyBetween(start, end) => {
                    children.extend(children_between(archive, &parent, start, end).await?);
                }
            }
        }
        found = children;
    }
    Ok(found)
}

async fn children_between(
    archive: &Archive,
    parent: &Path,
    start: &str,
    end: &str,
) -> Result<Vec<Path>, Error> {
    let listed = archive.store.list_with_delimiter(Some(parent)).await?;
    let matches = |path: &Path| {
        path.filename().is_some_and(|name| {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        })
    };
    Ok(listed.common_prefixes.into_iter().filter(matches).collect())
}

/// Returns the directory of this name, which is escaped.
fn child(parent: &Path, name: &str) -> Path {
    let name = PathPart::parse(name).unwrap_or_else(|_| PathPart::from(name));
    parent.clone().join(name)
}
