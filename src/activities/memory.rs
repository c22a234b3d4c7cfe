//! What the attempts at a question have learnt. It travels in the heartbeat, so it costs no history.

use std::time::{Duration, SystemTime};

use jiff::{Timestamp, civil::DateTime, tz};
use seedance_archiver_policy::poll::{Knowledge, LastSeen};
use seedance_archiver_proto::{
    time::from_unix_seconds,
    v1::{QueryProgress, QueryVideoTaskRequest, VideoTask},
};
use seedance_archiver_workflows::encoding::Encoding;
use temporalio_sdk::activities::ActivityContext;

use super::beat;
use crate::{config::Account, telemetry::record};

/// The memory of one question, over all its attempts.
pub(super) struct Memory<'a> {
    ctx: &'a ActivityContext,
    account: &'a Account,
    request: &'a QueryVideoTaskRequest,
    encoding: Encoding,
    progress: QueryProgress,
}

impl<'a> Memory<'a> {
    /// What earlier attempts have left. A memory that cannot be read is none.
    pub(super) fn recall(
        ctx: &'a ActivityContext,
        account: &'a Account,
        request: &'a QueryVideoTaskRequest,
        encoding: Encoding,
    ) -> Self {
        let progress: Option<QueryProgress> = ctx.heartbeat_details().deserialize().ok().flatten();
        Self {
            ctx,
            account,
            request,
            encoding,
            progress: progress.unwrap_or_default(),
        }
    }

    /// How the request came, and how the answer is to go.
    pub(super) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// A record came. It is written down where it is another one, or was last seen long ago.
    pub(super) async fn saw(&mut self, task: VideoTask) {
        let is_same =
            self.progress.task.as_ref().is_some_and(|last| {
                (&last.status, last.updated_at) == (&task.status, task.updated_at)
            });
        let now = Timestamp::now().as_second();
        let seen_before = Duration::from_secs((now - self.progress.seen_at).unsigned_abs());
        let is_long_ago = seen_before > self.account.windows.cancelled_retention / 10;
        if !is_same || is_long_ago || self.progress.not_found_since != 0 {
            self.progress = QueryProgress {
                task: Some(task),
                not_found_since: 0,
                seen_at: now,
            };
            self.write_down().await;
        }
    }

    /// The service said that there is no such task. Returns since when it has said so.
    pub(super) async fn missed(&mut self) -> SystemTime {
        if self.progress.not_found_since == 0 {
            self.progress.not_found_since = Timestamp::now().as_second();
            self.write_down().await;
        }
        from_unix_seconds(self.progress.not_found_since).unwrap_or_else(SystemTime::now)
    }

    /// The service said nothing of the task: a 404 before this has not lasted until now.
    pub(super) async fn heard_nothing(&mut self) {
        if self.progress.not_found_since != 0 {
            self.progress.not_found_since = 0;
            self.write_down().await;
        }
    }

    /// What is known of the task now.
    pub(super) fn known(&self) -> Knowledge<'_> {
        let now = SystemTime::now();
        let scheduled = self.ctx.info().scheduled_time.unwrap_or(now);
        let seen = match &self.progress.task {
            Some(task) => Some(LastSeen {
                created_at: from_unix_seconds(task.created_at),
                expires_at: expires_at(task),
                status: &task.status,
                at: from_unix_seconds(self.progress.seen_at).unwrap_or(now),
            }),
            None => self
                .request
                .was_seen
                .then(|| self.seen_by_caller(scheduled)),
        };
        let first_asked = from_unix_seconds(self.request.first_asked_at).unwrap_or(scheduled);
        Knowledge {
            last_seen: seen,
            id_created_at: id_time(&self.request.task_id),
            first_polled_at: first_asked,
            now,
        }
    }

    /// The caller may have seen a record before it asked. What status it had is known only with the
    /// time of creation.
    fn seen_by_caller(&self, asked_at: SystemTime) -> LastSeen<'_> {
        let created_at = from_unix_seconds(self.request.known_created_at);
        LastSeen {
            created_at,
            expires_at: None,
            status: created_at.map_or("", |_| self.request.known_status.as_str()),
            at: asked_at,
        }
    }

    /// The last record seen by this question.
    pub(super) fn last_record(&self) -> Option<VideoTask> {
        self.progress.task.clone()
    }

    /// The number of this attempt, from 1.
    pub(super) fn attempt(&self) -> u32 {
        self.ctx.info().attempt
    }

    /// Whether a lifecycle asks.
    pub(super) fn is_of_lifecycle(&self) -> bool {
        record::is_lifecycle_activity(self.ctx.info())
    }

    async fn write_down(&self) {
        beat::tell(self.ctx, self.progress.clone()).await;
    }
}

fn expires_at(task: &VideoTask) -> Option<SystemTime> {
    let lifetime = u64::try_from(task.execution_expires_after?).ok()?;
    from_unix_seconds(task.created_at)?.checked_add(Duration::from_secs(lifetime))
}

/// When a task was created, by its id: `cgt-` and the time in China. Observed, not promised.
fn id_time(task_id: &str) -> Option<SystemTime> {
    let digits = task_id.strip_prefix("cgt-")?.get(..14)?;
    let time = DateTime::strptime("%Y%m%d%H%M%S", digits).ok()?;
    let time = tz::offset(8).to_timestamp(time).ok()?;
    SystemTime::try_from(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_hints_at_the_time_of_creation() {
        let seconds = |id| {
            let time = id_time(id)?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
            Some(time.as_secs())
        };
        assert_eq!(seconds("cgt-20260828062711-hj94q"), Some(1_787_869_631));
        for id in [
            "cgt-1",
            "cgt-20261328062711-hj94q",
            "task-7",
            "cgt-ä0260828062711",
            "",
        ] {
            assert_eq!(seconds(id), None, "{id}");
        }
    }
}
