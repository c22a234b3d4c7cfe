//! An attempt to archive a task.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use seedance_archiver_clock::Clock;
use seedance_archiver_policy::{deadlines::TransferTimes, transfers::TimeLeft};
use seedance_archiver_proto::{
    status,
    time::from_unix_seconds,
    v1::{Manifest, VideoContent, VideoTask},
};
use seedance_archiver_workflows::invalid_request::InvalidRequest;
use temporalio_sdk::activities::ActivityInfo;

use super::fresh_urls::FreshUrls;
use crate::{
    archive::ObjectKind,
    config::Account,
    seedance::{Record, SignedUrl, UnsealError, UrlSeal},
};

/// An attempt of `ArchiveVideo`: the task, its account and the deadlines.
pub(super) struct ArchiveJob {
    pub(super) account: Arc<Account>,
    pub(super) task: VideoTask,
    /// The record of the task as received, sealed. Empty: it is not known.
    sealed_record: String,
    /// What the queries of the transfer returned.
    fresh_urls: Arc<FreshUrls>,
    /// Number of the attempt, from 1.
    pub(super) attempt: u32,
    /// When the first attempt was scheduled.
    scheduled_at: SystemTime,
    pub(super) clock: Clock,
}

impl ArchiveJob {
    /// Returns the job of an attempt.
    ///
    /// # Errors
    ///
    /// Returns an error if the task did not succeed.
    pub(super) fn new(
        account: &Arc<Account>,
        task: VideoTask,
        sealed_record: String,
        fresh_urls: Arc<FreshUrls>,
        info: &ActivityInfo,
        clock: &Clock,
    ) -> Result<Self, InvalidRequest> {
        if task.status != status::SUCCEEDED {
            let problem = format!("is `{}`; only a succeeded task has a video", task.status);
            return Err(InvalidRequest::new("task.status", problem));
        }
        Ok(Self {
            account: account.clone(),
            task,
            sealed_record,
            fresh_urls,
            attempt: info.attempt,
            scheduled_at: info
                .scheduled_time
                .map_or_else(|| clock.now(), |time| clock.at(time)),
            clock: clock.clone(),
        })
    }

    /// Returns how long the task can still be queried.
    pub(super) fn query_window_left(&self) -> Duration {
        let windows = &self.account.windows;
        self.times().query_window_left(windows, self.clock.now())
    }

    /// Returns the time left until the last query for a URL is sent, or repeated because it had no answer. `None`: it had
    /// one, or comes too late.
    pub(super) fn until_last_query(&self) -> Option<Duration> {
        let windows = &self.account.windows;
        self.times().until_last_query(windows, self.clock.now())
    }

    /// Returns whether the last query for a URL is due.
    pub(super) fn is_last_query_due(&self) -> bool {
        let windows = &self.account.windows;
        self.times().is_last_query_due(windows, self.clock.now())
    }

    /// Returns whether a URL has not expired.
    pub(super) fn is_alive(&self, url: &SignedUrl) -> bool {
        url.expires_at().is_none_or(|end| self.clock.now() < end)
    }

    /// Returns the time left until the archive deadline.
    pub(super) fn time_left(&self) -> Duration {
        self.left().until_deadline
    }

    /// Returns the time left until the newest URL expires, or until the archive deadline if it expired: a query may return
    /// a fresh one.
    pub(super) fn url_left(&self) -> Duration {
        self.left().until_expiry
    }

    /// Returns the times left, which decide when the next attempt follows.
    pub(super) fn left(&self) -> TimeLeft {
        let (times, windows, now) = (self.times(), &self.account.windows, self.clock.now());
        TimeLeft {
            until_deadline: times.left(windows, now),
            until_expiry: times.url_left(windows, now),
            until_last_query: times.until_last_query(windows, now),
        }
    }

    fn times(&self) -> TransferTimes {
        let content = self.task.content.as_ref();
        let url = content.and_then(|content| self.main_url(content));
        TransferTimes {
            scheduled_at: self.scheduled_at,
            created_at: from_unix_seconds(self.task.created_at),
            updated_at: from_unix_seconds(self.task.updated_at),
            url_expires_at: url.and_then(|url| url.expires_at()),
            fresh_url: self.fresh_urls.times(),
            last_queried_at: self.fresh_urls.queried_at(),
        }
    }

