//! Maintains what archives the tasks of accounts with `auto_archive`: a watcher, and a schedule that sweeps all tasks in
//! case the watcher missed one.

use std::{convert::Infallible, sync::Arc, time::Duration};

use temporalio_client::Client;

use super::schedule::{Schedule, ScheduleChange};
use crate::{
    config::{Account, Accounts},
    temporal::{error_text, watchers},
};

/// Interval between two checks of the schedules.
pub const CHECK_INTERVAL: Duration = Duration::from_secs(10 * 60);
/// Interval between two sweeps. The watcher finds new tasks within seconds.
pub const SWEEP_INTERVAL: Duration = Duration::from_secs(30 * 60);
/// Maximum delay before a failed check is repeated.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(60);

/// Starts the watcher and creates or updates the schedule of each account with `auto_archive`, and checks them again after
/// each `check_interval`. A failed check is logged and repeated. Never returns: run it beside a worker.
pub async fn maintain_schedules(
    client: &Client,
    accounts: &Accounts,
    task_queue: &str,
    check_interval: Duration,
) -> Infallible {
    let has_auto_archive = |account: &&Arc<Account>| account.auto_archive;
    let schedules = accounts.iter().filter(has_auto_archive).map(|account| {
        let schedule = Schedule {
            account: account.name().to_owned(),
            interval: SWEEP_INTERVAL,
            task_queue: task_queue.to_owned(),
        };
        async move {
            let watcher = maintain_watcher(client, account.name(), task_queue, check_interval);
            let schedule = maintain(client, schedule, check_interval);
            futures::join!(watcher, schedule).0
        }
    });
    futures::future::join_all(schedules).await;
    // Reached only if no account has `auto_archive`.
    std::future::pending().await
}

async fn maintain_watcher(
    client: &Client,
    account: &str,
    task_queue: &str,
    check_interval: Duration,
) -> Infallible {
    let check_interval = check_interval.min(MAX_RETRY_DELAY);
    let mut other: Option<String> = None;
    loop {
        match watchers::ensure(client, account, task_queue).await {
            Ok(state) => {
                let found = state.other_queue(task_queue).map(str::to_owned);
                report_other(account, other.as_deref(), found.as_deref());
                other = found;
            }
            Err(error) => tracing::warn!(
                account,
                error,
                "cannot start the watcher of the account: sweeps find new tasks later"
            ),
        }
        tokio::time::sleep(check_interval).await;
    }
}

/// Logs once that the watcher runs on the task queue `found`. The account is then that of another deployment, and the two
/// also replace each other's schedule.
fn report_other(account: &str, last: Option<&str>, found: Option<&str>) {
    if let Some(task_queue) = found
        && last != found
    {
        tracing::error!(
            account,
            task_queue,
            fix = watchers::other_queue_fix(account),
            "another deployment watches an account of this name: new tasks of this account are not archived"
        );
    }
}

async fn maintain(client: &Client, schedule: Schedule, check_interval: Duration) -> Infallible {
    let account = &schedule.account;
    loop {
        let delay = match schedule.ensure(client).await {
            Ok(ScheduleChange::Unchanged) => check_interval,
            Ok(ScheduleChange::Created | ScheduleChange::Updated) => {
                tracing::info!(account, schedule = schedule.id(), "scheduled sweeps");
                check_interval
            }
            Err(error) => {
                let delay = MAX_RETRY_DELAY.min(check_interval);
                tracing::warn!(
                    account,
                    schedule = schedule.id(),
                    error = error_text::innermost(&error),
                    next_attempt_s = delay.as_secs_f64(),
                    fix = "allow this worker to create schedules, or run `seedance-archiver sweep --every 30m`",
                    "cannot create the schedule: new tasks of the account are not archived"
                );
                delay
            }
        };
        tokio::time::sleep(delay).await;
    }
}
