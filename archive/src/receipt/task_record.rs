//! The record of a task, `task.json`.

use object_store::UpdateVersion;
use seedance_archiver_proto::{names, status, v1::ArchivedObject};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::json::{self, Stored};
use crate::{Archive, Error, Layout, store::sha256_of};

/// How often an archival puts the record while other writers are faster.
const MAX_PUTS: usize = 3;

/// The `task.json` in the store.
pub(crate) enum StoredRecord {
    /// A record that must not be replaced, as its receipt entry.
    Current(ArchivedObject),
    /// The version of a record of a task that had not succeeded. `None` if there is no record.
    Outdated(Option<UpdateVersion>),
}

/// Reads `task.json`.
pub(crate) async fn find_task(archive: &Archive, layout: &Layout) -> Result<StoredRecord, Error> {
    let key = layout.task();
    let Some(stored) = json::read(archive, &key, json::MAX_RECORD).await? else {
        return Ok(StoredRecord::Outdated(None));
    };
    if is_outdated(&stored.json) {
        return Ok(StoredRecord::Outdated(Some(stored.version)));
    }
    let sha256 = match stored.is_too_large() {
        true => sha256_of(archive.store.as_ref(), &key).await?,
        false => hex::encode(Sha256::digest(&stored.json)),
    };
    let Stored { size, version, .. } = stored;
    let record = entry(archive, layout, size, sha256, version);
    Ok(StoredRecord::Current(record))
}

/// Writes the record of a succeeded task to `task.json` and returns its receipt entry. Replaces the version `outdated`,
/// or what another writer put in its place, unless that must not be replaced: then returns the entry for it.
pub(crate) async fn write_task(
    archive: &Archive,
    layout: &Layout,
    task: &str,
    mut outdated: Option<UpdateVersion>,
) -> Result<ArchivedObject, Error> {
    for _ in 0..MAX_PUTS {
        match put_task(archive, layout, task, outdated).await {
            Err(error) if error.is_already_exists() => {}
            written => return written,
        }
        // The record of another writer may be outdated too. A receipt that named it would not match the next one.
        outdated = match find_task(archive, layout).await? {
            StoredRecord::Current(record) => return Ok(record),
            StoredRecord::Outdated(version) => version,
        };
    }
    Err(Error::already_exists(&layout.task()))
}

/// Writes `task.json`, unless there is one that must not be replaced, or another writer is faster.
pub(super) async fn write(archive: &Archive, layout: &Layout, task: &str) -> Result<(), Error> {
    let outdated = match find_task(archive, layout).await? {
        StoredRecord::Current(_) => return Ok(()),
        StoredRecord::Outdated(version) => version,
    };
    match put_task(archive, layout, task, outdated).await {
        Err(error) if error.is_already_exists() => Ok(()),
        written => written.map(drop),
    }
}

/// Creates `task.json`, or replaces this version of it. Returns its receipt entry.
async fn put_task(
    archive: &Archive,
    layout: &Layout,
    task: &str,
    outdated: Option<UpdateVersion>,
) -> Result<ArchivedObject, Error> {
    let json = task.as_bytes().to_vec();
    let (size, sha256) = (json.len() as u64, hex::encode(Sha256::digest(&json)));
    let put = json::put(archive, &layout.task(), json, outdated).await?;
    Ok(entry(archive, layout, size, sha256, put.into()))
}

/// Returns whether a record is of a task that had not succeeded. An archival writes only the record of a succeeded task,
/// so that no writer replaces what a receipt names. A record whose status is in a word that is not known is not replaced.
fn is_outdated(json: &[u8]) -> bool {
    let Ok(record) = serde_json::from_slice::<Map<String, Value>>(json) else {
        return false;
    };
    let status = status_of(&record).and_then(status::of_word);
    status.is_some_and(|status| status != status::SUCCEEDED)
}

/// Returns the status in the innermost layer that has one, in the words of the service.
fn status_of(layer: &Map<String, Value>) -> Option<&str> {
    let inner = wrapped_in(layer).and_then(status_of);
    inner.or_else(|| status_in(layer))
}

/// Returns the status in a layer.
fn status_in(layer: &Map<String, Value>) -> Option<&str> {
    let mut fields = status::FIELDS.iter();
    fields.find_map(|name| match layer.get(*name)? {
        Value::String(word) if !word.is_empty() => Some(word.as_str()),
        // A number counts as a word, and none is known.
        Value::Number(_) => Some(""),
        _ => None,
    })
}

/// Returns the object that a layer wraps. Records that could not be taken out of their wrappers are stored as received.
fn wrapped_in(layer: &Map<String, Value>) -> Option<&Map<String, Value>> {
    let mut wrappers = status::WRAPPERS.iter();
    wrappers.find_map(|name| layer.get(*name)?.as_object())
}

fn entry(
    archive: &Archive,
    layout: &Layout,
    size: u64,
    sha256: String,
    version: UpdateVersion,
) -> ArchivedObject {
    ArchivedObject {
        name: names::TASK.to_owned(),
        url: archive.url_of(&layout.task()),
        size_bytes: size as i64,
        sha256,
        content_type: json::FORMAT.content_type.to_owned(),
        etag: version.e_tag.unwrap_or_default(),
        version: version.version.unwrap_or_default(),
        checks: Vec::new(),
        has_c2pa_manifest: None,
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
            (r#"{"status": "IN_PROGRESS"}"#, true),
            (r#"{"status": "FAILED"}"#, true),
            (r#"{"status": "processing"}"#, true),
            (r#"{"status": "", "task_status": "submitted"}"#, true),
            (
                r#"{"status": null, "taskStatus": "TASK_STATUS_PROCESSING"}"#,
                true,
            ),
            (r#"{"state": "in queue"}"#, true),
            (r#"{"Status": "timed_out"}"#, true),
            (r#"{"status": "succeeded"}"#, false),
            (r#"{"status": "SUCCEEDED", "state": "running"}"#, false),
            (r#"{"task_status": "succeed"}"#, false),
            (r#"{"status": "Reviewing"}"#, false),
            (r#"{"status": 3, "state": "running"}"#, false),
            (r#"{"status": "DONE"}"#, false),
            (r#"{"status": 3}"#, false),
            (r#"{"data": {"status": "queued"}}"#, true),
            (
                r#"{"status": "ok", "data": {"data": {"status": "running"}}}"#,
                true,
            ),
            (r#"{"status": "queued", "output": {"seed": 7}}"#, true),
            (
                r#"{"state": "active", "data": {"status": "succeeded"}}"#,
                false,
            ),
            (
                r#"{"status": "queued", "data": {"status": "Reviewing"}}"#,
                false,
            ),
            ("", false),
        ] {
            assert_eq!(is_outdated(json.as_bytes()), expected, "{json}");
        }
    }
}
