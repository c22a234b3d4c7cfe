use std::{
    fs::{self, DirEntry},
    path::{Path as FilePath, PathBuf},
    time::SystemTime,
};

use futures::StreamExt;
use object_store::ObjectMeta;

use crate::{
    Archive, StoreError,
    keys::{STAGING, is_attempt, is_staged, is_upload},
    store::{IncompleteUpload, list_incomplete_uploads},
};

/// Objects, files and uploads that interrupted attempts left behind.
#[derive(Clone, Debug, Default)]
pub struct Leftovers {
    /// Staged objects that were never published.
    pub objects: Vec<ObjectMeta>,
    /// Files of uploads that were never completed, in a local archive.
    pub files: Vec<PathBuf>,
    /// Incomplete multipart uploads, on S3.
    pub uploads: Vec<IncompleteUpload>,
    /// What could not be listed, so that leftovers may be missing.
    pub errors: Vec<String>,
}

/// Finds the leftovers that were last modified at `cutoff` or earlier. Incomplete multipart uploads are listed
/// under the account's prefix, staged objects under the prefix in the archive URL. A list that fails does not end the
/// others.
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
    if let Some(directory) = archive.directory() {
        leftovers.files = find_upload_files(&directory.join(STAGING), cutoff);
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

/// Finds the files of interrupted uploads that were last modified at `cutoff` or earlier.
fn find_upload_files(staging: &FilePath, cutoff: SystemTime) -> Vec<PathBuf> {
    let is_old = |file: &PathBuf| {
        let modified = fs::symlink_metadata(file).and_then(|it| it.modified());
        modified.is_ok_and(|modified| modified <= cutoff)
    };
    upload_files(staging, is_attempt).filter(is_old).collect()
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
