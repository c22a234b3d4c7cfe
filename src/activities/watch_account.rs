//! `WatchAccount`: polls the tasks of an account for all lifecycles that wait, with as few requests as possible, and
//! delivers each new status to its lifecycle.
//!
//! - [`watcher`]: the loop: which requests run, concurrently.
//! - [`answers`]: what follows from the answers.
//! - [`requests`]: the requests to the API and to Temporal.
//! - [`api_health`]: whether the API answers.
//! - [`progress`]: the heartbeat.
//!
//! Which tasks are watched, what is known of them, and what to ask next, is decided by `seedance_archiver_policy::watch`.

mod answers;
mod api_health;
mod deliveries;
mod discovery;
mod end;
mod lifecycle_sync;
mod list_items;
mod nudges;
mod progress;
mod requests;
mod watcher;

use std::time::Duration;

use seedance_archiver_proto::v1::{WatchAccountRequest, WatchAccountResult, WatcherProgress};
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::sync::Semaphore;

use super::{
    checked_request::CheckedRequest, failure, finished_tasks::FinishedTasks, heartbeat,
    next_attempt, sweep_account::SweepAccount, task_queries::TaskQueries,
};
use progress::{HEARTBEAT_INTERVAL, Progress};
use requests::Requests;
use watcher::Watcher;

/// Maximum number of accounts that one worker watches: each holds an activity slot.
pub(super) const MAX_WATCHED_ACCOUNTS: usize = 6;
/// Delay before another worker tries to watch an account.
const NO_SLOT_DELAY: Duration = Duration::from_secs(30);

type Call<'a> = CheckedRequest<WatchAccountRequest, &'a SweepAccount>;

pub(super) async fn run(
    ctx: &ActivityContext,
    queries: &TaskQueries,
    finished_tasks: &FinishedTasks,
    slots: &Semaphore,
    call: Call<'_>,
) -> Result<WatchAccountResult, ActivityError> {
    let Ok(_slot) = slots.try_acquire() else {
        let message = format!("this worker watches {MAX_WATCHED_ACCOUNTS} accounts already");
        return Err(failure::still_waiting(message, NO_SLOT_DELAY));
    };
    let CheckedRequest {
        request, account, ..
    } = call;
    let _watched = queries.watched().add(account.account.name());
    let last: Option<WatcherProgress> = heartbeat::last_details(ctx);
    // Of an earlier attempt or run.
    let takes_over = last.is_some() || request.completion_times.is_some();
    let last = last.unwrap_or_default();
    let known = || queries.times().state(account.account.name());
    let completion_times = last.completion_times.clone();
    let completion_times = completion_times.or(request.completion_times).or_else(known);
    let progress = Progress::resume(account.account.name(), last);
    let requests = Requests::new(ctx, queries, account, finished_tasks);
    let watcher = Watcher::new(
        &requests,
        &progress,
        completion_times,
        request.is_busy,
        takes_over,
    );
    let details = || progress.details();
    tokio::select! {
        result = watcher.run() => Ok(result),
        () = ctx.cancelled() => Err(next_attempt::or_cancelled(ctx, continued).await),
        never = heartbeat::record_every(ctx, HEARTBEAT_INTERVAL, details) => match never {},
    }
}

/// Returns the failure of an attempt whose worker shuts down. Another worker continues at once.
fn continued() -> ActivityError {
    let message = "the worker shuts down; another one continues".to_owned();
    failure::still_waiting(message, Duration::ZERO)
}
