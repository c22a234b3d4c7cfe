use std::{
    fs,
    path::{Path as FilePath, PathBuf},
    time::SystemTime,
};

use futures::StreamExt;
use object_store::ObjectMeta;

use crate::{
    Archive, StoreError,
    keys::STAGING,
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
pub async fn find_leftovers(archive: &Archive, cutoff: SystemTime) -> Leftovers {
    let mut leftovers = Leftovers::default();
    let staging = archive.url_prefix.clone().join(STAGING);
    let mut objects = archive.store.list(Some(&staging));
    while let Some(object) = objects.next().await {
        match object {
            Ok(object) if SystemTime::from(object.last_modified) <= cutoff => {
                leftovers.objects.push(object);
            }
            Ok(_) => {}
            Err(error) => {
                let error = format!("cannot list staged objects: {}", StoreError(error));
                leftovers.errors.push(error);
            }
        }
    }
    if let Some(directory) = archive.directory() {
        find_upload_files(&directory.join(STAGING), cutoff, &mut leftovers.files);
    }
    if let Some(signer) = &archive.upload_list_signer {
        match list_incomplete_uploads(signer.as_ref(), &archive.root).await {
            Ok(uploads) => {
                let is_old = |upload: &IncompleteUpload| upload.started_at <= cutoff;
                leftovers.uploads = uploads.into_iter().filter(is_old).collect();
            }
            Err(error) => leftovers.errors.push(error.to_string()),
        }
    }
    leftovers
}

/// Finds the files of interrupted uploads, whose names contain `#`; `object_store` does not list them. Skips
/// directories that cannot be read.
fn find_upload_files(directory: &FilePath, cutoff: SystemTime, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            find_upload_files(&path, cutoff, found);
            continue;
        }
        let is_upload = entry.file_name().to_string_lossy().contains('#');
        let modified = entry.metadata().and_then(|it| it.modified());
        if is_upload && modified.is_ok_and(|modified| modified <= cutoff) {
            found.push(path);
        }
    }
}
