//! Whether the archives have every video once, with the bytes that the simulator served.

mod day;
mod frames;
mod hidden;
mod planned;
mod record;
mod task;

use std::collections::BTreeMap;

use anyhow::Context;
use futures::TryStreamExt;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, path::Path};
use seedance_archiver_proto::{names::OUTCOME, outcome};

use super::{
    Archive, Row,
    endings::{End, Ending, Endings},
    outcomes,
    receipts::Receipts,
    secrets,
};
use crate::chaos::{
    parts::Links,
    world::{Task, World},
};
use task::Stored;

/// Begins the keys of what is not published.
const STAGING: &str = ".staging";

/// What was found so far.
#[derive(Default)]
struct Found {
    equal: u64,
    corrupt: Vec<String>,
    duplicate: Vec<String>,
    misplaced: Vec<String>,
    /// What is not where the plan says, or not as it says.
    unplanned: Vec<String>,
    /// Receipts in results that are not those in the archive.
    other_receipts: Vec<String>,
    /// Videos that were archived without their last frame, with a warning.
    without_frame: u64,
    /// Those whose last frame could be had.
    lost_frames: Vec<String>,
    outcomes: Vec<String>,
    staged: Vec<String>,
    /// Files of small objects that were not linked to their names. They are harmless.
    unlinked: u64,
    secrets: Vec<String>,
}

/// What the archives are compared with.
pub(super) struct Basis<'a> {
    pub(super) world: &'a World,
    pub(super) endings: &'a Endings,
    /// What lifecycles and callers returned.
    pub(super) receipts: &'a Receipts,
    pub(super) secrets: &'a secrets::Finder,
    pub(super) links: &'a Links,
    /// Whether workers of another version took part. Version 0.1.0 misreads the times in some dialects, on which the
    /// directory of a task depends.
    pub(super) has_other_version: bool,
}

pub(super) async fn check(
    basis: &Basis<'_>,
    archives: &[Archive],
    tasks: &[Task],
) -> anyhow::Result<Vec<Row>> {
    let mut found = Found::default();
    let mut directories = read_directories(archives, tasks, basis.secrets, &mut found).await?;
    for task in tasks {
        let directories = directories.remove(&task.id).unwrap_or_default();
        check_task(basis, task, directories, &mut found).await?;
    }
    Ok(found.rows())
}

impl Found {
    fn rows(self) -> Vec<Row> {
        vec![
            Row::of("archived and byte-equal", self.equal),
            Row::none_of("corrupt, or archived without an object", self.corrupt),
            Row::none_of("duplicate or unexpected objects", self.duplicate),
            Row::none_of("videos in another archive than they go to", self.misplaced),
            Row::none_of(
                "receipts and directories that differ from the plan",
                self.unplanned,
            ),
            Row::none_of(
                "results with another receipt than the archive",
                self.other_receipts,
            ),
            Row::of(
                "archived without the last frame, with a warning",
                self.without_frame,
            ),
            Row::none_of("last frames lost though savable", self.lost_frames),
            Row::none_of("staged objects after `clean`", self.staged),
            Row::of("files of small objects that were not linked", self.unlinked),
            Row::none_of(
                "missing, different or repeated `outcome.json`",
                self.outcomes,
            ),
            Row::none_of("secrets in objects and their keys", self.secrets),
        ]
    }
}

/// The objects of a task in one directory, by file name.
struct Directory {
    archive: Archive,
    /// Without the prefix of the archive.
    path: String,
    objects: BTreeMap<String, ObjectMeta>,
}

/// Lists all objects. Returns the directories of each task.
async fn read_directories(
    archives: &[Archive],
    tasks: &[Task],
    secrets: &secrets::Finder,
    found: &mut Found,
) -> anyhow::Result<BTreeMap<String, Vec<Directory>>> {
    let mut all = BTreeMap::<String, Vec<Directory>>::new();
    for archive in archives {
        find_hidden(archive, found)?;
        let mut directories = BTreeMap::<String, BTreeMap<String, ObjectMeta>>::new();
        let objects: Vec<_> = archive.store.list(None).try_collect().await?;
        for object in objects {
            let key = object.location.to_string();
            if let Some(secret) = secrets.find(key.as_bytes()) {
                found.secrets.push(format!("`{secret}` in a key: {key}"));
            }
            let (directory, name) = key.rsplit_once('/').unwrap_or(("", &key));
            if key.split('/').any(|segment| segment == STAGING) {
                // A test object of the worker stays in none of its ways.
                found.staged.push(format!("{}/{key}", archive.name));
                continue;
            }
            let objects = directories.entry(directory.to_owned()).or_default();
            objects.insert(name.to_owned(), object);
        }
        for (directory, objects) in directories {
            let id = directory.rsplit('/').next().unwrap_or_default();
            if !tasks.iter().any(|task| task.id == id) {
                let keys: Vec<_> = objects.keys().collect();
                let finding = format!("{}/{directory}: {keys:?} of no task", archive.name);
                found.duplicate.push(finding);
                continue;
            }
            let path = directory.strip_prefix(archive.prefix).unwrap_or(&directory);
            all.entry(id.to_owned()).or_default().push(Directory {
                archive: archive.clone(),
                path: path.trim_start_matches('/').to_owned(),
                objects,
            });
        }
    }
    Ok(all)
}

