//! The URLs of a video: `ObjectUrls` of `task_source`.

use seedance_archiver_policy::{deadlines::FreshUrl, transfers::Side};
use seedance_archiver_proto::{
    names::failure,
    reason::{self, RECORD_VANISHED},
    v1::VideoTask,
};
use seedance_archiver_seedance::{ErrorKind, SignedUrl};

use super::{System, state::Transfer};
use crate::{log::By, mutation::Mutation, service::ApiError, time::at};

/// Maximum number of queries for a fresh URL in one attempt.
const MAX_QUERIES: u32 = 2;

/// Why an attempt failed.
#[derive(Clone, Debug)]
pub(super) struct TransferError {
    pub(super) side: Side,
    pub(super) failure_type: &'static str,
    pub(super) reason: String,
    /// In seconds.
    pub(super) retry_after: u64,
}

/// The URLs that one attempt tries.
#[derive(Default)]
pub(super) struct Urls {
    queries: u32,
    /// Why there is no working URL. Set while a URL is tried that has expired by its own account.
    last_resort: Option<TransferError>,
    has_tried_last_resort: bool,
    /// The longest delay that the API requested, in seconds: `ApiDelay`.
    pub(super) api_delay: u64,
}

impl TransferError {
    pub(super) fn new(side: Side, failure_type: &'static str) -> Self {
        Self {
            side,
            failure_type,
            reason: reason::from_failure_type(failure_type),
            retry_after: 0,
        }
    }

    pub(super) fn no_url() -> Self {
        Self::new(Side::Url, failure::URL_EXPIRED)
    }

    fn of_query(error: &ApiError) -> Self {
        let retry_after = error.retry_after.unwrap_or_default().as_secs();
        let by_type = Self::new(Side::Api, error.failure_type);
        Self {
            reason: match error.kind {
                ErrorKind::NotFound => RECORD_VANISHED.to_owned(),
                _ => by_type.reason,
            },
            retry_after,
            ..by_type
        }
    }
}

impl System<'_> {
    pub(super) fn first_url(
        &mut self,
        task: usize,
        transfer: &mut Transfer,
        urls: &mut Urls,
    ) -> Result<String, TransferError> {
        match self.newest_url(transfer) {
            Some(url) if self.is_alive(&url) => Ok(url),
            url => self.next_url(task, transfer, urls, TransferError::no_url(), url),
        }
    }

    /// Returns another URL after the host rejected one.
    pub(super) fn fresh_url(
        &mut self,
        task: usize,
        transfer: &mut Transfer,
        urls: &mut Urls,
    ) -> Result<String, TransferError> {
        match urls.last_resort.take() {
            Some(error) => Err(error),
            None => self.next_url(task, transfer, urls, TransferError::no_url(), None),
        }
    }

    fn next_url(
        &mut self,
        task: usize,
        transfer: &mut Transfer,
        urls: &mut Urls,
        error: TransferError,
        expired: Option<String>,
    ) -> Result<String, TransferError> {
        let (error, url) = match self.query_url(task, transfer, urls, error) {
            Ok(Some(url)) if self.is_alive(&url) => return Ok(url),
            Ok(url) => (TransferError::no_url(), url),
            Err(error) => (error, None),
        };
        match url.or(expired).filter(|_| !urls.has_tried_last_resort) {
            Some(url) => {
                urls.has_tried_last_resort = true;
                urls.last_resort = Some(error);
                Ok(url)
            }
            None => Err(error),
        }
    }

    fn query_url(
        &mut self,
        task: usize,
        transfer: &mut Transfer,
        urls: &mut Urls,
        error: TransferError,
    ) -> Result<Option<String>, TransferError> {
        let left = transfer
            .times
            .query_window_left(&self.windows, at(self.now));
        let may_query = !left.is_zero() && !self.has(Mutation::QueriesNoFreshUrl);
        if urls.queries == MAX_QUERIES || !may_query {
            return Err(error);
        }
        urls.queries += 1;
        match self.query(task, By::Transfer, left) {
            Some(Ok(record)) => {
                self.keep_url(transfer, &record);
                Ok(url_in(&record))
            }
            Some(Err(error)) => {
                let error = TransferError::of_query(&error);
                if !self.has(Mutation::HidesRetryAfter) {
                    urls.api_delay = urls.api_delay.max(error.retry_after);
                }
                Err(error)
            }
            None => Err(TransferError::new(Side::Api, failure::RATE_LIMITED)),
        }
    }

    /// Queries the task if its last query for a URL is due: `UrlRenewal::run_if_due`.
    pub(super) fn renew_url(&mut self, task: usize, transfer: &mut Transfer) {
        let (times, now) = (transfer.times, at(self.now));
        let is_due = times.is_last_query_due(&self.windows, now);
        if !is_due || self.has(Mutation::RenewsNoUrl) {
            return;
        }
        let left = times.query_window_left(&self.windows, now);
        if let Some(Ok(record)) = self.query(task, By::Transfer, left) {
            self.keep_url(transfer, &record);
        }
    }

    /// Keeps the URL of a record, if it is fresh: `ArchiveJob::keep_urls`.
    fn keep_url(&self, transfer: &mut Transfer, record: &VideoTask) {
        let now = at(self.now);
        transfer.times.last_queried_at = Some(now);
        let known = [transfer.fresh_url.clone(), url_in(&transfer.task)];
        let is_fresh = |url: &String| self.is_alive(url) && !known.contains(&Some(url.clone()));
        if let Some(url) = url_in(record).filter(is_fresh) {
            transfer.times.fresh_url = Some(FreshUrl {
                queried_at: now,
                expires_at: SignedUrl::new(url.clone()).expires_at(),
            });
            transfer.fresh_url = Some(url);
        }
    }

    /// Returns the newest URL, or that of the request if only that one works: `ArchiveJob::newest_url`.
    fn newest_url(&self, transfer: &Transfer) -> Option<String> {
        let known = [transfer.fresh_url.clone(), url_in(&transfer.task)];
        let known: Vec<_> = known.into_iter().flatten().collect();
        let alive = known.iter().find(|url| self.is_alive(url));
        alive.or(known.first()).cloned()
    }

    fn is_alive(&self, url: &str) -> bool {
        let expires_at = SignedUrl::new(url.to_owned()).expires_at();
        expires_at.is_none_or(|end| at(self.now) < end)
    }
}

/// Returns the URL in a record.
pub(super) fn url_in(task: &VideoTask) -> Option<String> {
    let content = task.content.as_ref();
    content.map(|content| content.video_url.clone())
}
