//! The last query for the URLs of a video, shortly before its task can no longer be queried. If the service signs fresh
//! ones, the video can be had for as long as they work, also if the store or the host is down until after the query window.

use std::{convert::Infallible, future};

use super::archive_job::ArchiveJob;
use crate::seedance::Client;

/// The last query for the URLs of a job.
pub(super) struct UrlRenewal<'a> {
    pub(super) seedance: &'a Client,
    pub(super) job: &'a ArchiveJob,
}

impl UrlRenewal<'_> {
    /// Queries the task if that is due. After an error, it stays due.
    pub(super) async fn run_if_due(&self) {
        let job = self.job;
        let _hold = job.clock.hold().await;
        if !job.is_last_query_due() {
            return;
        }
        let (endpoint, left) = (&job.account.endpoint, job.query_window_left());
        let query = self.seedance.query_patiently(endpoint, &job.task.id, left);
        match query.await {
            Ok(record) => job.keep_urls(record),
            Err(error) => tracing::info!(
                task_id = job.task.id,
                %error,
                "cannot query the task for a fresh URL before its query window closes"
            ),
        }
    }

    /// Queries the task as soon as that becomes due, in an attempt that started before, and again after an error.
    pub(super) async fn run_when_due(&self) -> Infallible {
        while let Some(left) = self.job.until_last_query() {
            let clock = &self.job.clock;
            clock.sleep_until(clock.now() + left).await;
            self.run_if_due().await;
        }
        future::pending().await
    }
}
