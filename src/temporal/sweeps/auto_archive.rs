//! Accounts whose every video is archived, with nobody asking for it: a worker keeps a schedule that
//! sweeps them.

use std::{convert::Infallible, sync::Arc, time::Duration};

use temporalio_client::{Client, schedules::ScheduleError};

use super::schedule::{Ensured, SHORTEST, Schedule};
use crate::config::{Account, Accounts};

/// How often a worker looks whether its schedules are still there.
pub const LOOK: Duration = Duration::from_secs(10 * 60);
/// Time before a schedule that could not be made is tried again, unless the next look is sooner.
const RETRY: Duration = Duration::from_secs(60);

/// Makes sure that there is a schedule for each account that wants one, and again after each `look`. What
/// fails is told and tried again: the worker does its other work meanwhile. Never ends, so that it can be
/// run beside a worker.
pub async fn keep(
    client: &Client,
    accounts: &Accounts,
    task_queue: &str,
    look: Duration,
) -> Infallible {
    let wants = |account: &&Arc<Account>| account.auto_archive;
    let keeping = accounts.iter().filter(wants).map(|account| {
        let schedule = Schedule {
            account: account.name().to_owned(),
            every: SHORTEST,
            task_queue: task_queue.to_owned(),
        };
        keep_one(client, schedule, look)
    });
    futures::future::join_all(keeping).await;
    std::future::pending().await
}

async fn keep_one(client: &Client, schedule: Schedule, look: Duration) -> Infallible {
    let account = &schedule.account;
    loop {
        let next = match schedule.ensure(client).await {
            Ok(Ensured::Unchanged) => look,
            Ok(Ensured::Created | Ensured::Updated) => {
                tracing::info!(account, schedule = schedule.id(), "scheduled sweeps");
                look
            }
            Err(error) => {
                let next = RETRY.min(look);
                tracing::warn!(
                    account,
                    error = %words(&error),
                    "the account is not archived by itself: its schedule cannot be made. Is this worker \
                     allowed to create schedules? Tried again in {} s; `seedance-archiver sweep --every 1m` \
                     from elsewhere does it too",
                    next.as_secs()
                );
                next
            }
        };
        tokio::time::sleep(next).await;
    }
}

fn words(error: &ScheduleError) -> String {
    match error {
        ScheduleError::Rpc(status) => status.message().to_owned(),
        other => other.to_string(),
    }
}
