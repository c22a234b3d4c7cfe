//! Waiting for a task: its cost in history events, and the status that it shows.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use seedance_archiver::temporal::lifecycles::Step;
use seedance_archiver_simulator::Script;
use temporalio_client::{WorkflowCancelOptions, WorkflowFetchHistoryOptions};

use crate::harness::{
    Fixture, Server, hidden_task::check_that_a_404_is_not_final, query_activity, register, until,
    until_async,
};

async fn thirty_seconds_of_polling_add_at_most_26_history_events(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        queued: Some(Duration::from_secs(5)),
        running: Some(Duration::from_secs(25)),
        ..Script::default()
    });
    let cost = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            let result = lifecycle.result().await?;
            ensure!(result.outcome == "archived", "{result:?}");
            Ok(lifecycle.cost().await?)
        })
        .await?;
    ensure!(cost.history_events <= 26, "{cost:?}");
    let queries = fixture.simulator.stats(&id).queries;
    ensure!(
        // The last query is for `task.json`.
        cost.polls + 1 == queries && queries > 10,
        "{cost:?}, {queries} queries"
    );
    let history = encoded_history(&server, &id).await?;
    ensure!(
        history.contains("sealed:v1:"),
        "no sealed URL in the history"
    );
    ensure!(
        !history.contains("X-Tos-Signature"),
        "a signed URL is in the history"
    );
    ensure!(
        !history.contains(fixture.simulator.api_key()),
        "the key is in the history"
    );
    Ok(())
}
register!(thirty_seconds_of_polling_add_at_most_26_history_events);

/// Returns the encoded history events as text. Payloads are not compressed, so strings in them can be found.
async fn encoded_history(server: &Server, task_id: &str) -> anyhow::Result<String> {
    let events = server
        .lifecycle(task_id)
        .fetch_history(WorkflowFetchHistoryOptions::default())
        .into_events()
        .await?;
    Ok(events
        .iter()
        .flat_map(|event| {
            let mut bytes = Vec::new();
            prost::Message::encode(event, &mut bytes).map(|()| bytes)
        })
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect())
}

/// The test repeatedly completes the pending poll with the status that the lifecycle already has.
async fn stale_completions_do_not_grow_the_history(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        queued: Some(Duration::ZERO),
        running: Some(Duration::from_secs(3600)),
        ..Script::default()
    });
    let lifecycle = server.lifecycle(&id);
    let run_id = || server.run_id(&id);
    let result = fixture
        .with_worker(&server, async {
            let started = fixture.start_lifecycle(&server, &id).await?;
            let first_run = run_id().await?;
            until("the task was returned as running", || {
                fixture.simulator.stats(&id).queries >= 2
            })
            .await?;
            until_async("the workflow has continued as new", || async {
                // Fails if no poll is pending.
                let _ = query_activity::complete(&server, &id, "running").await;
                Ok(run_id().await? != first_run)
            })
            .await?;
            let before = fixture.simulator.stats(&id).queries;
            until("the new run has polled the task", || {
                fixture.simulator.stats(&id).queries > before
            })
            .await?;
            lifecycle.cancel(WorkflowCancelOptions::default()).await?;
            Ok(started.result().await?)
        })
        .await?;
    ensure!(
        result.reason == "cancelled_by_caller"
            && result.task.is_some_and(|task| task.status == "running"),
        "the new run lost the status of the task"
    );
    Ok(())
}
register!(stale_completions_do_not_grow_the_history);

/// The completion ends the activity that received the record, so the activity's memory of the task is lost.
async fn a_stale_completion_proves_that_the_task_exists(server: Arc<Server>) -> anyhow::Result<()> {
    let complete = async |id: &str| query_activity::complete(&server, id, "queued").await;
    check_that_a_404_is_not_final(&server, complete).await
}
register!(a_stale_completion_proves_that_the_task_exists);

async fn the_status_shows_the_wait_and_then_the_transferred_bytes(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        running: Some(Duration::from_secs(3)),
        bytes: Some(6_000_000),
        bytes_per_second: Some(2_000_000),
        ..Script::default()
    });
    let mut messages = Vec::new();
    let mut max_done = 0;
    fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            let result = lifecycle
                .follow(|step| match step {
                    Step::Waiting(message) => messages.push(message),
                    Step::Archiving { done, total } => {
                        if total == 6_000_000 {
                            max_done = done.max(max_done);
                        }
                    }
                })
                .await?;
            ensure!(result.outcome == "archived", "{result:?}");
            Ok(())
        })
        .await?;
    let is_waiting = |text: &String| {
        text.starts_with("still running since ") && text.contains("; next poll in ")
    };
    ensure!(messages.iter().any(is_waiting), "{messages:?}");
    ensure!(max_done > 0, "no transferred bytes were shown");
    Ok(())
}
register!(the_status_shows_the_wait_and_then_the_transferred_bytes);