    /// Keeps the URLs of a record that a query returned, if they are fresh, for this attempt and the next ones.
    pub(super) fn keep_urls(&self, record: Record) {
        let now = self.clock.now();
        self.fresh_urls.set_queried(now);
        let Some(url) = record.main_url().filter(|url| self.is_fresh(url)) else {
            return;
        };
        // Without a key, the next attempt has the URLs of the request, as this one had.
        let Ok(seal) = self.seal() else { return };
        if let Some(content) = record.sealed(&seal).content {
            // Also for workers that do not know the windows of the account.
            let expires_at = self.account.windows.url_expiry(now, url.expires_at());
            self.fresh_urls.set_newest(content, now, expires_at);
        }
    }

    /// Returns whether a URL works by its own account, and was not known before.
    fn is_fresh(&self, url: &SignedUrl) -> bool {
        let known = [self.fresh_urls.content(), self.task.content.clone()];
        let mut known = known.iter().flatten();
        let is_same = |content| {
            let known = self.main_url(content);
            known.is_some_and(|known| known.expose() == url.expose())
        };
        self.is_alive(url) && !known.any(is_same)
    }

    /// Unseals the URL of what the task generated: the video, or the file of a 3D task.
    fn main_url(&self, content: &VideoContent) -> Option<SignedUrl> {
        let url = |kind| self.unseal(content, kind).ok();
        url(ObjectKind::Video).or_else(|| url(ObjectKind::File))
    }

    /// Unseals the newest URL of an object. If that has expired, and the one in the request has not, returns the latter.
    ///
    /// # Errors
    ///
    /// See [`UnsealError`]; [`UnsealError::NotSealed`] also if there is no such URL.
    pub(super) fn newest_url(&self, kind: ObjectKind) -> Result<SignedUrl, UnsealError> {
        let content = self.fresh_urls.content();
        let newest = content.and_then(|content| self.unseal(&content, kind).ok());
        let requested = || match &self.task.content {
            Some(content) => self.unseal(content, kind),
            None => Err(UnsealError::NotSealed),
        };
        match newest {
            Some(url) if self.is_alive(&url) => Ok(url),
            Some(expired) => {
                let requested = requested().ok().filter(|url| self.is_alive(url));
                Ok(requested.unwrap_or(expired))
            }
            None => requested(),
        }
    }

    fn unseal(&self, content: &VideoContent, kind: ObjectKind) -> Result<SignedUrl, UnsealError> {
        self.seal()?.unseal(&self.task.id, kind.url_in(content))
    }

    /// Unseals the record in the request. Returns `None` if the request has none.
    ///
    /// # Errors
    ///
    /// See [`UnsealError`].
    pub(super) fn record(&self) -> Result<Option<String>, UnsealError> {
        match self.sealed_record.as_str() {
            "" => Ok(None),
            sealed => self.seal()?.unseal_record(&self.task.id, sealed).map(Some),
        }
    }

    fn seal(&self) -> Result<UrlSeal, UnsealError> {
        let seal = self.account.seal();
        seal.map_err(|error| UnsealError::NoKey(error.to_string()))
    }

    /// Returns the receipt without the results of the transfer. `warning` says why it is not in the destination.
    pub(super) fn manifest(&self, manifest_url: String, warning: Option<String>) -> Manifest {
        let task = &self.task;
        Manifest {
            task_id: task.id.clone(),
            account: self.account.name().to_owned(),
            model: task.model.clone(),
            task_created_at: task.created_at,
            task_updated_at: task.updated_at,
            manifest_url,
            archiver_version: env!("CARGO_PKG_VERSION").to_owned(),
            contract_version: seedance_archiver_proto::VERSION.to_owned(),
            seed: task.seed,
            resolution: task.resolution.clone(),
            ratio: task.ratio.clone(),
            duration: task.duration,
            frames: task.frames,
            usage: task.usage.clone(),
            framespersecond: task.framespersecond,
            service_tier: task.service_tier.clone(),
            generate_audio: task.generate_audio,
            draft: task.draft,
            draft_task_id: task.draft_task_id.clone(),
            priority: task.priority,
            safety_identifier: task.safety_identifier.clone(),
            tools: task.tools.clone(),
            execution_expires_after: task.execution_expires_after,
            attempts: i64::from(self.attempt),
            warnings: warning.into_iter().collect(),
            ..Manifest::default()
        }
    }
}
