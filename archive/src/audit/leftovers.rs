use std::{
    fs,
    path::{Path as FilePath, PathBuf},
    time::SystemTime,
};

use futures::TryStreamExt;
use object_store::ObjectMeta;

use crate::{
    Archive, Error,
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
}

/// Finds the leftovers that were last modified at `cutoff` or earlier. Incomplete multipart uploads are listed
/// under the account's prefix, staged objects under the prefix in the archive URL.
///
/// # Errors
///
/// Returns an error if the store cannot be listed.
pub async fn find_leftovers(archive: &Archive, cutoff: SystemTime) -> Result<Leftovers, Error> {
    let staging = archive.url_prefix.clone().join(STAGING);
    let objects: Vec<ObjectMeta> = archive.store.list(Some(&staging)).try_collect().await?;
    let is_old = |object: &ObjectMeta| SystemTime::from(object.last_modified) <= cutoff;
    let mut leftovers = Leftovers {
        objects: objects.into_iter().filter(is_old).collect(),
        ..Leftovers::default()
    };
    if let Some(directory) = archive.directory() {
        find_upload_files(&directory.join(STAGING), cutoff, &mut leftovers.files);
    }
    if let Some(signer) = &archive.upload_list_signer {
        leftovers.uploads = list_incomplete_uploads(signer.as_ref(), &archive.root).await?;
        leftovers
            .uploads
            .retain(|upload| upload.started_at <= cutoff);
    }
    Ok(leftovers)
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
