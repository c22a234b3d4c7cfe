//! What a task made, by its URLs: the sealed ones that came with the request, and fresh ones. And its
//! record.

use std::time::SystemTime;

use secrecy::SecretString;
use seedance_archiver_proto::v1::VideoTask;
use serde_json::Value;

use super::{archive_video::Job, fault::Fault, task_record};
use crate::{
    archive::{self, ObjectKind, TaskSource, UrlSource},
    config::Account,
    seedance::{Client, SignedUrl, UnsealError},
};

/// Most questions of one attempt for one object: whether a question brings a fresh URL is not
/// promised.
const MAX_QUESTIONS: u32 = 2;

/// Attempts after which a video no longer waits for its last frame.
const LAST_FRAME_ATTEMPTS: u32 = 5;

/// Where the things of a job come from.
pub(super) struct TaskOrigin<'a> {
    seedance: &'a Client,
    job: &'a Job<'a>,
}

impl<'a> TaskOrigin<'a> {
    pub(super) fn new(seedance: &'a Client, job: &'a Job<'a>) -> Self {
        Self { seedance, job }
    }
}

impl TaskSource for TaskOrigin<'_> {
    type Error = Fault;

    fn urls(&self, kind: ObjectKind) -> impl UrlSource<Error = Fault> + Send {
        TaskUrls {
            seedance: self.seedance,
            job: self.job,
            kind,
            asked: 0,
        }
    }

    async fn record(&self) -> Value {
        task_record::ask(self.seedance, &self.job.account, &self.job.task).await
    }

    fn skip(&self, kind: ObjectKind, error: Fault) -> Result<String, Fault> {
        match error {
            Fault::Passing(fault)
                if kind == ObjectKind::LastFrame && self.job.attempt >= LAST_FRAME_ATTEMPTS =>
            {
                Ok(fault.message)
            }
            error => Err(error),
        }
    }
}

/// URLs of one object of a job.
struct TaskUrls<'a> {
    seedance: &'a Client,
    job: &'a Job<'a>,
    kind: ObjectKind,
    asked: u32,
}

impl TaskUrls<'_> {
    /// Asks for a URL, while the task can be asked about. `refused` says why the one before does not
    /// work.
    async fn ask(&mut self, refused: Fault) -> Result<SignedUrl, Fault> {
        let job = self.job;
        let windows = &job.account.windows;
        let is_outside = windows.is_closed(job.created_at, SystemTime::now());
        if self.asked == MAX_QUESTIONS || is_outside {
            return Err(refused);
        }
        self.asked += 1;
        let record = self
            .seedance
            .query(&job.account.endpoint, &job.task.id)
            .await?;
        let url = record.url(|content| self.kind.url_in(content));
        url.filter(is_alive)
            .ok_or_else(|| Fault::no_url("the record has no URL that works"))
    }
}

impl UrlSource for TaskUrls<'_> {
    type Error = Fault;

    async fn first_url(&mut self) -> Result<SecretString, Fault> {
        let job = self.job;
        let refused = match sealed_url(&job.account, &job.task, self.kind) {
            Ok(url) if is_alive(&url) => return Ok(url.into_secret()),
            Ok(_) | Err(UnsealError::NotSealed) => Fault::no_url("the video URL has expired"),
            Err(error) => Fault::unreadable_url(&error),
        };
        Ok(self.ask(refused).await?.into_secret())
    }

    async fn fresh_url(&mut self, refused: archive::Error) -> Result<SecretString, Fault> {
        Ok(self.ask(refused.into()).await?.into_secret())
    }
}

/// The URL that came with a task.
pub(super) fn sealed_url(
    account: &Account,
    task: &VideoTask,
    kind: ObjectKind,
) -> Result<SignedUrl, UnsealError> {
    let content = task.content.as_ref().ok_or(UnsealError::NotSealed)?;
    let seal = account
        .seal()
        .map_err(|error| UnsealError::NoKey(error.to_string()))?;
    seal.unseal(&task.id, kind.url_in(content))
}

fn is_alive(url: &SignedUrl) -> bool {
    url.expires_at().is_none_or(|end| SystemTime::now() < end)
}
