//! A crowd that asks for one task at once. Otherwise a worker that ignores its rate limit could not be told from one that
//! keeps it: workers send few queries while a watcher lists the tasks.

use std::time::Duration;

use seedance_archiver_simulator::Script;
use serde_json::json;
use temporalio_client::Client;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{callers, checker::Row, plan::Account, rates::CROWD, world::World};

/// Runs below this length have no crowd, which takes a minute.
const MIN_LENGTH: Duration = Duration::from_secs(5 * 60);
/// Time after which the workers have counted each other: one that has just started sends nothing for 15 s, in which the others
/// count it.
const UNTIL_COUNTED: Duration = Duration::from_secs(30);
/// Longer than the task is polled.
const QUEUED: Duration = Duration::from_secs(60 * 60);
/// How long the workers may take, if they also count some that are dead.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
const INTERVAL: Duration = Duration::from_millis(500);

/// Returns whether a crowd asks at the end of a run of this length.
pub(super) fn is_in_run_of(length: Duration) -> bool {
    length >= MIN_LENGTH
}

/// Lets the crowd ask for a task, which no lifecycle waits for, and waits until all their queries have arrived. The checker counts
/// those above the rate limit.
pub(super) async fn run(client: &Client, world: &World) -> Row {
    sleep(UNTIL_COUNTED).await;
    let simulator = world.simulator(Account::Called);
    let id = simulator.create(Script {
        queued: Some(QUEUED),
        ..Script::default()
    });
    let mut calls = JoinSet::new();
    for number in 0..CROWD {
        let client = client.clone();
        let request = json!({"task_id": id, "account": Account::Called.name()});
        calls.spawn(async move {
            let workflow_id = format!("{}{number}", callers::CROWD_PREFIX);
            callers::call(&client, &workflow_id, callers::QUERY, &request).await;
        });
    }
    calls.join_all().await;
    let start = Instant::now();
    let queries = || simulator.stats(&id).queries;
    while queries() < u64::from(CROWD) && start.elapsed() < PATIENCE {
        sleep(INTERVAL).await;
    }
    row(queries())
}

/// Returns the finding if queries did not arrive: then the crowd showed nothing.
fn row(queries: u64) -> Row {
    let missing = u64::from(CROWD).saturating_sub(queries);
    Row::none("queries of the crowd that did not arrive", missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_asks_in_a_run_of_the_default_length_and_not_in_a_quick_check() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        assert!(is_in_run_of(minutes(12)));
        assert!(!is_in_run_of(minutes(1)));
    }

    #[test]
    fn a_query_that_did_not_arrive_is_counted() {
        for (queries, expected) in [(CROWD - 1, 1), (CROWD, 0), (CROWD + 1, 0)] {
            assert_eq!(row(queries.into()).count, expected);
        }
    }
}
