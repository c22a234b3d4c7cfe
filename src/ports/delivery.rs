//! What a callback brings about: one question, and its answer at once where somebody waits for it.

use std::time::Duration;

use seedance_archiver_policy::poll;
use seedance_archiver_proto::{
    names, outcome, phase,
    reason::CANCELLED_BY_CALLER,
    status,
    v1::{LifecycleProgress, VideoTask, VideoTaskLifecycleRequest},
};
use seedance_archiver_workflows::{
    VideoTaskLifecycle,
    reply::{Bare, Reply},
};
use temporalio_client::{
    ActivityIdentifier, Client, RpcOptions, WorkflowDescribeOptions, WorkflowExecutionStatus,
    WorkflowQueryOptions,
    errors::{AsyncActivityError, WorkflowInteractionError},
};

use crate::{
    activities::task_queries::{TaskQueries, lacks_url},
    config::Account,
    seedance::{self, ErrorKind},
    telemetry::record,
    temporal::lifecycles,
};

/// Time between two tries to complete a question: between two of them there is none.
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(50);

/// Tells lifecycles what was learnt of their tasks before they asked.
#[derive(Clone)]
pub struct Deliveries {
    client: Client,
    queries: TaskQueries,
    task_queue: String,
}

/// How the lifecycle of a task stands.
enum Lifecycle {
    Running,
    /// It has ended, and nothing is left to do.
    Done,
    /// There is none, or none that has ended well.
    Missing,
}

/// What a delivery did. Each is durable in Temporal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Effect {
    /// The waiting lifecycle has the news.
    Delivered,
    /// The lifecycle knows as much already, or has ended.
    NoNews,
    /// A lifecycle was started.
    Started,
}

/// Why a delivery did nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("the service does not know the task: {0}")]
    NoTask(seedance::Error),
    #[error(
        "no lifecycle waits for the task, and the account does not say that one is to be started"
    )]
    NoLifecycle,
    #[error("the task could not be asked about: {0}")]
    Seedance(seedance::Error),
    #[error("Temporal could not be told: {0}")]
    Temporal(String),
    #[error("it took too long")]
    TooSlow,
}

impl Effect {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::NoNews => "no news",
            Self::Started => "started",
        }
    }
}

impl Deliveries {
    /// Deliveries to the lifecycles of this client's namespace. New ones start on this task queue.
    pub fn new(client: Client, queries: TaskQueries, task_queue: &str) -> Self {
        Self {
            client,
            queries,
            task_queue: task_queue.to_owned(),
        }
    }

    /// Asks about a task, once somebody may need the answer, and tells its lifecycle.
    pub(super) async fn deliver(
        &self,
        account: &Account,
        task_id: &str,
    ) -> Result<Effect, Refused> {
        let workflow_id = names::lifecycle_workflow_id(account.name(), task_id);
        match self.lifecycle(&workflow_id).await? {
            Lifecycle::Running => {
                let task = self.ask(account, task_id).await?;
                let effect = self.tell(&workflow_id, &task).await?;
                if effect == Effect::Delivered && status::is_terminal(&task.status) {
                    record::detected(account.name(), task.updated_at);
                }
                Ok(effect)
            }
            Lifecycle::Done => Ok(Effect::NoNews),
            Lifecycle::Missing => {
                let callbacks = account.callbacks.as_ref();
                if !callbacks.is_some_and(|callbacks| callbacks.start_lifecycles) {
                    return Err(Refused::NoLifecycle);
                }
                self.ask(account, task_id).await?;
                self.start(account, task_id).await
            }
        }
    }

