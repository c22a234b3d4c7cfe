//! Accounts whose every video is archived, with nobody asking for it: a worker keeps a schedule that
//! sweeps them.

use std::{convert::Infallible, sync::Arc, time::Duration};

use temporalio_client::{Client, schedules::ScheduleError};

use super::schedule::{Ensured, SHORTEST, Schedule};
use crate::config::{Account, Config};

/// Time before a schedule that could not be made is tried again.
const RETRY: Duration = Duration::from_secs(60);

/// Makes sure that there is a schedule for each account that wants one. What fails is told and tried
/// again: the worker does its other work meanwhile. Never ends, so that it can be run beside a worker.
pub async fn keep(client: &Client, config: &Config) -> Infallible {
    let wants = |account: &&Arc<Account>| account.auto_archive;
    let keeping = config.accounts.iter().filter(wants).map(|account| {
        let schedule = Schedule {
            account: account.name.clone(),
            every: SHORTEST,
            task_queue: config.task_queue.clone(),
        };
        keep_one(client, schedule)
    });
    futures::future::join_all(keeping).await;
    std::future::pending().await
}

async fn keep_one(client: &Client, schedule: Schedule) {
    let account = &schedule.account;
    loop {
        match schedule.ensure(client).await {
            Ok(Ensured::Unchanged) => return,
            Ok(Ensured::Created | Ensured::Updated) => {
                tracing::info!(account, schedule = schedule.id(), "scheduled sweeps");
                return;
            }
            Err(error) => tracing::warn!(
                account,
                error = %words(&error),
                "the account is not archived by itself: its schedule cannot be made. Is this worker \
                 allowed to create schedules? Tried again in {} s; `seedance-archiver sweep --every 1m` \
                 from elsewhere does it too",
                RETRY.as_secs()
            ),
        }
        tokio::time::sleep(RETRY).await;
    }
}

fn words(error: &ScheduleError) -> String {
    match error {
        ScheduleError::Rpc(status) => status.message().to_owned(),
        other => other.to_string(),
    }
}
