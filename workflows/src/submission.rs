//! The workflow `VideoTaskSubmission`.

// The constants that the macro generates have no documentation.
#![allow(missing_docs)]

mod ownership;
mod state;

use std::time::Duration;

use seedance_archiver_proto::{
    learned_from,
    names::SUBMISSION_WORKFLOW,
    v1::{
        CreateVideoTaskResult, FindSubmittedTaskRequest, FindSubmittedTaskResult,
        SubmissionCreated, SubmissionStatus, VideoTaskSubmissionRequest,
    },
};
use temporalio_macros::workflow_methods;
use temporalio_workflow::{
    ActivityExecutionError, SyncWorkflowContext, TimerOptions, WaitConditionOptions,
    WorkflowCancellationToken, WorkflowContext, WorkflowContextView, WorkflowResult,
    workflows::select,
};

use crate::{
    activities::QueryActivities,
    activity_error, details, options,
    reply::{OptionalArgument, Reply},
    request::Request,
};

use state::{Context, Learned};

pub use state::VideoTaskSubmission;

/// How long a submission waits for the answer before it looks for its task. Then whoever sent the request is gone: it
/// would have reported the answer, or that there was none.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// How long an ambiguous submission waits for a callback: as long as tasks can be queried.
const CALLBACK_TIMEOUT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

#[workflow_methods]
impl VideoTaskSubmission {
    /// Waits until the task is known, looks for it if the answer was lost, and starts its lifecycle.
    #[run(name = SUBMISSION_WORKFLOW)]
    pub async fn run(
        ctx: &mut WorkflowContext<Self>,
        request: Request<VideoTaskSubmissionRequest>,
    ) -> WorkflowResult<Reply<CreateVideoTaskResult>> {
        let encoding = request.encoding();
        let request = match request.check() {
            Ok(request) => request,
            // Not a failure, after which the request could be sent again.
            Err(error) => return Ok(Reply::new(ambiguous("", error.to_string()), encoding)),
        };
        ctx.state_mut(|state| {
            state.encoding = encoding;
            state.status.submitted = request.submitted.clone();
        });
        let result = task_of(ctx, &request).await;
        ctx.set_current_details(details::for_submission(&request.account, &result));
        ctx.state_mut(|state| state.status.result = Some(result.clone()));
        Ok(Reply::new(result, encoding))
    }

    /// Says which task was created. The first one counts.
    #[signal(name = "created")]
    pub fn created(
        &mut self,
        _: &mut SyncWorkflowContext<Self>,
        created: Request<SubmissionCreated>,
    ) {
        if let Ok(created) = created.check() {
            self.created.get_or_insert(created);
        }
    }

    /// Says that the answer to the request was lost.
    #[signal(name = "unanswered")]
    pub fn unanswered(&mut self, _: &mut SyncWorkflowContext<Self>, _: OptionalArgument) {
        self.is_unanswered = true;
    }

    /// Returns what is known of the submission.
    #[query(name = "submission")]
    pub fn submission(
        &self,
        _: &WorkflowContextView,
        argument: OptionalArgument,
    ) -> Reply<SubmissionStatus> {
        let encoding = argument.encoding().unwrap_or(self.encoding);
        Reply::new(self.status.clone(), encoding)
    }
}

/// Returns the task of the submission, after its lifecycle was started, or that it is ambiguous.
async fn task_of(ctx: &Context, request: &VideoTaskSubmissionRequest) -> CreateVideoTaskResult {
    let id = &request.submission_id;
    wait_for_answer(ctx).await;
    loop {
        let learned = match ctx.state(signalled) {
            Some(learned) => learned,
            None => match find(ctx, request).await {
                Search::Found(learned) => learned,
                Search::Ambiguous(result) => {
                    wait_for_callback(ctx, request, &result).await;
                    match ctx.state(signalled) {
                        Some(learned) => learned,
                        None => return result,
                    }
                }
                Search::Interrupted => continue,
            },
        };
        if ownership::take(ctx, request, &learned).await.is_ok() {
            return CreateVideoTaskResult {
                task_id: learned.task_id,
                submission_id: id.clone(),
                learned_from: learned.from.to_owned(),
                ..CreateVideoTaskResult::default()
            };
        }
    }
}