    async fn ask(&self, account: &Account, task_id: &str) -> Result<VideoTask, Refused> {
        let asked = self.queries.query(account, task_id).await;
        asked.map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::Rejected => Refused::NoTask(error),
            _ => Refused::Seedance(error),
        })
    }

    /// Tells a lifecycle what it waits for.
    async fn tell(&self, workflow_id: &str, task: &VideoTask) -> Result<Effect, Refused> {
        loop {
            let progress = self.progress(workflow_id).await?;
            if !is_waiting(&progress) || !is_news(task, &progress) {
                return Ok(Effect::NoNews);
            }
            if self.complete(workflow_id, task).await? {
                return Ok(Effect::Delivered);
            }
            tokio::time::sleep(BETWEEN_QUESTIONS).await;
        }
    }

    /// How the lifecycle stands. One that has closed without a verdict, because it was terminated, has
    /// failed or was never let to find the task, is missing.
    async fn lifecycle(&self, workflow_id: &str) -> Result<Lifecycle, Refused> {
        let lifecycle = self
            .client
            .get_workflow_handle::<VideoTaskLifecycle>(workflow_id);
        let description = lifecycle.describe(WorkflowDescribeOptions::default());
        let status = match description.await {
            Ok(description) => description.status(),
            Err(WorkflowInteractionError::NotFound(_)) => return Ok(Lifecycle::Missing),
            Err(error) => return Err(Refused::Temporal(error.to_string())),
        };
        match status {
            WorkflowExecutionStatus::Running => Ok(Lifecycle::Running),
            // Whatever else ends a lifecycle does so without its doing.
            WorkflowExecutionStatus::Completed | WorkflowExecutionStatus::Failed
                if is_done(&self.progress(workflow_id).await?) =>
            {
                Ok(Lifecycle::Done)
            }
            _ => Ok(Lifecycle::Missing),
        }
    }

    /// What the lifecycle knows.
    async fn progress(&self, workflow_id: &str) -> Result<LifecycleProgress, Refused> {
        let lifecycle = self
            .client
            .get_workflow_handle::<VideoTaskLifecycle>(workflow_id);
        let options = WorkflowQueryOptions::default();
        lifecycle
            .query(VideoTaskLifecycle::progress, Bare::default(), options)
            .await
            .map(Reply::into_message)
            .map_err(|error| Refused::Temporal(error.to_string()))
    }

    /// Answers the question that the lifecycle has open. `false`: it has none.
    async fn complete(&self, workflow_id: &str, task: &VideoTask) -> Result<bool, Refused> {
        let question =
            ActivityIdentifier::by_id_workflow(workflow_id, "", names::QUERY_ACTIVITY_ID);
        let question = self.client.get_async_activity_handle(question);
        match question
            .complete(Some(task.clone()), RpcOptions::default())
            .await
        {
            Ok(()) => Ok(true),
            Err(AsyncActivityError::NotFound(_)) => Ok(false),
            Err(error) => Err(Refused::Temporal(error.to_string())),
        }
    }

    async fn start(&self, account: &Account, task_id: &str) -> Result<Effect, Refused> {
        let request = VideoTaskLifecycleRequest {
            task_id: task_id.to_owned(),
            account: account.name().to_owned(),
            ..VideoTaskLifecycleRequest::default()
        };
        lifecycles::start(&self.client, &self.task_queue, request)
            .await
            .map(|_| Effect::Started)
            .map_err(|error| Refused::Temporal(error.to_string()))
    }
}

fn is_waiting(progress: &LifecycleProgress) -> bool {
    progress.phase == phase::WAITING || progress.phase.is_empty()
}

/// Whether nothing is left to do: the video is archived or will never be, or somebody has told the
/// lifecycle to stop.
fn is_done(progress: &LifecycleProgress) -> bool {
    let may_be_had = [outcome::UNKNOWN, outcome::LOST].contains(&progress.outcome.as_str());
    progress.phase == phase::ENDED && (!may_be_had || progress.reason == CANCELLED_BY_CALLER)
}

/// A lifecycle begins by assuming `queued`.
fn is_news(task: &VideoTask, progress: &LifecycleProgress) -> bool {
    let known = progress.task.as_ref();
    let known_status = known.map_or(status::QUEUED, |task| task.status.as_str());
    poll::is_later_status(&task.status, known_status) && !lacks_url(task)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_verdict_is_done() {
        let done = |phase: &str, outcome: &str, reason: &str| {
            is_done(&LifecycleProgress {
                phase: phase.into(),
                outcome: outcome.into(),
                reason: reason.into(),
                ..LifecycleProgress::default()
            })
        };
        assert!(!done("ended", "unknown", "task_not_found"));
        assert!(!done("ended", "lost", "unauthorized"));
        assert!(done("ended", "unknown", "cancelled_by_caller"));
        assert!(done("ended", "archived", ""));
        assert!(done("ended", "unsuccessful", "failed"));
        assert!(!done("archiving", "", "") && !done("waiting", "", ""));
    }
}
