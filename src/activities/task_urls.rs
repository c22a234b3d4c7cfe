//! The URLs of what a task made: the sealed one that came with the request, and fresh ones.

use std::time::SystemTime;

use seedance_archiver_proto::v1::VideoTask;

use super::{TransferActivities, archive_video::Job, fault::Fault};
use crate::{
    archive::{self, Kind, source::Urls},
    config::Account,
    seedance::{CannotOpen, SecretUrl},
};

/// Most questions of one attempt for one object: whether a question brings a fresh URL is not
/// promised.
const MAX_QUESTIONS: u32 = 2;

/// URLs of one object of a job.
pub(super) struct TaskUrls<'a> {
    activities: &'a TransferActivities,
    job: &'a Job,
    kind: Kind,
    asked: u32,
}

impl<'a> TaskUrls<'a> {
    pub(super) fn new(activities: &'a TransferActivities, job: &'a Job, kind: Kind) -> Self {
        Self {
            activities,
            job,
            kind,
            asked: 0,
        }
    }

    /// Asks for a URL, while the task can be asked about. `refused` says why the one before does not
    /// work.
    async fn ask(&mut self, refused: Fault) -> Result<SecretUrl, Fault> {
        if self.asked == MAX_QUESTIONS || !self.job.can_be_asked_about() {
            return Err(refused);
        }
        self.asked += 1;
        let record = self.activities.ask(self.job).await?;
        let url = record.url(|content| self.kind.url_in(content));
        url.filter(is_alive)
            .ok_or_else(|| Fault::no_url("the record has no URL that works"))
    }
}

impl Urls for TaskUrls<'_> {
    type Error = Fault;

    async fn first(&mut self) -> Result<SecretUrl, Fault> {
        let job = self.job;
        let refused = match sealed_url(&job.account, &job.task, self.kind) {
            Ok(url) if is_alive(&url) => return Ok(url),
            Ok(_) | Err(CannotOpen::NotSealed) => Fault::no_url("the video URL has expired"),
            Err(error) => Fault::unreadable_url(&error),
        };
        self.ask(refused).await
    }

    async fn fresh(&mut self, refused: archive::Error) -> Result<SecretUrl, Fault> {
        self.ask(refused.into()).await
    }
}

/// The URL that came with a task.
pub(super) fn sealed_url(
    account: &Account,
    task: &VideoTask,
    kind: Kind,
) -> Result<SecretUrl, CannotOpen> {
    let content = task.content.as_ref().ok_or(CannotOpen::NotSealed)?;
    let seal = account
        .seal()
        .map_err(|error| CannotOpen::NoKey(error.to_string()))?;
    seal.open(&task.id, kind.url_in(content))
}

fn is_alive(url: &SecretUrl) -> bool {
    url.expires_at().is_none_or(|end| SystemTime::now() < end)
}
