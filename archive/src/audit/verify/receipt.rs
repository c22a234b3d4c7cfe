//! Verifies one receipt.

use object_store::{GetOptions, GetResult, path::Path};
use seedance_archiver_proto::{
    names,
    v1::{ArchivedObject, Manifest},
};

use crate::{
    Archive, Error,
    audit::{
        listing::{self, LOST, Listed},
        observer::Observer,
        verified::{Finding, FindingKind, Verified},
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
    Listed {
        key,
        size,
        is_erased,
    }: Listed,
    deep: bool,
    observer: &dyn Observer,
) -> Verified {
    let manifest = match read(archive, &key, size).await {
        Ok(Some(manifest)) => manifest,
        Ok(None) => return absent(archive, key).await,
        Err(error) => return not_read(key, error),
    };
    if is_erased {
        let problem = erasure_problem(archive, &key, &manifest).await;
        return Verified {
            objects: manifest.objects.len(),
            bytes: 0,
            findings: vec![problem.of(&key, names::ERASED)],
            key,
        };
    }
    let mut bytes = 0;
    let mut findings = Vec::new();
    for object in &manifest.objects {
        let checked = check(archive, &key, object, deep, observer).await;
        match checked.unwrap_or_else(|error| Checked::Problem(unreadable(&error))) {
            Checked::Intact { bytes_read } => bytes += bytes_read,
            Checked::Problem(problem) => findings.push(problem.of(&key, &object.name)),
        }
    }
    Verified {
        key,
        objects: manifest.objects.len(),
        bytes,
        findings,
    }
}

/// Returns the result for a receipt that cannot be read.
pub(super) fn not_read(key: Path, error: Error) -> Verified {
    let problem = match error {
        Error::InvalidRecord(text) => Problem::new(FindingKind::InvalidReceipt, text),
        error => unreadable(&error),
    };
    without_objects(key, Some(problem))
}

/// Returns the result for a receipt that does not exist, although it was listed.
async fn absent(archive: &Archive, key: Path) -> Verified {
    match listing::is_listed(archive, &key).await {
        Ok(false) => without_objects(key, None),
        Ok(true) => without_objects(key, Some(Problem::new(FindingKind::Missing, LOST))),
        Err(error) => not_read(key, error),
    }
}

fn without_objects(key: Path, problem: Option<Problem>) -> Verified {
    let finding = problem.map(|problem| problem.of(&key, names::MANIFEST));
    Verified {
        objects: 0,
        bytes: 0,
        findings: finding.into_iter().collect(),
        key,
    }
}

/// Returns the problem of a tombstone beside a receipt, whose objects may be deleted.
async fn erasure_problem(archive: &Archive, key: &Path, manifest: &Manifest) -> Problem {
    let tombstone = receipt::beside(key, names::ERASED);
    let task_id = &manifest.task_id;
    let text = match receipt::find_tombstone_at(archive, &tombstone, task_id).await {
        Ok(Some(_)) => format!(
            "says that task `{task_id}` was erased, but the receipt exists: the erasure was interrupted; run \
             `seedance-archiver erase` again"
        ),
        Ok(None) => format!("is not a tombstone of task `{task_id}`; move it elsewhere"),
        Err(error) => return unreadable(&error),
    };
    Problem::new(FindingKind::Tombstone, text)
}

/// Reads a receipt of the listed size. Returns `None` if it does not exist.
async fn read(archive: &Archive, key: &Path, size: u64) -> Result<Option<Manifest>, Error> {
    // Do not read an object of any size into memory.
    receipt::check_size(key, size)?;
    receipt::find(archive, key).await
}

/// A difference between a receipt and an object.
struct Problem {
    kind: FindingKind,
    text: String,
}

impl Problem {
    fn new(kind: FindingKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }

    /// Returns the finding about an object of a receipt.
    fn of(self, receipt: &Path, object: &str) -> Finding {
        Finding {
            receipt: receipt.to_string(),
            object: object.to_owned(),
            kind: self.kind,
            problem: self.text,
        }
    }
}

/// The result of comparing an object with its entry in a receipt.
enum Checked {
    Intact { bytes_read: u64 },
    Problem(Problem),
}

/// Returns the problem of an object that exists and cannot be read.
fn unreadable(error: &Error) -> Problem {
    let text = error.to_string();
    match ARCHIVED.iter().find(|code| text.contains(**code)) {
        Some(code) => Problem::new(
            FindingKind::InArchiveTier,
            format!(
                "is in an archive tier of the store ({code}); to verify it, restore it first: on S3 with \
                 `aws s3api restore-object`, on Azure by setting the tier of the blob to Hot or Cool"
            ),
        ),
        None => Problem::new(FindingKind::Unreadable, format!("cannot be read: {text}")),
    }
}

/// Compares an object with its entry in the receipt at `key`.
async fn check(
    archive: &Archive,
    key: &Path,
    object: &ArchivedObject,
    deep: bool,
    observer: &dyn Observer,
) -> Result<Checked, Error> {
    let problem = |kind, text: String| Ok(Checked::Problem(Problem::new(kind, text)));
    let object_key = receipt::beside(key, &object.name);
    let options = GetOptions {
        head: !deep,
        ..GetOptions::default()
    };
    let Some(stored) = optional(archive.store.get_opts(&object_key, options).await)? else {
        return problem(FindingKind::Missing, "is missing".to_owned());
    };
    let size = stored.meta.size;
    if i64::try_from(size) != Ok(object.size_bytes) {
        let expected = object.size_bytes;
        let text = format!("has {size} bytes, expected {expected}");
        return problem(FindingKind::WrongSize, text);
    }
    if !deep {
        return Ok(Checked::Intact { bytes_read: 0 });
    }
    let found = read_digest(archive, stored, observer).await?;
    let expected = &object.sha256;
    if found != *expected {
        let text = format!("has SHA-256 {found}, expected {expected}");
        return problem(FindingKind::WrongDigest, text);
    }
    Ok(Checked::Intact { bytes_read: size })
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
