//! `QueryVideoTask`: polls a task through activity retries, so that no slot is held between polls.
//!
//! Each attempt queries the task once. While the task's status is unchanged, or the record has no URL, the attempt
//! fails as `StillWaiting`, with the next retry delay.
//!
//! While the watcher of the account polls the task, the attempts are rare: the watcher completes the activity.

use std::sync::Arc;

use reqwest::Url;
use seedance_archiver_policy::{
    poll::{NextPoll, Response, lacks_url},
    verdicts,
};
use seedance_archiver_proto::{
    names,
    reason::{self, QUERY_WINDOW_CLOSED},
    status,
    time::{from_unix_seconds, unix_seconds},
    v1::{QueryVideoTaskRequest, QueryVideoTaskResult, VideoTask},
};
use seedance_archiver_workflows::{encoding::Encoding, invalid_request::InvalidRequest};
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{
    checked_request::CheckedRequest,
    destination, failure, heartbeat,
    learned_times::LearnedTimes,
    poll_timing,
    query_progress::PollProgress,
    task_queries::{SealedTask, TaskQueries},
    waiting,
};
use crate::{
    config::Account,
    seedance::{self, ErrorKind},
    telemetry::record,
    temporal::watchers::Watchers,
};

type Call = CheckedRequest<QueryVideoTaskRequest, Arc<Account>>;

pub(super) async fn run(
    ctx: &ActivityContext,
    queries: &TaskQueries,
    watchers: &Watchers,
    archive_url: Option<&Url>,
    call: Call,
) -> Result<QueryVideoTaskResult, ActivityError> {
    let CheckedRequest {
        request,
        account,
        encoding,
    } = call;
    if request.reveal_urls && !account.allow_reveal {
        let problem = format!(
            "is not allowed for account `{}`; set `allow_reveal` in its settings",
            account.name()
        );
        return Err(failure::invalid_request(InvalidRequest::new(
            "reveal_urls",
            problem,
        )));
    }
    let times = queries.times();
    let is_watched = poll_timing::is_watched(ctx, watchers, queries, &account, &request).await;
    let _hold = queries.seedance().clock().hold().await;
    let mut poll = Poll {
        ctx,
        queries,
        account: &account,
        task_id: &request.task_id,
        encoding,
        destination_problem: archive_url
            .and_then(|own| destination::problem(&account, own, &request.destination)),
        progress: PollProgress::load(
            ctx,
            &account,
            &request,
            queries.seedance().clock(),
            times,
            is_watched,
        ),
        times,
    };
    if let Some(failure) = poll.missed_window() {
        return Err(failure);
    }
    let not_due = poll_timing::not_due(&poll.progress, &account, ctx.info().attempt);
    if let Some((message, delay)) = not_due {
        let message = poll.with_destination_problem(message);
        return Err(failure::still_waiting(message, delay));
    }
    let left = poll.progress.timing().until_closed();
    let query = queries.query_in_window(&account, &request.task_id, left);
    let response = heartbeat::until_shutdown(ctx, || poll.progress.details(), query).await?;
    let response = response.map(|SealedTask { task, record }| SealedTask {
        task: poll.with_deadline(task),
        record,
    });
    record::poll(account.name(), poll_result(&response, &request));
    match response {
        Ok(sealed) if waiting::has_changed(&sealed.task, &request) => {
            poll.changed(sealed, &request)
        }
        Ok(sealed) => Err(poll.unchanged(sealed.task).await),
        Err(error) => Err(poll.failed(&error).await),
    }
}

/// Returns the result of the poll for metrics.
fn poll_result(
    response: &Result<SealedTask, seedance::Error>,
    request: &QueryVideoTaskRequest,
) -> record::PollResult {
    match response {
        Ok(sealed) if waiting::has_changed(&sealed.task, request) => record::PollResult::Changed,
        Ok(_) => record::PollResult::Unchanged,
        Err(_) => record::PollResult::Failed,
    }
}

/// One poll.
struct Poll<'a> {
    ctx: &'a ActivityContext,
    queries: &'a TaskQueries,
    account: &'a Account,
    task_id: &'a str,
    encoding: Encoding,
    /// Why the video cannot go to the destination of the request.
    destination_problem: Option<String>,
    progress: PollProgress<'a>,
    times: &'a LearnedTimes,
}

