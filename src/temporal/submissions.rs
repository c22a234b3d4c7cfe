//! Submissions: the workflows that ensure that a create request is sent at most once.
//!
//! - [`Submission`]: claims a submission before its request is sent, and says what came of it.
//! - [`owners`]: to whom a task belongs, as far as Temporal says.
//! - [`rivals`]: other submissions whose task is not known.

pub(crate) mod owners;
pub(crate) mod rivals;

use std::{error::Error, time::Duration};

use seedance_archiver_proto::{
    names::{self, SUBMITTED_MEMO},
    v1::{CreateVideoTaskResult, SubmissionCreated, SubmissionStatus, VideoTaskSubmissionRequest},
};
use seedance_archiver_workflows::{
    VideoTaskSubmission,
    reply::{OptionalArgument, Reply},
};
use temporalio_client::{
    Client, WorkflowDescribeOptions, WorkflowExecutionInfo, WorkflowExecutionStatus,
    WorkflowGetResultOptions, WorkflowHandle, WorkflowIdConflictPolicy, WorkflowIdReusePolicy,
    WorkflowQueryOptions, WorkflowSignalOptions, WorkflowStartOptions, WorkflowTerminateOptions,
    errors::{WorkflowGetResultError, WorkflowInteractionError, WorkflowStartError},
    tonic::Code,
};
use temporalio_common::MemoValues;
use tokio::time::timeout;

use super::error_text;

/// Timeout of the query for the status of a submission.
const QUERY_TIMEOUT: Duration = Duration::from_secs(5);

/// A submission, which may not exist.
pub(crate) struct Submission {
    client: Client,
    handle: WorkflowHandle<Client, VideoTaskSubmission>,
}

/// What is known of a submission.
#[derive(Debug)]
pub(crate) enum State {
    /// Its task is known, or it is ambiguous.
    Known(CreateVideoTaskResult),
    /// Its task is not known yet.
    Open,
    /// Its request created nothing, so another one may be sent.
    Released,
}

impl Submission {
    pub(crate) fn new(client: &Client, account: &str, submission_id: &str) -> Self {
        let workflow_id = names::submission_workflow_id(account, submission_id);
        Self {
            client: client.clone(),
            handle: client.get_workflow_handle(workflow_id),
        }
    }

    /// Returns the workflow id.
    pub(crate) fn workflow_id(&self) -> &str {
        &self.handle.info().workflow_id
    }

    /// Returns whether the submission is claimed: its request was or may be sent, and is not known to have created nothing.
    pub(crate) async fn is_claimed(&self) -> Result<bool, String> {
        match self
            .handle
            .describe(WorkflowDescribeOptions::default())
            .await
        {
            Ok(described) => Ok(described.status() != WorkflowExecutionStatus::Terminated),
            Err(WorkflowInteractionError::NotFound(_)) => Ok(false),
            Err(error) => Err(error_text::innermost(&error)),
        }
    }

    /// Claims the submission. Whoever gets its run id may send one request; everybody else gets `None`.
    ///
    /// The workflow id can be taken if there is no such workflow, or the last one was terminated.
    pub(crate) async fn claim(
        &self,
        task_queue: &str,
        request: VideoTaskSubmissionRequest,
    ) -> Result<Option<String>, String> {
        let summary = format!("Submission {}", request.submission_id);
        let mut memo = MemoValues::new();
        memo.insert(SUBMITTED_MEMO, request.submitted.clone());
        let options = WorkflowStartOptions::new(task_queue, self.workflow_id())
            .id_conflict_policy(WorkflowIdConflictPolicy::Fail)
            .id_reuse_policy(WorkflowIdReusePolicy::AllowDuplicateFailedOnly)
            .memo(memo)
            .static_summary(summary)
            .build();
        let workflow = VideoTaskSubmission::default();
        let started = self
            .client
            .start_workflow(workflow, request.into(), options);
        match started.await {
            Ok(started) => Ok(Some(started.run_id().unwrap_or_default().to_owned())),
            Err(WorkflowStartError::AlreadyStarted { .. }) => Ok(None),
            Err(error) => Err(error_text::innermost(&error)),
        }
    }

    /// Releases a claimed submission, whose request created nothing for sure.
    pub(crate) async fn release(&self, run_id: &str, reason: &str) -> Result<(), String> {
        let info = WorkflowExecutionInfo::builder()
            .namespace(self.client.options().namespace.as_str())
            .workflow_id(self.workflow_id())
            .run_id(run_id)
            .build();
        let run: WorkflowHandle<Client, VideoTaskSubmission> =
            WorkflowHandle::new(self.client.clone(), info);
        let options = WorkflowTerminateOptions::builder()
            .reason(reason.to_owned())
            .build();
        unless_closed(run.terminate(options).await).map(drop)
    }

    /// Says which task was created. Returns whether the submission was open, so that the task is recorded.
    pub(crate) async fn created(&self, task_id: &str, learned_from: &str) -> Result<bool, String> {
        let created = SubmissionCreated {
            task_id: task_id.to_owned(),
            learned_from: learned_from.to_owned(),
        };
        let options = WorkflowSignalOptions::default();
        let signal = self
            .handle
            .signal(VideoTaskSubmission::created, created.into(), options);
        unless_closed(signal.await)
    }

    /// Says that the answer was lost.
    pub(crate) async fn unanswered(&self) -> Result<bool, String> {
        let signal = self.handle.signal(
            VideoTaskSubmission::unanswered,
            OptionalArgument::default(),
            WorkflowSignalOptions::default(),
        );
        unless_closed(signal.await)
    }

    /// Returns the state of the submission, after it waited for its end for a time.
    pub(crate) async fn state_within(&self, time: Duration) -> Result<State, String> {
        let result = self.handle.get_result(WorkflowGetResultOptions::default());
        match timeout(time, result).await {
            Ok(Ok(result)) => Ok(State::Known(Reply::into_message(result))),
            Ok(Err(WorkflowGetResultError::Rpc(status))) if status.code() == Code::NotFound => {
                Ok(State::Released)
            }
            Ok(Err(WorkflowGetResultError::Rpc(status))) => Err(error_text::innermost(&status)),
            Ok(Err(WorkflowGetResultError::Terminated { .. })) => Ok(State::Released),
            Ok(Err(error)) => Err(error_text::innermost(&error)),
            Err(_) => Ok(match self.status().await?.result {
                Some(result) => State::Known(result),
                None => State::Open,
            }),
        }
    }

    /// Queries the workflow for what it knows.
    pub(super) async fn status(&self) -> Result<SubmissionStatus, String> {
        let query = self.handle.query(
            VideoTaskSubmission::submission,
            OptionalArgument::default(),
            WorkflowQueryOptions::default(),
        );
        match timeout(QUERY_TIMEOUT, query).await {
            Ok(Ok(status)) => Ok(Reply::into_message(status)),
            Ok(Err(error)) => Err(error_text::innermost(&error)),
            Err(_) => Err(format!(
                "no worker answered the query within {} s",
                QUERY_TIMEOUT.as_secs()
            )),
        }
    }
}

/// Returns whether a call reached an open workflow.
fn unless_closed(called: Result<(), WorkflowInteractionError>) -> Result<bool, String> {
    match called {
        Ok(()) => Ok(true),
        Err(WorkflowInteractionError::NotFound(_)) => Ok(false),
        Err(WorkflowInteractionError::Rpc(status)) => Err(error_text::innermost(&status)),
        Err(error) => Err(error_text::innermost(&error as &(dyn Error + 'static))),
    }
}
