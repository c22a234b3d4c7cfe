//! Uploads of a task that were never completed: incomplete multipart uploads on S3, files in a local archive.

use std::path::PathBuf;

use object_store::path::Path;

use super::remains::is_written;
use crate::{
    Archive, Error, audit,
    keys::{STAGING, is_attempt_of, is_staged},
    receipt::directory_of,
    store::{IncompleteUpload, list_incomplete_uploads},
};

/// Aborts the uploads of a task. `keys` are those of its objects.
pub(super) async fn abort(
    archive: &Archive,
    receipt: &Path,
    task_id: &str,
    keys: Vec<Path>,
) -> Result<(), Error> {
    let directory = directory_of(receipt);
    if let Some(root) = archive.directory() {
        let staging = root.join(STAGING);
        let staged = audit::upload_files(&staging, |attempt| is_attempt_of(attempt, task_id));
        let unnamed = audit::unnamed_files(&root.join(directory.to_string()));
        delete_files(staged.chain(unnamed))?;
    }
    let Some(signer) = &archive.upload_list_signer else {
        return Ok(());
    };
    let staging = archive.url_prefix.clone().join(STAGING);
    let is_own = |upload: &IncompleteUpload| {
        let name = upload.key.filename().unwrap_or_default();
        let parent = directory_of(&upload.key);
        let attempt = parent.filename().unwrap_or_default();
        parent == directory && is_written(name)
            || is_staged(&archive.url_prefix, &upload.key) && is_attempt_of(attempt, task_id)
    };
    // MinIO lists an upload only if the prefix is its complete key.
    for prefix in [directory.clone(), staging].into_iter().chain(keys) {
        let uploads = list_incomplete_uploads(signer.as_ref(), &prefix).await?;
        for upload in uploads.into_iter().filter(is_own) {
            archive.abort_upload(&upload).await?;
        }
    }
    Ok(())
}

/// Deletes files that `object_store` does not list.
fn delete_files(files: impl Iterator<Item = PathBuf>) -> Result<(), Error> {
    for file in files {
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let file = file.display();
                return Err(Error::Upload(format!("cannot delete `{file}`: {error}")));
            }
            _ => {}
        }
    }
    Ok(())
}
