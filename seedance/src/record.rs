//! A task record as the service returned it.

use seedance_archiver_proto::v1::{VideoContent, VideoTask};

use crate::{SignedUrl, UnsealError, UrlSeal, received::Received};

/// A task record with readable URLs. It can be neither printed nor serialized; use [`Record::sealed`],
/// [`Record::url`] or [`Record::as_received`].
pub struct Record {
    task: VideoTask,
    received: Received,
}

impl Record {
    pub(crate) fn new(task: VideoTask, received: Received) -> Self {
        Self { task, received }
    }

    /// Replaces the URLs by those in the response as received: they do not work without the secrets that it repeats. A host
    /// is shown, so that one with a secret is not replaced.
    pub(crate) fn set_urls(&mut self, received: VideoContent) {
        let Some(content) = &mut self.task.content else {
            return;
        };
        let host = |url: &String| SignedUrl::new(url.clone()).host();
        for (url, received) in [
            (&mut content.video_url, received.video_url),
            (&mut content.last_frame_url, received.last_frame_url),
            (&mut content.file_url, received.file_url),
        ] {
            let shown = host(&received);
            if !shown.is_empty() && shown == host(url) {
                *url = received;
            }
        }
    }

    /// Returns the task id.
    pub fn id(&self) -> &str {
        &self.task.id
    }

    /// Returns the status.
    pub fn status(&self) -> &str {
        &self.task.status
    }

    /// Returns the creation time in Unix seconds, 0 if the record has none.
    pub fn created_at(&self) -> i64 {
        self.task.created_at
    }

    /// Returns the time of the last status change in Unix seconds, 0 if the record has none.
    pub fn updated_at(&self) -> i64 {
        self.task.updated_at
    }

    /// Returns the URL of the video.
    pub fn video_url(&self) -> Option<SignedUrl> {
        self.url(|content| &content.video_url)
    }

    /// Returns the URL of what the task generated: the video, or the file of a 3D task.
    pub fn main_url(&self) -> Option<SignedUrl> {
        let file = || self.url(|content| &content.file_url);
        self.video_url().or_else(file)
    }

    /// Returns the URL that `pick` selects.
    pub fn url(&self, pick: impl Fn(&VideoContent) -> &str) -> Option<SignedUrl> {
        let url = pick(self.task.content.as_ref()?);
        (!url.is_empty()).then(|| SignedUrl::new(url.to_owned()))
    }

    /// Returns the record without URLs, which contains no secret.
    pub fn without_urls(&self) -> VideoTask {
        VideoTask {
            content: None,
            ..self.task.clone()
        }
    }

    /// Returns the JSON text of the record exactly as received, except for the queries of URLs and for callback
    /// URLs, which are secrets. This is what an archive keeps. An item of a list may lack fields: see
    /// [`is_as_complete`](crate::is_as_complete).
    pub fn as_received(&self) -> &str {
        self.received.without_secrets()
    }

    /// Returns the record with its URLs sealed, for Temporal's history.
    pub fn sealed(self, seal: &UrlSeal) -> VideoTask {
        let id = self.task.id.clone();
        with_urls(self.task, |url| seal.seal(&id, &url))
    }
}

impl UrlSeal {
    /// Returns a sealed record with plain URLs, for a caller that requested them. Anyone who sees them can download
    /// the video.
    ///
    /// # Errors
    ///
    /// Returns an error if a URL cannot be unsealed.
    pub fn revealed(&self, task: VideoTask) -> Result<VideoTask, UnsealError> {
        let id = task.id.clone();
        let mut failed = None;
        let task = with_urls(task, |url| match self.unseal(&id, &url) {
            Ok(url) => url.expose().to_owned(),
            Err(error) => {
                failed = Some(error);
                url
            }
        });
        failed.map_or(Ok(task), Err)
    }
}

/// Applies `change` to every URL of a record.
fn with_urls(mut task: VideoTask, mut change: impl FnMut(String) -> String) -> VideoTask {
    let mut change = |url: String| if url.is_empty() { url } else { change(url) };
    task.content = task.content.map(|content| VideoContent {
        video_url: change(content.video_url),
        last_frame_url: change(content.last_frame_url),
        file_url: change(content.file_url),
    });
    task
}
