//! The objects of one task.

use futures::TryStreamExt;
use object_store::{ObjectMeta, path::Path};
use seedance_archiver_proto::{names, v1::ArchivedObject};

use crate::{
    Archive, Error, ObjectKind,
    keys::{STAGING, is_attempt_of, is_staged},
    receipt,
};

/// What an archive has of a task, besides its tombstone.
#[derive(Clone, Debug, Default)]
pub struct Remains {
    /// Objects that the archiver wrote to the task's directory.
    pub objects: Vec<ObjectMeta>,
    /// Objects that attempts staged.
    pub staged: Vec<ObjectMeta>,
    /// Number of other objects in the directory. They stay.
    pub others: usize,
}

impl Remains {
    /// Returns the keys of all objects.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Path> {
        self.all().map(|object| &object.location)
    }

    /// Returns the number of objects.
    pub fn len(&self) -> usize {
        self.all().count()
    }

    /// Returns whether there is no object.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the size of all objects, in bytes.
    pub fn bytes(&self) -> u64 {
        self.all().map(|object| object.size).sum()
    }

    fn all(&self) -> impl Iterator<Item = &ObjectMeta> {
        self.objects.iter().chain(&self.staged)
    }
}

/// Finds the objects of a task.
pub(super) async fn find(
    archive: &Archive,
    receipt_key: &Path,
    task_id: &str,
    named: &[ArchivedObject],
) -> Result<Remains, Error> {
    let directory = receipt::directory_of(receipt_key);
    // Not recursive: a key template can put the directory of another task into this one.
    let listed = archive.store.list_with_delimiter(Some(&directory)).await?;
    let is_named = |name: &str| named.iter().any(|object| object.name == name);
    let (objects, others): (Vec<_>, Vec<_>) = listed
        .objects
        .into_iter()
        .filter(|object| object.location.filename() != Some(names::ERASED))
        .partition(|object| {
            let name = object.location.filename().unwrap_or_default();
            is_written(name) || is_named(name)
        });
    Ok(Remains {
        objects,
        staged: find_staged(archive, task_id).await?,
        others: others.len(),
    })
}

/// Returns whether the archiver writes objects of this name to the directory of a task.
pub(crate) fn is_written(name: &str) -> bool {
    let is_record = [names::MANIFEST, names::OUTCOME, names::TASK].contains(&name);
    let is_invalid_receipt = name
        .strip_prefix(names::MANIFEST)
        .is_some_and(|rest| rest.starts_with(".invalid-"));
    let is_object = name
        .split_once('.')
        .is_some_and(|(kind, extension)| ObjectKind::is_name(kind) && !extension.contains('.'));
    is_record || is_invalid_receipt || is_object
}

/// Finds the objects that attempts of a task staged.
async fn find_staged(archive: &Archive, task_id: &str) -> Result<Vec<ObjectMeta>, Error> {
    let staging = archive.url_prefix.clone().join(STAGING);
    let attempts = archive.store.list_with_delimiter(Some(&staging)).await?;
    let mut staged = Vec::new();
    for attempt in attempts.common_prefixes {
        let is_own = attempt
            .filename()
            .is_some_and(|name| is_attempt_of(name, task_id));
        if is_own {
            let objects = archive.store.list(Some(&attempt));
            let mut objects: Vec<_> = objects.try_collect().await?;
            objects.retain(|object| is_staged(&archive.url_prefix, &object.location));
            staged.extend(objects);
        }
    }
    Ok(staged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_archiver_writes_is_erased() {
        for name in [
            "manifest.json",
            "manifest.json.invalid-0083af14",
            "task.json",
            "outcome.json",
            "video.mp4",
            "last_frame.png",
            "file.zip",
        ] {
            assert!(is_written(name), "{name}");
        }
        for name in [
            "erased.json",
            "manifest.json.bak",
            "video",
            "video.notes.txt",
            "videos.mp4",
            "poster.png",
            "",
        ] {
            assert!(!is_written(name), "{name}");
        }
    }
}
