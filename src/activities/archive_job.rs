//! An attempt to archive a task.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use seedance_archiver_clock::Clock;
use seedance_archiver_policy::deadlines::TransferTimes;
use seedance_archiver_proto::{
    status,
    time::from_unix_seconds,
    v1::{Manifest, VideoTask},
};
use seedance_archiver_workflows::invalid_request::InvalidRequest;
use temporalio_sdk::activities::ActivityInfo;

use crate::{
    archive::ObjectKind,
    config::Account,
    seedance::{SignedUrl, UnsealError, UrlSeal},
};

/// An attempt of `ArchiveVideo`: the task, its account and the deadlines.
pub(super) struct ArchiveJob {
    pub(super) account: Arc<Account>,
    pub(super) task: VideoTask,
    /// The record of the task as received, sealed. Empty: it is not known.
    sealed_record: String,
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

    /// Returns whether a URL has not expired.
    pub(super) fn is_alive(&self, url: &SignedUrl) -> bool {
        url.expires_at().is_none_or(|end| self.clock.now() < end)
    }

    /// Returns the time left until the archive deadline.
    pub(super) fn time_left(&self) -> Duration {
        let windows = &self.account.windows;
        self.times().left(windows, self.clock.now())
    }

    fn times(&self) -> TransferTimes {
        let url = self.sealed_url(ObjectKind::Video).ok();
        TransferTimes {
            scheduled_at: self.scheduled_at,
            created_at: from_unix_seconds(self.task.created_at),
            updated_at: from_unix_seconds(self.task.updated_at),
            url_expires_at: url.and_then(|url| url.expires_at()),
        }
    }

    /// Returns the time left until the URL in the request expires, or until the archive deadline if the URL expired: a
    /// query may return a fresh one.
    pub(super) fn url_left(&self) -> Duration {
        let windows = &self.account.windows;
        self.times().url_left(windows, self.clock.now())
    }

    /// Unseals the URL of an object in the request.
    ///
    /// # Errors
    ///
    /// See [`UnsealError`]; [`UnsealError::NotSealed`] also if the request has no such URL.
    pub(super) fn sealed_url(&self, kind: ObjectKind) -> Result<SignedUrl, UnsealError> {
        let content = self.task.content.as_ref().ok_or(UnsealError::NotSealed)?;
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
