//! The source of a task's objects: the sealed URLs of the request and of earlier queries, fresh URLs from the API, and
//! the task's record.

use std::time::Duration;

use secrecy::SecretString;
use seedance_archiver_policy::transfers::{self, Side};

use super::{
    api_delay::ApiDelay, archive_job::ArchiveJob, task_record, transfer_error::TransferError,
};
use crate::{
    archive::{self, ObjectKind, Progress, TaskSource, UrlSource},
    seedance::{self, Client, SignedUrl, UnsealError},
};

/// Maximum number of queries for a fresh URL of one object in one attempt. The API does not guarantee that a
/// query returns one.
const MAX_QUERIES: u32 = 2;

/// The task of a job, as the source of its objects.
pub(super) struct RequestedTask<'a> {
    pub(super) seedance: &'a Client,
    pub(super) job: &'a ArchiveJob,
    /// Counts the failures of the last frame.
    pub(super) progress: &'a Progress,
    pub(super) api_delay: &'a ApiDelay,
}

impl TaskSource for RequestedTask<'_> {
    type Error = TransferError;

    fn urls(&self, kind: ObjectKind) -> impl UrlSource<Error = TransferError> + Send {
        ObjectUrls {
            seedance: self.seedance,
            job: self.job,
            api_delay: self.api_delay,
            kind,
            queries: 0,
            unseal_error: None,
            last_resort: None,
            has_tried_last_resort: false,
        }
    }

    async fn record(&self) -> String {
        let job = self.job;
        match job.record() {
            Ok(Some(record)) => return record,
            Ok(None) => {}
            Err(error) => tracing::info!(
                task_id = job.task.id,
                %error,
                "cannot unseal the record of the request; querying the task"
            ),
        }
        task_record::fetch(self.seedance, &job.account, &job.task).await
    }

    fn skip(&self, kind: ObjectKind, error: TransferError) -> Result<String, TransferError> {
        match error {
            TransferError::Retryable(error)
                if kind == ObjectKind::LastFrame
                    && may_skip(self.progress, error.side, self.job.time_left()) =>
            {
                Ok(error.message)
            }
            error => Err(error),
        }
    }
}

/// Returns whether the video is archived without its last frame after a failure of this side. An outage of the store
/// must not cost the frame, and at the archive deadline the frame must not cost the video.
fn may_skip(progress: &Progress, side: Side, time_left: Duration) -> bool {
    let is_fetch = side != Side::Store;
    time_left.is_zero()
        || is_fetch && transfers::may_skip_last_frame(progress.count_last_frame_failure())
}

/// The URLs of one object.
struct ObjectUrls<'a> {
    seedance: &'a Client,
    job: &'a ArchiveJob,
    api_delay: &'a ApiDelay,
    kind: ObjectKind,
    /// Number of queries for a fresh URL so far.
    queries: u32,
    /// Why the URL of the request cannot be unsealed. `None` if it can, or if there is none or a newer one.
    unseal_error: Option<UnsealError>,
    /// Why there is no working URL. Set while a URL is tried that has expired by its own account.
    last_resort: Option<TransferError>,
    has_tried_last_resort: bool,
}

impl ObjectUrls<'_> {
    /// Queries the task for a fresh URL. If the query fails, or its URL has expired by its own account, returns the
    /// newest URL anyway, because an expiry may be misread: once per attempt.
    async fn query(
        &mut self,
        error: TransferError,
        expired: Option<SignedUrl>,
    ) -> Result<SecretString, TransferError> {
        let job = self.job;
        let (error, url) = match self.query_record(error).await {
            Ok(Some(url)) if job.is_alive(&url) => return Ok(url.into_secret()),
            Ok(url) => {
                let error = TransferError::no_url("the task record has no working URL");
                (self.explained(error), url)
            }
            Err(error) => (error, None),
        };
        match url.or(expired).filter(|_| !self.has_tried_last_resort) {
            Some(url) => {
                self.has_tried_last_resort = true;
                self.last_resort = Some(error);
                Ok(url.into_secret())
            }
            None => Err(error),
        }
    }

    /// Queries the task. Returns `error`, the error of the previous URL, if the task can no longer be queried.
    async fn query_record(
        &mut self,
        error: TransferError,
    ) -> Result<Option<SignedUrl>, TransferError> {
        let job = self.job;
        let _hold = job.clock.hold().await;
        let left = job.query_window_left();
        if self.queries == MAX_QUERIES || left.is_zero() {
            return Err(error);
        }
        self.queries += 1;
        let endpoint = &job.account.endpoint;
        let record = self.seedance.query_patiently(endpoint, &job.task.id, left);
        let noted = |error: &seedance::Error| self.api_delay.note(error.retry_after());
        let record = record
            .await
            .inspect_err(noted)
            .map_err(|error| self.explained(error.into()))?;
        let url = record.url(|content| self.kind.url_in(content));
        job.keep_urls(record);
        Ok(url)
    }

    /// Adds to the error of a query why a fresh URL was needed, if that can be changed.
    fn explained(&self, error: TransferError) -> TransferError {
        match &self.unseal_error {
            Some(unseal_error) => error.for_sealed_url(unseal_error),
            None => error,
        }
    }
}

impl UrlSource for ObjectUrls<'_> {
    type Error = TransferError;

    async fn first_url(&mut self) -> Result<SecretString, TransferError> {
        let expired = || TransferError::no_url("the video URL has expired");
        let (error, url) = match self.job.newest_url(self.kind) {
            Ok(url) if self.job.is_alive(&url) => return Ok(url.into_secret()),
            Ok(url) => (expired(), Some(url)),
            Err(UnsealError::NotSealed) => (expired(), None),
            Err(unseal_error) => {
                let error = TransferError::sealed_url(&unseal_error);
                self.unseal_error = Some(unseal_error);
                (error, None)
            }
        };
        self.query(error, url).await
    }

    async fn fresh_url(&mut self, rejected: archive::Error) -> Result<SecretString, TransferError> {
        // The reason why there was no better URL says more than the rejection that was to be expected.
        match self.last_resort.take() {
            Some(error) => Err(error),
            None => self.query(rejected.into(), None).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    #[test]
    fn a_last_frame_is_skipped_after_five_failures_to_fetch_it() {
        let mut progress = Progress::default();
        for _ in 0..10 {
            assert!(!may_skip(&progress, Side::Store, HOUR));
        }
        for side in [Side::Host, Side::Url, Side::Api, Side::Host] {
            assert!(!may_skip(&progress, side, HOUR));
            // Another worker continues.
            progress = Progress::resume(progress.state());
        }
        assert!(!may_skip(&progress, Side::Store, HOUR));
        assert!(may_skip(&progress, Side::Url, HOUR));
    }

    #[test]
    fn at_the_archive_deadline_a_last_frame_does_not_cost_the_video() {
        for side in [Side::Host, Side::Store, Side::Api, Side::Url] {
            assert!(may_skip(&Progress::default(), side, Duration::ZERO));
        }
    }
}
