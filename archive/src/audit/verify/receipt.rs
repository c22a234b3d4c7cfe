//! Verifies one receipt.

use futures::{StreamExt, future, stream};
use object_store::{GetOptions, GetResult, path::Path};
use seedance_archiver_proto::{
    names,
    v1::{ArchivedObject, Manifest},
};

use crate::{
    Archive, Error,
    audit::{
        listing::Listed,
        observer::Observer,
        verified::{Finding, Verified},
    },
    error::optional,
    receipt,
    store::sha256_of_opened,
};

/// Codes of S3 and Azure for an object whose bytes are in an archive tier.
const ARCHIVED: [&str; 2] = ["InvalidObjectState", "BlobArchived"];

/// Compares the objects of a receipt with their entries.
pub(super) async fn verify(
    archive: &Archive,
    Listed { key, size }: Listed,
    deep: bool,
    observer: &dyn Observer,
) -> Verified {
    let finding = |object: &str, problem: String| Finding {
        receipt: key.to_string(),
        object: object.to_owned(),
        problem,
    };
    let manifest = match read(archive, &key, size).await {
        Ok(manifest) => manifest,
        Err(error) => {
            let problem = match error {
                Error::InvalidRecord(problem) => problem,
                error => unreadable(&error),
            };
            let findings = vec![finding(names::MANIFEST, problem)];
            return Verified {
                key,
                objects: 0,
                findings,
            };
        }
    };
    let findings = stream::iter(&manifest.objects)
        .then(|object| async {
            let problem = find_problem(archive, &key, object, deep, observer).await;
            let problem = problem.unwrap_or_else(|error| Some(unreadable(&error)));
            problem.map(|problem| finding(&object.name, problem))
        })
        .filter_map(future::ready)
        .collect()
        .await;
    Verified {
        key,
        objects: manifest.objects.len(),
        findings,
    }
}

/// Reads a receipt of the listed size. A receipt that was deleted meanwhile has no objects.
async fn read(archive: &Archive, key: &Path, size: u64) -> Result<Manifest, Error> {
    // Do not read an object of any size into memory.
    receipt::check_size(key, size)?;
    Ok(receipt::find(archive, key).await?.unwrap_or_default())
}

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
    observer: &dyn Observer,
) -> Result<Option<String>, Error> {
    let object_key = receipt::beside(key, &object.name);
    let options = GetOptions {
        head: !deep,
        ..GetOptions::default()
    };
    let Some(stored) = optional(archive.store.get_opts(&object_key, options).await)? else {
        return Ok(Some("is missing".to_owned()));
    };
    let size = stored.meta.size;
    if i64::try_from(size) != Ok(object.size_bytes) {
        let expected = object.size_bytes;
        return Ok(Some(format!("has {size} bytes, expected {expected}")));
    }
    if !deep {
        return Ok(None);
    }
    let found = read_digest(archive, stored, observer).await?;
    let expected = &object.sha256;
    Ok((found != *expected).then(|| format!("has SHA-256 {found}, expected {expected}")))
}

/// Reads an object and returns its SHA-256.
async fn read_digest(
    archive: &Archive,
    object: GetResult,
    observer: &dyn Observer,
) -> Result<String, Error> {
    let key = object.meta.location.clone();
    observer.on_open(&key, object.meta.size);
    let on_read = |bytes| observer.on_read(&key, bytes);
    let digest = sha256_of_opened(archive.store.as_ref(), object, on_read).await;
    observer.on_close(&key);
    digest
}
