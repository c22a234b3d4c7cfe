use std::{
    fs::{self, DirEntry},
    iter,
    path::{Path as FilePath, PathBuf},
    time::SystemTime,
};

use futures::StreamExt;
use object_store::ObjectMeta;
use seedance_archiver_proto::names;
use tokio::task::spawn_blocking;

use crate::{
    Archive, StoreError,
    erasure::is_written,
    keys::{STAGING, is_attempt, is_staged, is_staging_in_any_case, is_test_copy, is_upload},
    store::{IncompleteUpload, list_incomplete_uploads},
};

/// Objects, files and uploads that interrupted attempts left behind.
#[derive(Clone, Debug, Default)]
pub struct Leftovers {
    /// Staged objects that were never published, and test objects.
    pub objects: Vec<ObjectMeta>,
    /// Files of uploads that were never completed, and of objects that never got their names, in a local archive.
    pub files: Vec<PathBuf>,
    /// Incomplete multipart uploads, on S3.
    pub uploads: Vec<IncompleteUpload>,
    /// What could not be listed, so that leftovers may be missing.
    pub errors: Vec<String>,
}

/// Finds the leftovers that were last modified at `cutoff` or earlier. Incomplete multipart uploads, the files of unnamed
/// objects and copies of tests are listed under the account's prefix, what was staged under the prefix in the archive URL. A
/// list that fails does not end the others.
///
/// Finds only what has a key as attempts write it: other objects under `.staging/`, and uploads of other programs to the
/// same bucket, are no leftovers.
pub async fn find_leftovers(archive: &Archive, cutoff: SystemTime) -> Leftovers {
    let mut leftovers = Leftovers::default();
    let staging = archive.url_prefix.clone().join(STAGING);
    let mut objects = archive.store.list(Some(&staging));
    while let Some(object) = objects.next().await {
        match object {
            Ok(object) => {
                let is_old = SystemTime::from(object.last_modified) <= cutoff;
                if is_old && is_staged(&archive.url_prefix, &object.location) {
                    leftovers.objects.push(object);
                }
            }
            Err(error) => {
                let error = format!("cannot list staged objects: {}", StoreError(error));
                leftovers.errors.push(error);
            }
        }
    }
    match find_test_copies(archive, cutoff).await {
        Ok(copies) => leftovers.objects.extend(copies),
        Err(error) => {
            let error = format!("cannot list test objects: {}", StoreError(error));
            leftovers.errors.push(error);
        }
    }
    if let Some(directory) = archive.directory() {
        let named = directory.join(archive.root.to_string());
        // Walks all directories of the archive, which takes long on a slow disk.
        let find = move || find_files(&directory.join(STAGING), &named, cutoff);
        match spawn_blocking(find).await {
            Ok(files) => leftovers.files = files,
            Err(error) => leftovers.errors.push(format!("cannot list files: {error}")),
        }
    }
    if let Some(signer) = &archive.upload_list_signer {
        match list_incomplete_uploads(signer.as_ref(), &archive.root).await {
            Ok(uploads) => {
                let is_leftover = |upload: &IncompleteUpload| {
                    upload.started_at <= cutoff && is_upload(&archive.url_prefix, &upload.key)
                };
                leftovers.uploads = uploads.into_iter().filter(is_leftover).collect();
            }
            Err(error) => leftovers.errors.push(error.to_string()),
        }
    }
    leftovers
}

/// Finds the copies of tests of the store that were last modified at `cutoff` or earlier.
async fn find_test_copies(
    archive: &Archive,
    cutoff: SystemTime,
) -> object_store::Result<Vec<ObjectMeta>> {
    let listed = archive
        .store
        .list_with_delimiter(Some(&archive.root))
        .await?;
    let is_leftover = |object: &ObjectMeta| {
        let is_old = SystemTime::from(object.last_modified) <= cutoff;
        is_old && object.location.filename().is_some_and(is_test_copy)
    };
    Ok(listed.objects.into_iter().filter(is_leftover).collect())
}

/// Finds the files of interrupted uploads in `staging`, and of unnamed objects beside those in `named`, that were last
/// modified at `cutoff` or earlier.
fn find_files(staging: &FilePath, named: &FilePath, cutoff: SystemTime) -> Vec<PathBuf> {
    let is_old = |file: &PathBuf| {
        let modified = fs::symlink_metadata(file).and_then(|it| it.modified());
        modified.is_ok_and(|modified| modified <= cutoff)
    };
    let unnamed = directories(named).flat_map(|directory| unnamed_files(&directory));
    let files = upload_files(staging, is_attempt).chain(unnamed);
    files.filter(is_old).collect()
}

/// Returns a directory and those in it, except the directories of what was staged. Skips those that cannot be read, and does
/// not follow symbolic links.
fn directories(root: &FilePath) -> impl Iterator<Item = PathBuf> + use<> {
    let mut rest = vec![root.to_owned()];
    iter::from_fn(move || {
        let directory = rest.pop()?;
        let children = entries(&directory).filter(|entry| {
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            is_directory && !is_staging_in_any_case(&entry.file_name().to_string_lossy())
        });
        rest.extend(children.map(|entry| entry.path()));
        Some(directory)
    })
}

/// Returns the files in a directory that were to become objects of a task: `object_store` writes `task.json#1` and then links
/// it as `task.json`. It does not list them.
pub(crate) fn unnamed_files(directory: &FilePath) -> impl Iterator<Item = PathBuf> + use<> {
    let files = entries(directory).filter(|entry| {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        is_file && is_unnamed(&entry.file_name().to_string_lossy())
    });
    files.map(|entry| entry.path())
}

fn is_unnamed(file: &str) -> bool {
    file.rsplit_once('#').is_some_and(|(object, number)| {
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number && (is_written(object) || object == names::ERASED || is_test_copy(object))
    })
}

/// Returns the files of uploads, whose names contain `#`, in the directories of attempts; `object_store` does not list
/// them. Skips directories that cannot be read.
pub(crate) fn upload_files(
    staging: &FilePath,
    is_attempt: impl Fn(&str) -> bool,
) -> impl Iterator<Item = PathBuf> {
    let attempts = entries(staging).filter(move |entry| {
        // Does not follow symbolic links, which lead out of the archive.
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        is_directory && is_attempt(&entry.file_name().to_string_lossy())
    });
    let files = attempts.flat_map(|attempt| entries(&attempt.path()));
    let uploads = files.filter(|entry| {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        is_file && is_upload_file(entry)
    });
    uploads.map(|entry| entry.path())
}

fn entries(directory: &FilePath) -> impl Iterator<Item = DirEntry> + use<> {
    fs::read_dir(directory).into_iter().flatten().flatten()
}

fn is_upload_file(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    let name = name.to_string_lossy();
    name.split_once('#')
        .is_some_and(|(object, _)| !object.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_objects_of_the_archiver_are_unnamed() {
        let copied = "probe-8f14e45f-ceea-4a7b-9f2b-3d1c5d0e6a11-copied#1";
        for file in ["task.json#1", "video.mp4#12", "erased.json#2", copied] {
            assert!(is_unnamed(file), "{file}");
        }
        for file in [
            "task.json",
            "task.json#",
            "task.json#1a",
            "notes.txt#1",
            "video#1",
            "#1",
        ] {
            assert!(!is_unnamed(file), "{file}");
        }
    }
}
