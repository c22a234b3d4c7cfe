//! Whether a poll is due, and the message of an attempt that does not poll.

use std::time::Duration;

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

/// Returns the delay of a poll that is not due yet, and the message meanwhile: the watcher polls the task, or the
/// lifecycle has just received a record. `None` if the poll is due.
pub(super) fn not_due(
    progress: &PollProgress,
    account: &Account,
    attempt: u32,
) -> Option<(String, Duration)> {
    let delay = progress.timing().not_due(attempt)?;
    let known = progress.known();
    let known = match known.request().known_status.as_str() {
        status if known.was_seen() => format!("{status} at the last look"),
        _ => "not polled yet".to_owned(),
    };
    let delay_s = failure::seconds(delay);
    let message = match progress.is_watched() {
        true => format!(
            "{known}; polled by `{}`; next poll by this activity in {delay_s}",
            names::watcher_workflow_id(account.name())
        ),
        false => format!("{known}; next poll in {delay_s}"),
    };
    Some((message, delay))
}
