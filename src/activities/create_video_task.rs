//! `CreateVideoTask`: creates a task with at most one request for each submission.
//!
//! The API has no idempotency key. So the activity first claims the submission, by starting its workflow, which is recorded
//! before the request is sent. Whoever does not get the claim sends nothing: neither a retry after a worker died, nor another
//! caller. If it is certain that no task was created, the claim is released, and the next attempt gets it. If the answer is
//! lost, the workflow looks for the task, and this activity waits for it.

mod attempt;
mod begin;
mod callback;
mod request;
mod retry;
mod submission_id;

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use seedance_archiver_proto::{
    learned_from,
    time::unix_seconds,
    v1::{
        CreateVideoTaskRequest, CreateVideoTaskResult, VideoTaskLifecycleRequest,
        VideoTaskSubmissionRequest,
    },
};
use seedance_archiver_workflows::create_request::CreateBody;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{checked_request::CheckedRequest, failure, heartbeat, next_attempt};
use crate::{
    config::Account,
    seedance::Client,
    telemetry::record::{self, SubmissionResult},
    temporal::{
        lifecycles,
        submissions::{State, Submission},
    },
};
use attempt::Attempt;
use begin::Begin;
use request::Sent;
use retry::{RETRY_DELAY, temporal_failure};

/// How long an attempt waits for the end of the submission. It usually ends at once.
const HOLD_TIME: Duration = Duration::from_secs(10);
/// Delay between two attempts that wait for the task of an unanswered request.
const WAIT_DELAY: Duration = Duration::from_secs(5);
pub(super) type Call = CheckedRequest<CreateVideoTaskRequest, Arc<Account>>;

pub(super) async fn run(
    ctx: &ActivityContext,
    seedance: &Client,
    call: Call,
) -> Result<CreateVideoTaskResult, ActivityError> {
    let begin = Begin::now(seedance.clock());
    let CheckedRequest {
        request, account, ..
    } = &call;
    let submission_id = submission_id::of(ctx, request).await?;
    let attempt = Attempt {
        ctx,
        seedance,
        account,
        submission: Submission::new(&ctx.client(), account.name(), &submission_id),
        submission_id,
        destination: &request.destination,
        progress: Mutex::new(heartbeat::last_details(ctx).unwrap_or_default()),
    };
    let body = CreateBody::parse(&request.request).map_err(failure::invalid_request)?;
    let details = || attempt.progress.lock().clone();
    heartbeat::during(ctx, details, attempt.create(begin, body)).await
}

impl Attempt<'_> {
    async fn create(
        &self,
        begin: Begin,
        body: CreateBody,
    ) -> Result<CreateVideoTaskResult, ActivityError> {
        let known = self.progress.lock().task_id.clone();
        if !known.is_empty() {
            return self.report(known).await;
        }
        let callback = callback::for_request(self.account, &self.submission_id, &body)?;
        match self.claim(&begin, &body).await? {
            Some(run_id) => match request::send(self, &run_id, &begin, body, callback).await? {
                Sent::Created(task_id) => self.report(task_id).await,
                Sent::Unanswered => {
                    self.report_unanswered().await;
                    self.wait().await
                }
            },
            None => {
                // An earlier attempt did not live to say what came of its request.
                let is_reported = self.progress.lock().is_reported;
                if self.ctx.info().attempt > 1 && !is_reported {
                    self.report_unanswered().await;
                }
                self.wait().await
            }
        }
    }

    /// Claims the submission. Returns the run id of the claim, or `None` if a request was or may be sent already.
    async fn claim(
        &self,
        begin: &Begin,
        body: &CreateBody,
    ) -> Result<Option<String>, ActivityError> {
        let request = VideoTaskSubmissionRequest {
            submission_id: self.submission_id.clone(),
            account: self.account.name().to_owned(),
            destination: self.destination.to_owned(),
            submitted: Some(body.submitted(unix_seconds(begin.time()))),
        };
        let task_queue = &self.ctx.info().task_queue;
        let claimed = self.submission.claim(task_queue, request).await;
        claimed.map_err(|error| temporal_failure(&format!("cannot start the submission: {error}")))
    }

    /// Reports the task until it is recorded, and waits for its lifecycle.
    async fn report(&self, task_id: String) -> Result<CreateVideoTaskResult, ActivityError> {
        self.progress.lock().task_id.clone_from(&task_id);
        let is_open = loop {
            let reported = self
                .submission
                .created(&task_id, learned_from::ANSWER)
                .await;
            match reported {
                Ok(is_open) => break is_open,
                Err(error) => {
                    tracing::warn!(task_id, error, "cannot record the task of a submission");
                    self.heartbeat().await;
                    tokio::time::sleep(RETRY_DELAY).await;
                }
            }
        };
        if is_open {
            return self.wait().await;
        }
        // A callback was faster, or the submission was terminated.
        match self.submission.state_within(HOLD_TIME).await {
            Ok(State::Known(result)) if result.task_id == task_id => Ok(result),
            _ => self.start_lifecycle(task_id).await,
        }
    }

    /// Starts the lifecycle of a task whose submission cannot do it.
    async fn start_lifecycle(
        &self,
        task_id: String,
    ) -> Result<CreateVideoTaskResult, ActivityError> {
        let request = VideoTaskLifecycleRequest {
            task_id: task_id.clone(),
            account: self.account.name().to_owned(),
            destination: self.destination.to_owned(),
            ..VideoTaskLifecycleRequest::default()
        };
        let task_queue = &self.ctx.info().task_queue;
        let started = lifecycles::start(&self.ctx.client(), task_queue, request).await;
        started.map_err(|error| temporal_failure(&format!("cannot start lifecycle {error}")))?;
        Ok(CreateVideoTaskResult {
            task_id,
            submission_id: self.submission_id.clone(),
            learned_from: learned_from::ANSWER.to_owned(),
            ..CreateVideoTaskResult::default()
        })
    }

    /// Reports that the answer was lost. If Temporal does not answer, the submission notices it later by itself.
    async fn report_unanswered(&self) {
        record::submission(self.account.name(), SubmissionResult::Unanswered);
        if let Err(error) = self.submission.unanswered().await {
            tracing::warn!(
                error,
                "cannot report that the answer to a create request was lost"
            );
            return;
        }
        self.progress.lock().is_reported = true;
        self.heartbeat().await;
    }

    async fn heartbeat(&self) {
        let progress = self.progress.lock().clone();
        heartbeat::record(self.ctx, progress).await;
    }

    /// Waits for the end of the submission for some seconds.
    async fn wait(&self) -> Result<CreateVideoTaskResult, ActivityError> {
        let state = tokio::select! {
            state = self.submission.state_within(HOLD_TIME) => state.unwrap_or_else(|error| {
                tracing::warn!(error, "cannot read the state of a submission");
                State::Open
            }),
            () = self.ctx.cancelled() => {
                return Err(next_attempt::or_cancelled(self.ctx, || waiting(Duration::ZERO)).await);
            }
        };
        match state {
            State::Known(result) => Ok(result),
            State::Open => Err(waiting(WAIT_DELAY)),
            State::Released => {
                let message =
                    "the request of this submission created no task; sending it again".to_owned();
                Err(failure::still_waiting(message, RETRY_DELAY))
            }
        }
    }
}

fn waiting(delay: Duration) -> ActivityError {
    let message = format!(
        "waiting for the task of a request that was sent before; next check in {}",
        failure::seconds(delay)
    );
    failure::still_waiting(message, delay)
}
