use super::{Progress, TransferResources};
use crate::{Archive, AttemptKeys, store::Upload};

/// The parameters that all transfers of an attempt share.
#[derive(Clone, Copy)]
pub(super) struct AttemptContext<'a> {
    pub(super) archive: &'a Archive,
    pub(super) keys: &'a AttemptKeys<'a>,
    /// Whether an earlier attempt may have left an incomplete upload.
    pub(super) is_retry: bool,
    pub(super) resources: &'a TransferResources,
    pub(super) progress: &'a Progress,
}

impl AttemptContext<'_> {
    /// Aborts the upload that the progress contains, if any, so that no attempt resumes it.
    pub(super) async fn abort_upload(&self) {
        let saved = self.progress.take_upload();
        if let Some(upload) = saved.and_then(|saved| Upload::resume(self.archive, &saved)) {
            upload.abort().await;
        }
    }
}
