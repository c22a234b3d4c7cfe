//! The record of a task, `task.json`.

use object_store::UpdateVersion;
use seedance_archiver_proto::{names, status, v1::ArchivedObject};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::json::{self, Stored};
use crate::{Archive, Error, Layout};

/// The `task.json` in the store.
pub(crate) enum StoredRecord {
    Missing,
    /// A record that must not be replaced, as its receipt entry.
    Current(ArchivedObject),
    /// A record of a task that had not succeeded.
    Outdated(UpdateVersion),
}

/// Reads `task.json`.
pub(crate) async fn find_task(archive: &Archive, layout: &Layout) -> Result<StoredRecord, Error> {
    let key = layout.task();
    Ok(match json::read(archive, &key).await? {
        None => StoredRecord::Missing,
        Some(stored) if is_outdated(&stored.json) => StoredRecord::Outdated(stored.version),
        Some(stored) => StoredRecord::Current(entry(archive, layout, &stored)),
    })
}

/// Writes `task.json` and returns its receipt entry. Replaces the version `outdated`, but no other one. If another
/// attempt wrote the file first, returns the entry for that file.
pub(crate) async fn write_task(
    archive: &Archive,
    layout: &Layout,
    task: &str,
    outdated: Option<UpdateVersion>,
) -> Result<ArchivedObject, Error> {
    let key = layout.task();
    let json = task.as_bytes().to_vec();
    match json::put(archive, &key, json.clone(), outdated).await {
        Ok(version) => {
            let stored = Stored {
                json: json.into(),
                version: version.into(),
            };
            Ok(entry(archive, layout, &stored))
        }
        Err(error) if error.is_already_exists() => {
            let stored = json::read(archive, &key).await?.ok_or(error)?;
            Ok(entry(archive, layout, &stored))
        }
        Err(error) => Err(error),
    }
}

/// Writes `task.json`, unless there is one that must not be replaced.
pub(super) async fn write(archive: &Archive, layout: &Layout, task: &str) -> Result<(), Error> {
    let outdated = match find_task(archive, layout).await? {
        StoredRecord::Current(_) => return Ok(()),
        StoredRecord::Outdated(version) => Some(version),
        StoredRecord::Missing => None,
    };
    write_task(archive, layout, task, outdated).await.map(drop)
}

/// Returns whether a record is of a task that had not succeeded. An archival writes only the record of a succeeded task,
/// so that no writer replaces what a receipt names.
fn is_outdated(json: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Record {
        status: String,
    }
    let record: Result<Record, _> = serde_json::from_slice(json);
    let is_unfinished = |status: &str| status != status::SUCCEEDED && status::ALL.contains(&status);
    record.is_ok_and(|record| is_unfinished(&record.status))
}

fn entry(archive: &Archive, layout: &Layout, stored: &Stored) -> ArchivedObject {
    ArchivedObject {
        name: names::TASK.to_owned(),
        url: archive.url_of(&layout.task()),
        size_bytes: stored.json.len() as i64,
        sha256: hex::encode(Sha256::digest(&stored.json)),
        content_type: json::FORMAT.content_type.to_owned(),
        etag: stored.version.e_tag.clone().unwrap_or_default(),
        version: stored.version.version.clone().unwrap_or_default(),
        checks: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_record_of_a_task_that_had_not_succeeded_is_outdated() {
        for (json, expected) in [
            (r#"{"status": "queued"}"#, true),
            (r#"{"status": "expired", "id": 1}"#, true),
            (r#"{"status": "succeeded"}"#, false),
            (r#"{"status": "DONE"}"#, false),
            (r#"{"status": 3}"#, false),
            (r#"{"data": {"status": "queued"}}"#, false),
            ("", false),
        ] {
            assert_eq!(is_outdated(json.as_bytes()), expected, "{json}");
        }
    }
}
