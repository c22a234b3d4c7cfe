//! Handles a callback: queries the task once, and passes its record to the lifecycle that waits for it.

use std::time::Duration;

use seedance_archiver_policy::poll::{self, lacks_url};
use seedance_archiver_proto::{
    learned_from, outcome, phase,
    reason::CANCELLED_BY_CALLER,
    status,
    v1::{LifecycleProgress, VideoTask, VideoTaskLifecycleRequest},
};
use temporalio_client::Client;

use super::{
    result::{CallbackEffect, CallbackError},
    task_locks::TaskLocks,
};
use crate::{
    activities::task_queries::{SealedTask, TaskQueries},
    config::Account,
    seedance::ErrorKind,
    telemetry::record,
    temporal::{
        lifecycles::{self, Lifecycle},
        submissions::Submission,
    },
};

/// Delay before completing the query activity is retried. A lifecycle has none between two of them.
const COMPLETE_RETRY_DELAY: Duration = Duration::from_millis(50);

/// Handles callbacks for the lifecycles of a namespace.
#[derive(Clone)]
pub struct CallbackHandler {
    client: Client,
    queries: TaskQueries,
    task_queue: String,
    locks: TaskLocks,
}

/// What a task needs.
enum Need {
    /// Its lifecycle is running: pass the record on.
    Record,
    /// It has no lifecycle, or one that ended without a verdict: start one.
    Lifecycle,
    /// Its lifecycle ended with a verdict.
    Nothing,
}

impl CallbackHandler {
    /// Returns a handler for the lifecycles of the client's namespace. It starts lifecycles on this task queue.
    pub fn new(client: Client, queries: TaskQueries, task_queue: &str) -> Self {
        Self {
            client,
            queries,
            task_queue: task_queue.to_owned(),
            locks: TaskLocks::default(),
        }
    }

    /// Handles the callback of a task. If a submission whose task is not known yet is named, it learns its task, and starts
    /// the lifecycle. The task is queried only if a lifecycle needs its record.
    pub(super) async fn handle(
        &self,
        account: &Account,
        task_id: &str,
        submission_id: Option<&str>,
    ) -> Result<CallbackEffect, CallbackError> {
        if let Some(submission_id) = submission_id {
            let submission = Submission::new(&self.client, account.name(), submission_id);
            let is_open = submission.created(task_id, learned_from::CALLBACK).await;
            if is_open.map_err(CallbackError::Temporal)? {
                return Ok(CallbackEffect::SubmissionKnown);
            }
        }
        let callbacks = account.callbacks.as_ref();
        // A task that was created by a submission has a lifecycle, unless something went wrong.
        let may_start = submission_id.is_some()
            || callbacks.is_some_and(|callbacks| callbacks.start_lifecycles);
        self.handle_task(account, task_id, may_start).await
    }

    async fn handle_task(
        &self,
        account: &Account,
        task_id: &str,
        may_start: bool,
    ) -> Result<CallbackEffect, CallbackError> {
        let lifecycle = Lifecycle::for_task(&self.client, account.name(), task_id);
        // The service repeats a callback that is not answered in time. Handled beside the first one, it would deliver the
        // same record to the next query activity, and lengthen the history for nothing.
        let _lock = self.locks.lock(lifecycle.workflow_id()).await;
        match need_of(&lifecycle).await? {
            Need::Record => {
                let sealed = self.query(account, task_id).await?;
                let effect = self.deliver(&lifecycle, &sealed).await?;
                let task = &sealed.task;
                if effect == CallbackEffect::Delivered && status::is_terminal(&task.status) {
                    let clock = self.queries.seedance().clock();
                    record::detection(account.name(), task.updated_at, clock);
                }
                Ok(effect)
            }
            Need::Nothing => Ok(CallbackEffect::Unchanged),
            Need::Lifecycle => {
                if !may_start {
                    return Err(CallbackError::NoLifecycle);
                }
                // The task must exist: a callback with a random id must not start a lifecycle.
                self.query(account, task_id).await?;
                self.start(account, task_id).await
            }
        }
    }