/// Finds the files of an archive that its store does not list. `clean` removes those of attempts.
fn find_hidden(archive: &Archive, found: &mut Found) -> anyhow::Result<()> {
    let Some(directory) = &archive.directory else {
        return Ok(());
    };
    let files = hidden::files(directory);
    for file in files.with_context(|| format!("cannot read {}", directory.display()))? {
        match file.starts_with(directory.join(STAGING)) {
            true => found.staged.push(file.display().to_string()),
            false => found.unlinked += 1,
        }
    }
    Ok(())
}

async fn check_task(
    basis: &Basis<'_>,
    task: &Task,
    directories: Vec<Directory>,
    found: &mut Found,
) -> anyhow::Result<()> {
    let ending = basis.endings.get(&task.id).and_then(|runs| runs.last());
    let is_archived = ending.is_some_and(|ending| has_outcome(ending, outcome::ARCHIVED));
    let truth = task::Truth::of(basis.world, task, basis.has_other_version);
    let mut stored = Vec::new();
    for directory in directories {
        let objects = read(&directory).await?;
        for (name, object) in &objects {
            if truth.is(object) {
                continue;
            }
            if let Some(secret) = basis.secrets.find(object) {
                let finding = format!("{}: `{secret}` in {name}", task.id);
                found.secrets.push(finding);
            }
        }
        let problem = truth.planned.check_directory(&directory.path);
        found.unplanned.extend(problem);
        stored.push(Stored {
            archive: directory.archive.name,
            directory: directory.path,
            objects,
        });
    }
    let receipt = task::receipt(&stored);
    let returned = basis.receipts.get(&task.id).into_iter().flatten();
    let problems = returned.filter_map(|it| it.problem(&receipt));
    found.other_receipts.extend(problems);
    match ending.filter(|_| is_archived) {
        Some(ending) => {
            let findings = task::archived(&task.id, &truth, &stored);
            found.equal += u64::from(findings.corrupt.is_empty());
            found.corrupt.extend(findings.corrupt);
            found.duplicate.extend(findings.duplicate);
            found.misplaced.extend(findings.misplaced);
            found.unplanned.extend(findings.unplanned);
            if findings.lacks_frame {
                found.without_frame += 1;
                found.lost_frames.extend(lost_frame(basis, task, ending));
            }
        }
        None => {
            let is_unsuccessful = ending.is_some_and(|it| has_outcome(it, outcome::UNSUCCESSFUL));
            let records = task::records(&task.id, &truth.served, &stored, is_unsuccessful);
            found.corrupt.extend(records);
            found
                .duplicate
                .extend(task::not_archived(&task.id, &stored));
        }
    }
    if let Some(ending) = ending.filter(|_| !is_archived) {
        let records = stored.iter().filter_map(|it| it.objects.get(OUTCOME));
        let records: Vec<_> = records.map(Vec::as_slice).collect();
        let problem = outcomes::check(ending, &records, !basis.has_other_version);
        found.outcomes.extend(problem);
    }
    Ok(())
}

/// Returns the finding if the last frame of a video could be had that was archived without it.
fn lost_frame(basis: &Basis<'_>, task: &Task, ending: &Ending) -> Option<String> {
    let ended_at = ending.last_activity.as_ref()?.completed_at;
    // Version 0.1.0 counts attempts that failed for another reason.
    let is_lost = !basis.has_other_version && frames::could_be_had(task, ended_at, basis.links);
    is_lost.then(|| format!("{}: no last frame", task.id))
}

fn has_outcome(ending: &Ending, expected: &str) -> bool {
    matches!(&ending.end, End::Result { outcome, .. } if outcome == expected)
}

async fn read(directory: &Directory) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut objects = BTreeMap::new();
    for (name, object) in &directory.objects {
        let bytes = read_object(&directory.archive, &object.location).await?;
        objects.insert(name.clone(), bytes);
    }
    Ok(objects)
}

async fn read_object(archive: &Archive, key: &Path) -> anyhow::Result<Vec<u8>> {
    let failed = || format!("cannot read {}/{key}", archive.name);
    let object = archive.store.get(key).await.with_context(failed)?;
    Ok(object.bytes().await.with_context(failed)?.to_vec())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::local::LocalFileSystem;

    use super::*;
    use crate::chaos::{cleaning, world::AllSecrets};

    #[tokio::test]
    async fn planted_leftovers_and_secrets_in_keys_are_found() {
        let directory = tempfile::tempdir().unwrap();
        let store = LocalFileSystem::new_with_prefix(directory.path()).unwrap();
        for prefix in ["", "videos"] {
            let archive = Archive {
                name: "disk",
                prefix,
                store: Arc::new(store.clone()),
                directory: None,
            };
            cleaning::plant(&[archive]).await.unwrap();
        }
        let archives = [Archive {
            name: "disk",
            prefix: "",
            store: Arc::new(store),
            directory: Some(directory.path().to_owned()),
        }];
        cleaning::plant(&archives).await.unwrap();
        std::fs::write(directory.path().join("task.json#1"), "{}").unwrap();
        let mut found = Found::default();
        let secrets = secrets::Finder::new(AllSecrets {
            words: vec!["planted-8f14e45f".to_owned()],
            ..AllSecrets::default()
        });
        let directories = read_directories(&archives, &[], &secrets, &mut found);
        assert!(directories.await.unwrap().is_empty());
        assert_eq!(found.secrets.len(), 2, "{:?}", found.secrets);
        assert_eq!(found.staged.len(), 3, "{:?}", found.staged);
        assert_eq!(found.unlinked, 1);
    }
}
