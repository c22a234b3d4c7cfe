//! The videos of an archive, from their receipts and the records beside them.

use std::{fmt, time::SystemTime};

use futures::{TryStreamExt, future};
use object_store::{ObjectStoreExt, path::Path};
use seedance_archiver_proto::{names, v1::Manifest};
use serde::Serialize;
use serde_json::Value;

use crate::archive::{Archive, Error, audit, receipt};

/// Videos that are read together: each is two requests.
const AT_ONCE: usize = 32;

/// A video that the archive holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Video {
    /// Key of its receipt.
    pub(super) key: Path,
    /// Its receipt.
    pub(super) manifest: Manifest,
    /// What it was made from, where its record says. Text from elsewhere.
    pub(super) prompt: String,
}

impl Video {
    /// The receipt and each file that it names.
    pub(super) fn keys(&self) -> impl Iterator<Item = Path> {
        let objects = self.manifest.objects.iter();
        let files = objects.map(|object| receipt::beside(&self.key, &object.name));
        std::iter::once(self.key.clone()).chain(files)
    }

    fn order(&self) -> (i64, &str) {
        (-self.manifest.task_created_at, self.key.as_ref())
    }
}

/// A receipt that cannot be read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unreadable {
    /// Its key.
    pub receipt: String,
    /// What is wrong with it, as the end of a sentence.
    pub problem: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.receipt, self.problem)
    }
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Collected {
    /// The videos, the newest first.
    pub(super) videos: Vec<Video>,
    /// What is not among them.
    pub(super) unreadable: Vec<Unreadable>,
}

impl Collected {
    /// Bytes of all files.
    pub(super) fn bytes(&self) -> u64 {
        let objects = self.videos.iter().flat_map(|it| &it.manifest.objects);
        objects
            .map(|object| u64::try_from(object.size_bytes).unwrap_or_default())
            .sum()
    }
}

/// Reads every receipt that was written since then, and tells after each how many were read.
pub(super) async fn collect(
    archive: &Archive,
    since: Option<SystemTime>,
    progress: impl Fn(usize),
) -> Result<Collected, Error> {
    let read = audit::receipts(archive, since)
        .map_ok(|key| read(archive, key))
        .try_buffer_unordered(AT_ONCE);
    tokio::pin!(read);
    let mut collected = Collected::default();
    while let Some(found) = read.try_next().await? {
        match found {
            Ok(video) => collected.videos.push(video),
            Err(unreadable) => collected.unreadable.push(unreadable),
        }
        progress(collected.videos.len() + collected.unreadable.len());
    }
    collected.videos.sort_by(|a, b| a.order().cmp(&b.order()));
    collected
        .unreadable
        .sort_by(|a, b| a.receipt.cmp(&b.receipt));
    Ok(collected)
}

/// A store that is down ends it: a page with half the videos must not replace a whole one.
async fn read(archive: &Archive, key: Path) -> Result<Result<Video, Unreadable>, Error> {
    let record = receipt::beside(&key, names::TASK);
    let (manifest, prompt) =
        future::join(receipt::find(archive, &key), prompt(archive, &record)).await;
    let problem = match manifest {
        Ok(Some(manifest)) if manifest.task_id.is_empty() => "names no task".to_owned(),
        Ok(Some(manifest)) => {
            return Ok(Ok(Video {
                key,
                manifest,
                prompt,
            }));
        }
        Ok(None) => "is gone".to_owned(),
        Err(Error::InvalidRecord(problem)) => problem
            .strip_prefix(&format!("{key} "))
            .unwrap_or(&problem)
            .to_owned(),
        Err(Error::Store(error @ object_store::Error::PermissionDenied { .. })) => {
            format!("cannot be read: {error}")
        }
        Err(error) => return Err(error),
    };
    Ok(Err(Unreadable {
        receipt: key.to_string(),
        problem,
    }))
}

/// The prompt that a record has. A record is not needed: one that cannot be read has none.
async fn prompt(archive: &Archive, record: &Path) -> String {
    let read = async {
        let json = archive.store.get(record).await.ok()?.bytes().await.ok()?;
        serde_json::from_slice(&json).ok()
    };
    read.await
        .map(|record: Value| prompt_in(&record))
        .unwrap_or_default()
}

/// As the service rewrote it, or as some gateways keep it.
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
    fn a_prompt_is_found_where_services_keep_it() {
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
