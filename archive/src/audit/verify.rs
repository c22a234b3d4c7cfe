//! Verifies the objects of an archive against their receipts.

use std::time::SystemTime;

use futures::{FutureExt, Stream, StreamExt, TryStreamExt, future, stream};
use object_store::{ObjectMeta, ObjectStoreExt, path::Path};
use seedance_archiver_proto::{names, v1::ArchivedObject};
use serde::Serialize;

use crate::{Archive, Error, error::optional, keys::STAGING, receipt, store::sha256_of};

/// Maximum number of receipts that are verified concurrently.
const CONCURRENCY: usize = 8;

/// A difference between a receipt and the archive.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Key of the receipt.
    pub receipt: String,
    /// File name of the object, or `manifest.json` if the receipt is unreadable.
    pub object: String,
    /// The difference, as text that completes "`object` …".
    pub problem: String,
}

/// The result of verifying one receipt.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// Number of objects in the receipt.
    pub objects: usize,
    /// The differences. Empty if the receipt is valid.
    pub findings: Vec<Finding>,
}

/// Lists the keys of all receipts, or of those written at `since` or later.
pub fn receipts(
    archive: &Archive,
    since: Option<SystemTime>,
) -> impl Stream<Item = Result<Path, Error>> {
    let staging = archive.url_prefix.clone().join(STAGING);
    archive
        .store
        .list(Some(&archive.root))
        .map_err(Error::from)
        .try_filter(move |object| {
            let is_receipt = object.location.filename() == Some(names::MANIFEST)
                && !object.location.prefix_matches(&staging);
            future::ready(is_receipt && is_since(object, since))
        })
        .map_ok(|object| object.location)
}

/// Verifies all receipts, or those written at `since` or later. Compares the size of each object and, if `deep` is
/// set, reads the object and compares its SHA-256.
///
/// A receipt or an object that cannot be read is a finding. An error of the stream means that some receipts were not
/// listed; the others follow.
pub fn verify(
    archive: &Archive,
    since: Option<SystemTime>,
    deep: bool,
) -> impl Stream<Item = Result<Verified, Error>> {
    receipts(archive, since)
        .map_ok(move |key| verify_receipt(archive, key, deep).map(Ok))
        .try_buffer_unordered(CONCURRENCY)
}

fn is_since(object: &ObjectMeta, since: Option<SystemTime>) -> bool {
    since.is_none_or(|since| SystemTime::from(object.last_modified) >= since)
}

async fn verify_receipt(archive: &Archive, key: Path, deep: bool) -> Verified {
    let finding = |object: &str, problem: String| Finding {
        receipt: key.to_string(),
        object: object.to_owned(),
        problem,
    };
    let manifest = match receipt::find(archive, &key).await {
        Ok(manifest) => manifest.unwrap_or_default(),
        Err(error) => {
            let problem = match error {
                Error::InvalidRecord(problem) => problem,
                error => unreadable(&error),
            };
            return Verified {
                objects: 0,
                findings: vec![finding(names::MANIFEST, problem)],
            };
        }
    };
    let findings = stream::iter(&manifest.objects)
        .then(|object| async {
            let problem = find_problem(archive, &key, object, deep).await;
            let problem = problem.unwrap_or_else(|error| Some(unreadable(&error)));
            problem.map(|problem| finding(&object.name, problem))
        })
        .filter_map(future::ready)
        .collect();
    Verified {
        objects: manifest.objects.len(),
        findings: findings.await,
    }
}

/// Codes of S3 and Azure for an object whose bytes are in an archive tier.
const ARCHIVED: [&str; 2] = ["InvalidObjectState", "BlobArchived"];

/// Returns the problem of an object that exists and cannot be read.
fn unreadable(error: &Error) -> String {
    let text = error.to_string();
    match ARCHIVED.iter().find(|code| text.contains(**code)) {
        Some(code) => format!(
            "is in an archive tier of the store ({code}); to verify it, restore it first: on S3 with \
             `aws s3api restore-object`, on Azure by setting the tier of the blob to Hot or Cool"
        ),
        None => format!("cannot be read: {text}"),
    }
}

/// Returns the difference between an object and its entry in the receipt at `key`, if any.
async fn find_problem(
    archive: &Archive,
    key: &Path,
    object: &ArchivedObject,
    deep: bool,
) -> Result<Option<String>, Error> {
    let object_key = receipt::beside(key, &object.name);
    let Some(stored) = optional(archive.store.head(&object_key).await)? else {
        return Ok(Some("is missing".to_owned()));
    };
    if i64::try_from(stored.size) != Ok(object.size_bytes) {
        let (found, expected) = (stored.size, object.size_bytes);
        return Ok(Some(format!("has {found} bytes, expected {expected}")));
    }
    if deep {
        let found = sha256_of(archive.store.as_ref(), &object_key).await?;
        if found != object.sha256 {
            let expected = &object.sha256;
            return Ok(Some(format!("has SHA-256 {found}, expected {expected}")));
        }
    }
    Ok(None)
}