impl Poll<'_> {
    /// Returns a task with an archive deadline also if neither its record nor its id says when it was created: the query
    /// window then counts from the first poll.
    fn with_deadline(&self, task: VideoTask) -> VideoTask {
        if task.created_at > 0 {
            return task;
        }
        let windows = &self.account.windows;
        let first_polled_at = self.progress.first_polled_at();
        let url_expiry = from_unix_seconds(task.archive_deadline);
        let deadline = windows.archive_deadline(first_polled_at, url_expiry);
        VideoTask {
            archive_deadline: deadline.map_or(task.archive_deadline, unix_seconds),
            ..task
        }
    }

    /// Returns the result of a task whose status changed.
    fn changed(
        &self,
        SealedTask { task, record }: SealedTask,
        request: &QueryVideoTaskRequest,
    ) -> Result<QueryVideoTaskResult, ActivityError> {
        if status::is_terminal(&task.status) {
            record::detection(
                self.account.name(),
                task.updated_at,
                self.queries.seedance().clock(),
            );
            self.times.observe(self.account.name(), &task);
        }
        let task = match request.reveal_urls {
            true => self.reveal_urls(task)?,
            false => task,
        };
        Ok(match request.with_record {
            true => self.queries.result_with_record(SealedTask { task, record }),
            false => self.queries.result(task),
        })
    }

    /// Unseals the URLs, for a caller that requested them in plain text.
    fn reveal_urls(&self, task: VideoTask) -> Result<VideoTask, ActivityError> {
        let delay = self.account.schedule.min_interval;
        let retryable = |message| failure::retryable(message, failure::UNAUTHORIZED, delay);
        let seal = self.account.seal();
        let seal = seal.map_err(|error| retryable(error.to_string()))?;
        seal.revealed(task)
            .map_err(|error| retryable(error.to_string()))
    }

    /// Returns the failure of a poll after which the caller continues to wait for a change or a URL.
    async fn unchanged(&mut self, task: VideoTask) -> ActivityError {
        self.progress.set_seen(&task).await;
        let response = match lacks_url(&task) {
            true => Response::NoUrl,
            false => Response::Unchanged,
        };
        match self.next(response) {
            NextPoll::After(delay) => {
                let delay = self.progress.timing().backstop_or(delay);
                let now = self.queries.seedance().clock().now();
                let mut message = waiting::message(&task, self.ctx.info().attempt, delay);
                if self.progress.is_watched() {
                    let watcher = names::watcher_workflow_id(self.account.name());
                    message += &format!("; polled by `{watcher}` meanwhile");
                }
                if waiting::lacks_url_for_long(&task, now) {
                    message += waiting::URL_ELSEWHERE;
                    let account = self.account.name();
                    tracing::warn!(
                        task_id = task.id,
                        account,
                        "the record has no URL{}",
                        waiting::URL_ELSEWHERE
                    );
                }
                failure::still_waiting(self.with_destination_problem(message), delay)
            }
            NextPoll::Never(reason) => self.open_task(reason, Some(task)),
        }
    }

    /// Returns the failure of a poll that returned no record.
    async fn failed(&mut self, error: &seedance::Error) -> ActivityError {
        let was_seen = self.progress.known().was_seen();
        let is_not_found = match error.kind() {
            ErrorKind::NotFound => true,
            // A service may reject an unknown id as malformed.
            ErrorKind::Rejected => !was_seen,
            _ => false,
        };
        let response = if is_not_found {
            self.progress.set_not_found().await
        } else if error.kind() == ErrorKind::Throttled {
            Response::Postponed
        } else {
            self.progress.set_failed(error.failure_type()).await;
            let retry_after = error.retry_after();
            Response::Error { retry_after }
        };
        match self.next(response) {
            NextPoll::After(delay) => {
                let delay_s = failure::seconds(delay);
                let message = match is_not_found && !was_seen {
                    // The API may return 404 for a task that was just created.
                    true => {
                        format!("not found yet; next poll in {delay_s}; last response: {error}")
                    }
                    false => format!("{error}; next poll in {delay_s}"),
                };
                match error.kind() {
                    ErrorKind::Throttled => failure::still_waiting(message, delay),
                    _ => failure::retryable(message, error.failure_type(), delay),
                }
            }
            NextPoll::Never(reason) => {
                self.no_record(reason, error.failure_type(), &error.to_string())
            }
        }
    }

    /// Adds why the video cannot go to its destination to the message of a waiting attempt.
    fn with_destination_problem(&self, message: String) -> String {
        match &self.destination_problem {
            Some(problem) => {
                tracing::warn!(task_id = self.task_id, "{problem}");
                format!("{message}; {problem}")
            }
            None => message,
        }
    }

    /// Returns the verdict if the query window closed before this attempt, for example because no worker ran. The API
    /// must not be queried then.
    fn missed_window(&self) -> Option<ActivityError> {
        if !self.progress.timing().missed_window() {
            return None;
        }
        let known = self.progress.known();
        let response = known.last_response();
        let NextPoll::Never(reason) = self.next(response) else {
            return None;
        };
        Some(match response {
            Response::Unchanged | Response::NoUrl => {
                self.open_task(reason, self.progress.last_record())
            }
            Response::NotFound { .. } => {
                self.no_record(reason, failure::TASK_NOT_FOUND, "HTTP 404")
            }
            Response::Error { .. } | Response::Postponed => {
                let last_error = known.last_error();
                self.no_record(reason, last_error, last_error)
            }
        })
    }

    /// Returns the verdict on a task whose last record was that of an unfinished task, or had no URL.
    fn open_task(&self, reason: Option<&str>, task: Option<VideoTask>) -> ActivityError {
        let message = match &task {
            Some(task) if lacks_url(task) => {
                "query window closed; the task had succeeded, but its record had no URL".into()
            }
            Some(task) => format!("query window closed; the task was still {}", task.status),
            None => "query window closed; the task was still open".to_owned(),
        };
        let reason = reason.unwrap_or(QUERY_WINDOW_CLOSED);
        self.verdict(message, failure::QUERY_WINDOW_CLOSED, reason, task)
    }

    /// Returns the verdict on a task whose last response was an error. If `reason` is `None`, the error is the reason.
    fn no_record(&self, reason: Option<&str>, failure_type: &str, error: &str) -> ActivityError {
        let error_reason = reason::from_failure_type(failure_type);
        let reason = reason.unwrap_or(&error_reason);
        let base_url = self.account.endpoint.base_url.as_str();
        let explanation = verdicts::explanation(reason, self.account.name(), base_url);
        let message = format!("{explanation}; last response: {error}");
        let failure_type = verdicts::failure_type(reason);
        self.verdict(message, failure_type, reason, self.progress.last_record())
    }

    fn next(&self, response: Response) -> NextPoll {
        self.progress.timing().next(response)
    }

    fn verdict(
        &self,
        message: String,
        failure_type: &str,
        reason: &str,
        task: Option<VideoTask>,
    ) -> ActivityError {
        let task = task.map(|task| self.queries.result(task));
        let verdict = failure::verdict(reason, task, self.encoding);
        failure::with_verdict(message, failure_type, verdict)
    }
}