/// Waits for the answer, even if the workflow is cancelled: the request may be on the way.
async fn wait_for_answer(ctx: &Context) {
    let is_over = |state: &VideoTaskSubmission| state.created.is_some() || state.is_unanswered;
    let token = WorkflowCancellationToken::new();
    let timeout = TimerOptions::builder(ANSWER_TIMEOUT)
        .cancellation_token(token.clone())
        .build();
    let wait = WaitConditionOptions::builder()
        .cancellation_token(token)
        .build();
    select! {
        _ = ctx.wait_condition_with_options(is_over, wait) => {}
        _ = ctx.timer(timeout) => {}
    }
}

/// Returns the task that a signal named.
fn signalled(state: &VideoTaskSubmission) -> Option<Learned> {
    let created = state.created.clone()?;
    Some(Learned {
        task_id: created.task_id,
        from: match created.learned_from.as_str() {
            learned_from::ANSWER => learned_from::ANSWER,
            _ => learned_from::CALLBACK,
        },
        has_lifecycle: false,
        is_own: false,
    })
}

/// How the search for the task ended.
enum Search {
    Found(Learned),
    Ambiguous(CreateVideoTaskResult),
    /// A signal named the task first.
    Interrupted,
}

/// Looks for the task in the list, even if the workflow is cancelled: a wait that is cancelled returns at once, and the loop that
/// repeats the search would never leave its workflow task.
async fn find(ctx: &Context, request: &VideoTaskSubmissionRequest) -> Search {
    ctx.set_current_details(details::for_unanswered(&request.account));
    let token = WorkflowCancellationToken::new();
    let options = options::submissions::find(token.clone());
    let find_request = FindSubmittedTaskRequest {
        submission_id: request.submission_id.clone(),
        account: request.account.clone(),
        submitted: request.submitted.clone(),
    };
    let mut found =
        ctx.execute_activity(QueryActivities::find_submitted_task, find_request, options);
    let is_known = |state: &VideoTaskSubmission| signalled(state).is_some();
    let wait = WaitConditionOptions::builder()
        .cancellation_token(token.clone())
        .build();
    select! {
        found = &mut found => read(request, found.map(Reply::into_message)),
        _ = ctx.wait_condition_with_options(is_known, wait) => {
            token.cancel();
            Search::Interrupted
        }
    }
}

fn read(
    request: &VideoTaskSubmissionRequest,
    found: Result<FindSubmittedTaskResult, ActivityExecutionError>,
) -> Search {
    let id = &request.submission_id;
    match found {
        Ok(found) if !found.task_id.is_empty() => Search::Found(Learned {
            task_id: found.task_id,
            from: learned_from::LIST,
            has_lifecycle: found.has_lifecycle,
            is_own: found.is_own,
        }),
        Ok(found) => Search::Ambiguous(CreateVideoTaskResult {
            candidates: found.candidates,
            ..ambiguous(id, found.message)
        }),
        Err(error) => Search::Ambiguous(ambiguous(id, activity_error::message(&error))),
    }
}

/// Waits for a callback after the list did not decide it, unless the workflow is cancelled. Whoever queries the submission
/// learns that it is ambiguous.
async fn wait_for_callback(
    ctx: &Context,
    request: &VideoTaskSubmissionRequest,
    result: &CreateVideoTaskResult,
) {
    ctx.set_current_details(details::for_submission(&request.account, result));
    ctx.state_mut(|state| state.status.result = Some(result.clone()));
    select! {
        _ = ctx.wait_condition(|state| state.created.is_some()) => {}
        _ = ctx.timer(CALLBACK_TIMEOUT) => {}
    }
}

fn ambiguous(submission_id: &str, message: String) -> CreateVideoTaskResult {
    CreateVideoTaskResult {
        submission_id: submission_id.to_owned(),
        submission_ambiguous: true,
        message,
        ..CreateVideoTaskResult::default()
    }
}
