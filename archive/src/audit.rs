//! Looks whether an archive still holds what its receipts say, and what was never published.

use std::{path::PathBuf, time::SystemTime};

use futures::{Stream, StreamExt, TryStreamExt, future, stream};
use object_store::{ObjectMeta, ObjectStoreExt, path::Path};
use seedance_archiver_proto::{names, v1::ArchivedObject};
use serde::Serialize;

use super::{
    Archive, Error, OpenUpload, error::found, open_uploads, publish, receipt, staging::STAGING,
};

/// Receipts that are looked at together.
const AT_ONCE: usize = 8;

/// Something that is not as a receipt says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Key of the receipt.
    pub receipt: String,
    /// File name of the object; the receipt's own where it cannot be read.
    pub object: String,
    /// What is wrong.
    pub problem: String,
}

/// What was found of one receipt.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// Objects that it names.
    pub objects: usize,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Key of every receipt that was written since then.
pub fn receipts(
    archive: &Archive,
    since: Option<SystemTime>,
) -> impl Stream<Item = Result<Path, Error>> {
    let staging = archive.place.clone().join(STAGING);
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

/// Verifies every receipt that was written since then. `deep` reads all bytes; otherwise sizes are
/// compared.
pub fn verify(
    archive: &Archive,
    since: Option<SystemTime>,
    deep: bool,
) -> impl Stream<Item = Result<Verified, Error>> {
    receipts(archive, since)
        .map_ok(move |key| verify_receipt(archive, key, deep))
        .try_buffer_unordered(AT_ONCE)
}

fn is_since(object: &ObjectMeta, since: Option<SystemTime>) -> bool {
    since.is_none_or(|since| SystemTime::from(object.last_modified) >= since)
}

async fn verify_receipt(archive: &Archive, key: Path, deep: bool) -> Result<Verified, Error> {
    let finding = |object: &str, problem: String| Finding {
        receipt: key.to_string(),
        object: object.to_owned(),
        problem,
    };
    let manifest = match receipt::find(archive, &key).await {
        Ok(manifest) => manifest.unwrap_or_default(),
        Err(Error::Corrupt(problem)) => {
            return Ok(Verified {
                objects: 0,
                findings: vec![finding(names::MANIFEST, problem)],
            });
        }
        Err(error) => return Err(error),
    };
    let findings = stream::iter(&manifest.objects)
        .then(|object| async {
            let problem = problem_of(archive, &key, object, deep).await?;
            Ok::<_, Error>(problem.map(|problem| finding(&object.name, problem)))
        })
        .try_filter_map(future::ok)
        .try_collect();
    Ok(Verified {
        objects: manifest.objects.len(),
        findings: findings.await?,
    })
}

/// What is wrong with an object beside a receipt.
async fn problem_of(
    archive: &Archive,
    key: &Path,
    object: &ArchivedObject,
    deep: bool,
) -> Result<Option<String>, Error> {
    let beside = receipt::beside(key, &object.name);
    let Some(stored) = found(archive.store.head(&beside).await)? else {
        return Ok(Some("is missing".to_owned()));
    };
    if i64::try_from(stored.size) != Ok(object.size_bytes) {
        let (is, was) = (stored.size, object.size_bytes);
        return Ok(Some(format!("has {is} bytes, and had {was}")));
    }
    if deep {
        let sha256 = publish::sha256_of(archive.store.as_ref(), &beside).await?;
        if sha256 != object.sha256 {
            let was = &object.sha256;
            return Ok(Some(format!("has the SHA-256 {sha256}, and had {was}")));
        }
    }
    Ok(None)
}

/// What attempts at a transfer have left behind, from before then.
#[derive(Clone, Debug, Default)]
pub struct Staged {
    /// Whole objects that were never published.
    pub objects: Vec<ObjectMeta>,
    /// Files of uploads that were never completed, in a local archive.
    pub files: Vec<PathBuf>,
    /// Uploads that were never completed, to a bucket that tells.
    pub uploads: Vec<OpenUpload>,
}

/// Looks for them.
pub async fn staged(archive: &Archive, before: SystemTime) -> Result<Staged, Error> {
    let folder = archive.place.clone().join(STAGING);
    let objects: Vec<ObjectMeta> = archive.store.list(Some(&folder)).try_collect().await?;
    let is_old = |object: &ObjectMeta| SystemTime::from(object.last_modified) <= before;
    let mut staged = Staged {
        objects: objects.into_iter().filter(is_old).collect(),
        ..Staged::default()
    };
    if let Some(folder) = archive.directory() {
        find_uploads(&folder.join(STAGING), before, &mut staged.files);
    }
    if let Some(signer) = &archive.signer {
        staged.uploads = open_uploads::list(signer.as_ref(), &archive.root).await?;
        staged.uploads.retain(|upload| upload.begun <= before);
    }
    Ok(staged)
}

/// Aborts an upload that was never completed.
pub async fn abort(archive: &Archive, upload: &OpenUpload) -> Result<(), Error> {
    if let Some(store) = &archive.parts {
        store.abort_multipart(&upload.key, &upload.id).await?;
    }
    Ok(())
}

/// An upload is a file with `#` and a number behind its name, which the store does not list. What
/// cannot be read is left alone.
fn find_uploads(folder: &std::path::Path, before: SystemTime, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            find_uploads(&path, before, found);
            continue;
        }
        let is_upload = entry.file_name().to_string_lossy().contains('#');
        let modified = entry.metadata().and_then(|it| it.modified());
        if is_upload && modified.is_ok_and(|modified| modified <= before) {
            found.push(path);
        }
    }
}