    async fn query(&self, account: &Account, task_id: &str) -> Result<SealedTask, CallbackError> {
        let sealed = self.queries.query_with_record(account, task_id).await;
        sealed.map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::Rejected => CallbackError::NoTask(error),
            _ => CallbackError::Query(error),
        })
    }

    /// Passes a record to a lifecycle if it waits for one and does not know the status yet.
    async fn deliver(
        &self,
        lifecycle: &Lifecycle,
        sealed: &SealedTask,
    ) -> Result<CallbackEffect, CallbackError> {
        loop {
            let progress = lifecycle.progress().await?;
            if !is_waiting(&progress) || !has_later_status(&sealed.task, &progress) {
                return Ok(CallbackEffect::Unchanged);
            }
            // With the facts about this worker, as an attempt returns it.
            let result = self.queries.result_with_record(sealed.clone());
            if lifecycle.complete_query(result).await? {
                return Ok(CallbackEffect::Delivered);
            }
            tokio::time::sleep(COMPLETE_RETRY_DELAY).await;
        }
    }

    async fn start(
        &self,
        account: &Account,
        task_id: &str,
    ) -> Result<CallbackEffect, CallbackError> {
        let request = VideoTaskLifecycleRequest {
            task_id: task_id.to_owned(),
            account: account.name().to_owned(),
            ..VideoTaskLifecycleRequest::default()
        };
        lifecycles::start(&self.client, &self.task_queue, request).await?;
        Ok(CallbackEffect::Started)
    }
}

async fn need_of(lifecycle: &Lifecycle) -> Result<Need, CallbackError> {
    let Some(snapshot) = lifecycle.describe().await? else {
        return Ok(Need::Lifecycle);
    };
    if snapshot.execution.is_open() {
        return Ok(Need::Record);
    }
    // A lifecycle that was cancelled, terminated or timed out reached no verdict.
    if snapshot.execution.is_finished() && has_verdict(&lifecycle.progress().await?) {
        return Ok(Need::Nothing);
    }
    Ok(Need::Lifecycle)
}

fn is_waiting(progress: &LifecycleProgress) -> bool {
    progress.phase == phase::WAITING || progress.phase.is_empty()
}

/// Returns whether a lifecycle ended with a verdict: the video is archived or does not exist, or a caller has
/// cancelled the lifecycle. A new lifecycle may still archive the video of a task that is unknown or lost.
fn has_verdict(progress: &LifecycleProgress) -> bool {
    let is_open = [outcome::UNKNOWN, outcome::LOST].contains(&progress.outcome.as_str());
    progress.phase == phase::ENDED && (!is_open || progress.reason == CANCELLED_BY_CALLER)
}

/// Returns whether a record has a later status than the lifecycle knows. Before its first record, a lifecycle
/// assumes `queued`.
fn has_later_status(task: &VideoTask, progress: &LifecycleProgress) -> bool {
    let known = progress.task.as_ref();
    let known_status = known.map_or(status::QUEUED, |task| task.status.as_str());
    poll::is_later_status(&task.status, known_status) && !lacks_url(task)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_or_lost_task_has_no_verdict_unless_it_was_cancelled() {
        let has_verdict = |phase: &str, outcome: &str, reason: &str| {
            has_verdict(&LifecycleProgress {
                phase: phase.into(),
                outcome: outcome.into(),
                reason: reason.into(),
                ..LifecycleProgress::default()
            })
        };
        assert!(!has_verdict("ended", "unknown", "task_not_found"));
        assert!(!has_verdict("ended", "lost", "unauthorized"));
        assert!(has_verdict("ended", "unknown", "cancelled_by_caller"));
        assert!(has_verdict("ended", "archived", ""));
        assert!(has_verdict("ended", "unsuccessful", "failed"));
        assert!(!has_verdict("archiving", "", "") && !has_verdict("waiting", "", ""));
    }
}
