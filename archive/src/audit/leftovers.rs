//! What interrupted attempts have left in the store.

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
    store::{UnfinishedUpload, list_unfinished_uploads},
};

/// What interrupted attempts have left in the store.
#[derive(Clone, Debug, Default)]
pub struct Leftovers {
    /// Staged objects that were never published.
    pub objects: Vec<ObjectMeta>,
    /// Files of uploads that were never completed, in a local archive.
    pub files: Vec<PathBuf>,
    /// Multipart uploads that were never completed, on S3.
    pub uploads: Vec<UnfinishedUpload>,
}

/// Finds leftovers from `before` or earlier.
///
/// # Errors
///
/// If the store fails.
pub async fn find_leftovers(archive: &Archive, before: SystemTime) -> Result<Leftovers, Error> {
    let folder = archive.url_prefix.clone().join(STAGING);
    let objects: Vec<ObjectMeta> = archive.store.list(Some(&folder)).try_collect().await?;
    let is_old = |object: &ObjectMeta| SystemTime::from(object.last_modified) <= before;
    let mut leftovers = Leftovers {
        objects: objects.into_iter().filter(is_old).collect(),
        ..Leftovers::default()
    };
    if let Some(folder) = archive.directory() {
        find_upload_files(&folder.join(STAGING), before, &mut leftovers.files);
    }
    if let Some(signer) = &archive.upload_list_signer {
        leftovers.uploads = list_unfinished_uploads(signer.as_ref(), &archive.root).await?;
        leftovers
            .uploads
            .retain(|upload| upload.started_at <= before);
    }
    Ok(leftovers)
}

/// Finds the files of uploads: their names end with `#` and a number, and `object_store` does not list them.
/// Skips directories that cannot be read.
fn find_upload_files(folder: &FilePath, before: SystemTime, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            find_upload_files(&path, before, found);
            continue;
        }
        let is_upload = entry.file_name().to_string_lossy().contains('#');
        let modified = entry.metadata().and_then(|it| it.modified());
        if is_upload && modified.is_ok_and(|modified| modified <= before) {
            found.push(path);
        }
    }
}
