//! Reads the receipts of an archive, and the prompts in the task records beside them.

use std::{cmp::Reverse, fmt, time::SystemTime};

use futures::{FutureExt, TryStreamExt, future};
use object_store::{ObjectStoreExt, path::Path};
use seedance_archiver_proto::{names, v1::Manifest};
use serde::Serialize;
use serde_json::Value;

use crate::{
    archive::{
        Archive, Error,
        audit::{self, StoredReceipt},
        receipt,
    },
    seedance::{MAX_RECORD, read_json},
};

/// Maximum number of task records that are read concurrently.
const READ_CONCURRENCY: usize = 32;

/// An archived video.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Video {
    /// Key of the receipt.
    pub(super) key: Path,
    /// The receipt.
    pub(super) manifest: Manifest,
    /// The prompt, empty if the task record has none. Untrusted text.
    pub(super) prompt: String,
}

impl Video {
    /// Returns the keys of the receipt and of each file that it names.
    pub(super) fn keys(&self) -> impl Iterator<Item = Path> {
        let objects = self.manifest.objects.iter();
        let files = objects.map(|object| receipt::beside(&self.key, &object.name));
        std::iter::once(self.key.clone()).chain(files)
    }

    /// Newest first.
    fn sort_key(&self) -> (Reverse<i64>, &str) {
        (Reverse(self.manifest.task_created_at), self.key.as_ref())
    }
}

/// A receipt that could not be read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnreadableReceipt {
    /// Key of the receipt.
    pub receipt: String,
    /// The problem: a predicate after the key, e.g. `has no task id`.
    pub problem: String,
}

impl From<audit::UnreadableReceipt> for UnreadableReceipt {
    fn from(unreadable: audit::UnreadableReceipt) -> Self {
        Self {
            receipt: unreadable.key.to_string(),
            problem: unreadable.problem,
        }
    }
}

impl fmt::Display for UnreadableReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.receipt, self.problem)
    }
}

/// The contents of an archive.
#[derive(Clone, Debug, Default)]
pub(super) struct Collected {
    /// The videos, newest first.
    pub(super) videos: Vec<Video>,
    pub(super) unreadable: Vec<UnreadableReceipt>,
}

impl Collected {
    /// Returns the total size of the videos' files.
    pub(super) fn bytes(&self) -> u64 {
        let objects = self.videos.iter().flat_map(|it| &it.manifest.objects);
        objects
            .map(|object| u64::try_from(object.size_bytes).unwrap_or_default())
            .sum()
    }
}

/// Reads every receipt that was written after `since`. Calls `on_read` with the number of receipts read
/// so far.
///
/// # Errors
///
/// Returns an error if the archive cannot be listed, because a page with only some of the videos must not replace a
/// complete one. A receipt that cannot be read does not end the others.
pub(super) async fn collect(
    archive: &Archive,
    since: Option<SystemTime>,
    on_read: impl Fn(usize),
) -> Result<Collected, Error> {
    let videos = audit::read_receipts(archive, since)
        .try_filter(|read| future::ready(!is_erased(read)))
        .map_ok(|read| video(archive, read).map(Ok))
        .try_buffer_unordered(READ_CONCURRENCY);
    tokio::pin!(videos);
    let mut collected = Collected::default();
    while let Some(video) = videos.try_next().await? {
        match video {
            Ok(video) => collected.videos.push(video),
            Err(unreadable) => collected.unreadable.push(unreadable),
        }
        on_read(collected.videos.len() + collected.unreadable.len());
    }
    collected
        .videos
        .sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    collected
        .unreadable
        .sort_by(|a, b| a.receipt.cmp(&b.receipt));
    Ok(collected)
}

fn is_erased(read: &Result<StoredReceipt, audit::UnreadableReceipt>) -> bool {
    read.as_ref().is_ok_and(|stored| stored.is_erased)
}

/// Adds the prompt to a receipt.
async fn video(
    archive: &Archive,
    read: Result<StoredReceipt, audit::UnreadableReceipt>,
) -> Result<Video, UnreadableReceipt> {
    let StoredReceipt { key, manifest, .. } = read?;
    let prompt = prompt(archive, &receipt::beside(&key, names::TASK)).await;
    Ok(Video {
        key,
        manifest,
        prompt,
    })
}

/// Returns the prompt in a task record. It is empty if the record is missing, cannot be read, or is larger than any record.
async fn prompt(archive: &Archive, record: &Path) -> String {
    let read = async {
        let object = archive.store.get(record).await.ok()?;
        if object.meta.size > MAX_RECORD as u64 {
            return None;
        }
        read_json(&object.bytes().await.ok()?)
    };
    read.await
        .map(|record: Value| prompt_in(&record))
        .unwrap_or_default()
}

/// Returns the first prompt in the fields that services and gateways use for it.
fn prompt_in(record: &Value) -> String {
    let texts = record["content"].as_array().into_iter().flatten();
    let candidates = [&record["revised_prompt"], &record["prompt"]]
        .into_iter()
        .chain(texts.map(|part| &part["text"]));
    let mut prompts = candidates.filter_map(Value::as_str).map(str::trim);
    prompts
        .find(|prompt| !prompt.is_empty())
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_prompt_is_read_from_each_field_that_services_use() {
        for (record, prompt) in [
            (json!({"revised_prompt": "a", "prompt": "b"}), "a"),
            (json!({"revised_prompt": " ", "prompt": "b"}), "b"),
            (
                json!({"content": [{"type": "image_url"}, {"type": "text", "text": "c"}]}),
                "c",
            ),
            (json!({"content": {"video_url": "https://a.example"}}), ""),
            (json!({"prompt": {"text": "d"}}), ""),
            (json!([]), ""),
        ] {
            assert_eq!(prompt_in(&record), prompt, "{record}");
        }
    }
}
