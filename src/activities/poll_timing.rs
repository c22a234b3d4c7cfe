//! When a poll is due: not while the watcher of the account polls the task, or a record was just received.

use std::time::{Duration, SystemTime};

use seedance_archiver_policy::{
    poll::{self, NextPoll, Response, TaskState},
    watch,
};
use seedance_archiver_proto::{
    names::{self, QUERY_ACTIVITY_ID},
    v1::QueryVideoTaskRequest,
};
use temporalio_client::Client;
use temporalio_sdk::activities::ActivityContext;

use super::{failure, query_progress::PollProgress, task_queries::TaskQueries};
use crate::{
    config::Account,
    temporal::watchers::{WatcherState, Watchers},
};

/// Maximum delay of the first poll of a task that is expected to take long. The first record shows what kind of task it
/// is, and whether it exists.
const MAX_FIRST_DELAY: Duration = Duration::from_secs(60);

/// Returns whether the watcher of the account polls the task for the lifecycle that called the activity. Starts the
/// watcher if it would be worth it. No watcher delivers anything to other callers.
///
/// Learns how long tasks take on the way.
pub(super) async fn is_watched(
    ctx: &ActivityContext,
    watchers: &Watchers,
    queries: &TaskQueries,
    account: &Account,
    request: &QueryVideoTaskRequest,
) -> bool {
    let info = ctx.info();
    let lifecycle_id = names::lifecycle_workflow_id(account.name(), &request.task_id);
    if info.activity_id != QUERY_ACTIVITY_ID || info.workflow_id.as_ref() != Some(&lifecycle_id) {
        return false;
    }
    let client = ctx.client();
    let watcher = watchers.of(&client, account.name(), &info.task_queue).await;
    learn_times(ctx, &client, &watcher, queries, account.name()).await;
    watcher.covers(&request.task_id)
}

/// Learns how long tasks take, from the watcher or, without one, from completed lifecycles.
async fn learn_times(
    ctx: &ActivityContext,
    client: &Client,
    watcher: &WatcherState,
    queries: &TaskQueries,
    account: &str,
) {
    let (times, completed) = (queries.times(), queries.completed());
    let task_queue = &ctx.info().task_queue;
    // Another deployment may have an account of this name.
    if !watcher.is_running || watcher.task_queue != *task_queue {
        completed.learn(client, account, task_queue, times).await;
    } else if times.adopt(account, watcher.progress.completion_times.as_ref()) {
        completed.skip_earlier(account);
    }
}

/// What decides when a poll is due.
#[derive(Clone, Copy)]
pub(super) struct PollTiming<'a> {
    pub(super) account: &'a Account,
    pub(super) progress: &'a PollProgress<'a>,
    /// Whether the watcher of the account polls the task too.
    pub(super) is_watched: bool,
}

impl PollTiming<'_> {
    /// Returns the delay of a poll that is not due yet, and the message meanwhile: the watcher polls the task, or the
    /// lifecycle has just received a record. `None` if the poll is due.
    pub(super) fn not_due(
        self,
        request: &QueryVideoTaskRequest,
        attempt: u32,
    ) -> Option<(String, Duration)> {
        if request.known_status.is_empty() {
            // The caller wants the first record.
            return None;
        }
        let is_first = attempt == 1;
        let is_nudged = request.poll_now && !self.progress.has_response();
        if is_nudged || !is_first && !self.is_watched {
            return None;
        }
        if !self.progress.was_last_seen() {
            // The lifecycle itself has to find out what the error means.
            return None;
        }
        let state = self.progress.task_state();
        let delay = match (self.is_watched, self.progress.last_polled_at()) {
            (true, None) if is_first && !self.progress.was_seen() => watch::first_backstop(),
            (true, last_polled_at) => {
                until_backstop(&state, last_polled_at, self.progress.waited())
            }
            (false, Some(at)) => self.until_next(&state, at),
            (false, None) => self.until_first(&state),
        };
        let delay = poll::delayed(&self.account.windows, &state, delay)?;
        if delay.is_zero() {
            return None;
        }
        let known = match request.known_status.as_str() {
            status if self.progress.was_seen() => format!("{status} at the last look"),
            _ => "not polled yet".to_owned(),
        };
        Some((self.message(&known, delay), delay))
    }

    /// Returns the time until the poll that follows the one at a time before now.
    fn until_next(self, state: &TaskState, polled_at: SystemTime) -> Duration {
        let state_then = TaskState {
            now: polled_at,
            ..*state
        };
        let Account {
            schedule, windows, ..
        } = self.account;
        let since = state.now.duration_since(polled_at).unwrap_or_default();
        match poll::next(schedule, windows, &state_then, Response::Unchanged) {
            NextPoll::After(delay) => delay.saturating_sub(since),
            NextPoll::Never(_) => Duration::ZERO,
        }
    }

    /// Returns the time until the first poll. A task whose age is not known is polled at once: it may have ended.
    fn until_first(self, state: &TaskState) -> Duration {
        let Some(created_at) = state.id_created_at else {
            return Duration::ZERO;
        };
        let age = state.now.duration_since(created_at).unwrap_or_default();
        let delay = self
            .account
            .schedule
            .first_poll_after(state.expectation, age);
        delay.min(MAX_FIRST_DELAY)
    }

    /// Returns the message of a waiting attempt.
    fn message(self, status: &str, delay: Duration) -> String {
        let delay_s = failure::seconds(delay);
        match self.is_watched {
            true => format!(
                "{status}; polled by `{}`; next poll by this activity in {delay_s}",
                names::watcher_workflow_id(self.account.name())
            ),
            false => format!("{status}; next poll in {delay_s}"),
        }
    }

    /// Returns the delay of the next poll of an unchanged task: a longer one while the watcher polls it.
    pub(super) fn backstop_or(self, delay: Duration) -> Duration {
        let state = self.progress.task_state();
        let backstop = watch::backstop(state.age());
        match self.is_watched {
            true => poll::delayed(&self.account.windows, &state, backstop).unwrap_or(delay),
            false => delay,
        }
    }
}

/// Returns the time until a watched task is polled by its own lifecycle.
fn until_backstop(
    state: &TaskState,
    last_polled_at: Option<SystemTime>,
    waited: Duration,
) -> Duration {
    let since = last_polled_at.and_then(|at| state.now.duration_since(at).ok());
    let since = since.unwrap_or(waited);
    watch::backstop(state.age().saturating_sub(since)).saturating_sub(since)
}
