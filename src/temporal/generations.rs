//! Generations: the workflows that create a task and wait until its video is archived.

use std::time::Duration;

use seedance_archiver_proto::{
    names::{self, AWAIT_ACTIVITY_ID, failure::VIDEO_LOST},
    v1::{GenerateVideoRequest, GenerateVideoResult},
};
use seedance_archiver_workflows::{GenerateVideo, reply::Reply};
use temporalio_client::{
    Client, WorkflowDescribeOptions, WorkflowGetResultOptions, WorkflowHandle,
    WorkflowIdConflictPolicy, WorkflowStartOptions, errors::WorkflowGetResultError,
};
use temporalio_common::error::IncomingError;

use super::{
    lifecycles::{Lifecycle, LifecycleError, PendingActivity, Step},
    progress,
    submissions::Submission,
};

/// Interval between two checks whether the task is known.
const CHECK_INTERVAL: Duration = Duration::from_millis(200);

/// A generation that was started or joined.
pub(crate) struct Generation {
    client: Client,
    handle: WorkflowHandle<Client, GenerateVideo>,
    account: String,
    submission_id: String,
}

/// Starts the generation of a submission, or joins the running one. The request must have a submission id.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call.
pub(crate) async fn start(
    client: &Client,
    task_queue: &str,
    request: GenerateVideoRequest,
) -> Result<Generation, LifecycleError> {
    let account = names::account_or_default(&request.account).to_owned();
    let submission_id = request.submission_id.clone();
    let workflow_id = names::generate_workflow_id(&account, &submission_id);
    let options = WorkflowStartOptions::new(task_queue, workflow_id.as_str())
        .id_conflict_policy(WorkflowIdConflictPolicy::UseExisting)
        .static_summary(format!("Seedance video of submission {submission_id}"))
        .build();
    let started = client.start_workflow(GenerateVideo, request.into(), options);
    match started.await {
        Ok(handle) => Ok(Generation {
            client: client.clone(),
            handle,
            account,
            submission_id,
        }),
        Err(error) => Err(LifecycleError::from_call(&workflow_id, &error)),
    }
}

impl Generation {
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn account(&self) -> &str {
        &self.account
    }

    pub(crate) fn submission_id(&self) -> &str {
        &self.submission_id
    }

    pub(crate) fn workflow_id(&self) -> &str {
        &self.handle.info().workflow_id
    }

    /// Returns the id of the run that was started or joined.
    pub(crate) fn run_id(&self) -> &str {
        self.handle.run_id().unwrap_or_default()
    }

    /// Waits for the result, which may be in the details of a failure.
    ///
    /// # Errors
    ///
    /// Returns an error if the workflow failed for another reason than a lost video, was stopped, or Temporal is unreachable.
    pub(crate) async fn result(&self) -> Result<GenerateVideoResult, LifecycleError> {
        let id = self.workflow_id();
        let options = WorkflowGetResultOptions::default();
        let stopped = |how: &str| {
            let message =
                format!("the workflow was {how}; a task that it created goes on and is archived");
            LifecycleError::new(id, message)
        };
        match self.handle.get_result(options).await {
            Ok(result) => Ok(result.into_message()),
            Err(WorkflowGetResultError::Failed(failure)) => {
                lost_video(&failure).ok_or_else(|| LifecycleError::from_failure(id, &failure))
            }
            Err(WorkflowGetResultError::Terminated { .. }) => Err(stopped("terminated")),
            Err(WorkflowGetResultError::Cancelled { .. }) => Err(stopped("cancelled")),
            Err(WorkflowGetResultError::TimedOut) => Err(stopped("timed out")),
            Err(WorkflowGetResultError::Rpc(status)) => Err(LifecycleError::from_call(id, &status)),
            Err(error) => Err(LifecycleError::from_call(id, &error)),
        }
    }

    /// Waits for the result, and reports the current step a few times a second until then, with the task once it is known.
    ///
    /// # Errors
    ///
    /// Those of [`Generation::result`]. If Temporal cannot be asked in between, no step is reported.
    pub(crate) async fn follow(
        &self,
        mut report: impl FnMut(Option<&str>, Step),
    ) -> Result<GenerateVideoResult, LifecycleError> {
        let mut task_id = None;
        let report_step = async || match self.pending_activity().await {
            Some(pending) if pending.activity == AWAIT_ACTIVITY_ID => {
                if task_id.is_none() {
                    task_id = self.known_task_id().await;
                }
                if let Some(task_id) = task_id.as_deref()
                    && let Some(step) = self.step_of(task_id).await
                {
                    report(Some(task_id), step);
                }
            }
            Some(pending) => report(None, pending.step()),
            None => {}
        };
        progress::report_until(self.result(), report_step).await
    }

    /// Waits until the id of the task is known. Returns `None` if the generation ends before.
    pub(crate) async fn task_id(&self) -> Option<String> {
        let known = async {
            loop {
                if let Some(id) = self.known_task_id().await {
                    return id;
                }
                tokio::time::sleep(CHECK_INTERVAL).await;
            }
        };
        tokio::select! {
            id = known => Some(id),
            result = self.result() => result.ok().map(|it| it.task_id).filter(|id| !id.is_empty()),
        }
    }

    /// Returns the id of the task, as far as the submission knows it.
    async fn known_task_id(&self) -> Option<String> {
        let submission = Submission::new(&self.client, &self.account, &self.submission_id);
        let result = submission.status().await.ok()?.result?;
        Some(result.task_id).filter(|id| !id.is_empty())
    }

    async fn pending_activity(&self) -> Option<PendingActivity> {
        let described = self.handle.describe(WorkflowDescribeOptions::default());
        let described = described.await.ok()?;
        let pending = described.raw().pending_activities.first()?;
        Some(PendingActivity::new(&self.client, pending).await)
    }

    /// Returns the current step of the lifecycle of the task.
    async fn step_of(&self, task_id: &str) -> Option<Step> {
        let lifecycle = Lifecycle::for_task(&self.client, &self.account, task_id);
        lifecycle.describe().await.ok()??.step()
    }
}

/// Returns the result in the details of a `VideoLost` failure.
fn lost_video(failure: &IncomingError) -> Option<GenerateVideoResult> {
    match failure {
        IncomingError::Application(failure) if failure.type_name() == Some(VIDEO_LOST) => {
            let result: Option<Reply<GenerateVideoResult>> = failure.details().ok().flatten();
            result.map(Reply::into_message)
        }
        _ => None,
    }
}
