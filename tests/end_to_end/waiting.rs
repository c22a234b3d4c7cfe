//! What waiting costs and shows.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use seedance_archiver::lifecycles::Doing;
use seedance_archiver_simulator::Script;
use temporalio_client::WorkflowFetchHistoryOptions;

use crate::{
    Suite,
    world::{Server, World},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test(
            "waiting::thirty_seconds_fit_into_26_events",
            thirty_seconds_fit_into_26_events,
        )
        .test("waiting::reads_as_waiting", reads_as_waiting)
}

async fn thirty_seconds_fit_into_26_events(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        queued: Some(Duration::from_secs(5)),
        running: Some(Duration::from_secs(25)),
        ..Script::default()
    });
    let cost = world
        .with_worker(&server, async {
            let lifecycle = world.start(&server, &id).await?;
            let result = lifecycle.result().await?;
            ensure!(result.outcome == "archived", "{result:?}");
            Ok(lifecycle.cost().await?)
        })
        .await?;
    ensure!(cost.history_events <= 26, "{cost:?}");
    let queries = world.simulator.stats(&id).queries;
    ensure!(
        cost.polls == queries && queries > 10,
        "{cost:?}, asked {queries} times"
    );
    let history = history(&server, &id).await?;
    ensure!(history.contains("sealed:v1:"), "the URL is not sealed");
    ensure!(
        !history.contains("X-Tos-Signature"),
        "a signed URL is in the history"
    );
    ensure!(
        !history.contains(world.simulator.api_key()),
        "the key is in the history"
    );
    Ok(())
}

/// The history as the server stores it: payloads are not compressed, so what they hold can be found.
async fn history(server: &Server, task_id: &str) -> anyhow::Result<String> {
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

async fn reads_as_waiting(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        running: Some(Duration::from_secs(3)),
        bytes: Some(6_000_000),
        bytes_per_second: Some(2_000_000),
        ..Script::default()
    });
    let mut words = Vec::new();
    let mut most = 0;
    world
        .with_worker(&server, async {
            let lifecycle = world.start(&server, &id).await?;
            let result = lifecycle
                .follow(|doing| match doing {
                    Doing::Waiting(text) => words.push(text),
                    Doing::Archiving { done, total } => {
                        most = if total == 6_000_000 {
                            done.max(most)
                        } else {
                            most
                        };
                    }
                })
                .await?;
            ensure!(result.outcome == "archived", "{result:?}");
            Ok(())
        })
        .await?;
    let waits = |text: &String| {
        text.starts_with("still running since ") && text.contains("; next question in ")
    };
    ensure!(words.iter().any(waits), "{words:?}");
    ensure!(most > 0, "no heartbeat told the bytes");
    Ok(())
}
