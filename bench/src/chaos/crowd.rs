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

/// Time after which the workers have counted each other: one that has just started sends nothing for 15 s, in which the others
/// count it.
const UNTIL_COUNTED: Duration = Duration::from_secs(30);
/// Longer than the task is polled.
const QUEUED: Duration = Duration::from_secs(60 * 60);
/// How long the workers may take, if they also count some that are dead.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
const INTERVAL: Duration = Duration::from_millis(500);

/// Lets the crowd ask for a task, which no lifecycle waits for, and waits until all have an answer. The checker counts the
/// queries above the rate limit.
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
            let workflow_id = format!("crowd/{number}");
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

/// Returns the finding if the crowd was not answered: then it showed nothing.
fn row(queries: u64) -> Row {
    let missing = u64::from(CROWD).saturating_sub(queries);
    Row::none("callers of a crowd without an answer", missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_without_an_answer_is_counted() {
        for (queries, expected) in [(CROWD - 1, 1), (CROWD, 0), (CROWD + 1, 0)] {
            assert_eq!(row(queries.into()).count, expected);
        }
    }
}
