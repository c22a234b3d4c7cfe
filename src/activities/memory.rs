//! What the attempts at a question have learnt. It travels in the heartbeat, so it costs no history.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use seedance_archiver_proto::v1::{QueryProgress, QueryVideoTaskRequest, VideoTask};
use seedance_archiver_workflows::question::Known;
use temporalio_sdk::activities::ActivityContext;

/// The memory of one question, over all its attempts.
pub(super) struct Memory<'a> {
    ctx: &'a ActivityContext,
    created_at: i64,
    progress: QueryProgress,
}

impl<'a> Memory<'a> {
    /// What earlier attempts have left, and what the request says. A memory that cannot be read is
    /// none.
    pub(super) fn recall(ctx: &'a ActivityContext, request: &QueryVideoTaskRequest) -> Self {
        let progress: Option<QueryProgress> = ctx.heartbeat_details().deserialize().ok().flatten();
        Self {
            ctx,
            created_at: request.known_created_at,
            progress: progress.unwrap_or_default(),
        }
    }

    /// A record came. It is written down where it is another one.
    pub(super) async fn saw(&mut self, task: VideoTask) {
        let is_same =
            self.progress.task.as_ref().is_some_and(|last| {
                (&last.status, last.updated_at) == (&task.status, task.updated_at)
            });
        if !is_same || self.progress.not_found_since != 0 {
            self.progress = QueryProgress {
                task: Some(task),
                not_found_since: 0,
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
        time(self.progress.not_found_since).unwrap_or_else(SystemTime::now)
    }

    /// What is known of the task now.
    pub(super) fn known(&self) -> Known {
        let seen = self
            .progress
            .task
            .as_ref()
            .map_or(0, |task| task.created_at);
        known(self.created_at.max(seen), self.ctx)
    }

    /// The last record seen by this question.
    pub(super) fn last_record(&self) -> Option<VideoTask> {
        self.progress.task.clone()
    }

    /// The number of this attempt, from 1.
    pub(super) fn attempt(&self) -> u32 {
        self.ctx.info().attempt
    }

    async fn write_down(&self) {
        if let Err(error) = self.ctx.record_heartbeat(self.progress.clone()).await {
            tracing::error!(%error, "cannot write a heartbeat");
        }
    }
}

/// What is known of a task that was created at this Unix second, 0 where that is not known.
pub(super) fn known(created_at: i64, ctx: &ActivityContext) -> Known {
    let now = SystemTime::now();
    Known {
        created_at: time(created_at),
        first_asked: ctx.info().scheduled_time.unwrap_or(now),
        now,
    }
}

fn time(unix_seconds: i64) -> Option<SystemTime> {
    let seconds = u64::try_from(unix_seconds)
        .ok()
        .filter(|seconds| *seconds > 0)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}
