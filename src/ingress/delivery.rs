//! What a callback brings about: one question, and its answer at once where somebody waits for it.

use std::time::Duration;

use seedance_archiver_proto::{
    names, outcome, phase,
    reason::CANCELLED_BY_CALLER,
    status,
    v1::{LifecycleProgress, VideoTask, VideoTaskLifecycleRequest},
};
use seedance_archiver_workflows::{VideoTaskLifecycle, question};
use temporalio_client::{
    ActivityIdentifier, Client, RpcOptions, WorkflowQueryOptions,
    errors::{AsyncActivityError, WorkflowQueryError},
};

use crate::{
    config::Account,
    lifecycles,
    questions::{Questions, lacks_url},
    seedance::{self, Reaction},
};

/// Time between two tries to complete a question: between two of them there is none.
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(50);

/// Tells lifecycles what was learnt of their tasks before they asked.
#[derive(Clone)]
pub struct Deliveries {
    client: Client,
    questions: Questions,
    task_queue: String,
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
    pub fn new(client: Client, questions: Questions, task_queue: &str) -> Self {
        Self {
            client,
            questions,
            task_queue: task_queue.to_owned(),
        }
    }

    /// Asks about a task, and tells its lifecycle.
    pub(super) async fn deliver(
        &self,
        account: &Account,
        task_id: &str,
    ) -> Result<Effect, Refused> {
        let asked = self.questions.ask(account, task_id).await;
        let task = asked.map_err(|error| match error.reaction() {
            Reaction::NotFound | Reaction::Refused => Refused::NoTask(error),
            _ => Refused::Seedance(error),
        })?;
        let workflow_id = names::lifecycle_workflow_id(&account.name, task_id);
        loop {
            match self.progress(&workflow_id).await? {
                Some(progress) if is_waiting(&progress) => {
                    if !is_news(&task, &progress) {
                        return Ok(Effect::NoNews);
                    }
                    if self.complete(&workflow_id, &task).await? {
                        return Ok(Effect::Delivered);
                    }
                }
                Some(progress) if !is_open(&progress) => return Ok(Effect::NoNews),
                _ => return self.start(account, task_id).await,
            }
            tokio::time::sleep(BETWEEN_QUESTIONS).await;
        }
    }

    /// What the lifecycle knows; `None` where there is none.
    async fn progress(&self, workflow_id: &str) -> Result<Option<LifecycleProgress>, Refused> {
        let lifecycle = self
            .client
            .get_workflow_handle::<VideoTaskLifecycle>(workflow_id);
        let options = WorkflowQueryOptions::default();
        match lifecycle
            .query(VideoTaskLifecycle::progress, (), options)
            .await
        {
            Ok(progress) => Ok(Some(progress)),
            Err(WorkflowQueryError::NotFound(_)) => Ok(None),
            Err(error) => Err(Refused::Temporal(error.to_string())),
        }
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
        let callbacks = account.callbacks.as_ref();
        if !callbacks.is_some_and(|callbacks| callbacks.start_lifecycles) {
            return Err(Refused::NoLifecycle);
        }
        let request = VideoTaskLifecycleRequest {
            task_id: task_id.to_owned(),
            account: account.name.clone(),
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

/// Whether the task may still have a video that no lifecycle brings in. One that somebody has
/// cancelled stays cancelled.
fn is_open(progress: &LifecycleProgress) -> bool {
    let has_no_verdict = [outcome::UNKNOWN, outcome::LOST].contains(&progress.outcome.as_str());
    progress.phase == phase::ENDED && has_no_verdict && progress.reason != CANCELLED_BY_CALLER
}

/// A lifecycle begins by assuming `queued`.
fn is_news(task: &VideoTask, progress: &LifecycleProgress) -> bool {
    let known = progress.task.as_ref();
    let known_status = known.map_or(status::QUEUED, |task| task.status.as_str());
    question::is_news(&task.status, known_status) && !lacks_url(task)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_verdict_is_not_started_again() {
        let open = |phase: &str, outcome: &str, reason: &str| {
            is_open(&LifecycleProgress {
                phase: phase.into(),
                outcome: outcome.into(),
                reason: reason.into(),
                ..LifecycleProgress::default()
            })
        };
        assert!(open("ended", "unknown", "task_not_found"));
        assert!(open("ended", "lost", "unauthorized"));
        assert!(!open("ended", "unknown", "cancelled_by_caller"));
        assert!(!open("ended", "archived", ""));
        assert!(!open("ended", "unsuccessful", "failed"));
        assert!(!open("archiving", "", ""));
    }
}
