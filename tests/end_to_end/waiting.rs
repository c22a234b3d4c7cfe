//! What waiting costs and shows.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use seedance_archiver::temporal::lifecycles::Step;
use seedance_archiver_proto::{names, v1::VideoTask};
use seedance_archiver_simulator::Script;
use temporalio_client::{
    ActivityIdentifier, RpcOptions, WorkflowCancelOptions, WorkflowFetchHistoryOptions,
};

use crate::{
    Suite,
    world::{Server, World, outlives_a_404, until, until_async},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test(
            "waiting::thirty_seconds_fit_into_26_events",
            thirty_seconds_fit_into_26_events,
        )
        .test("waiting::reads_as_waiting", reads_as_waiting)
        .test(
            "waiting::answers_without_news_do_not_pile_up_history",
            history_starts_over,
        )
        .test(
            "waiting::an_answer_without_news_shows_that_the_task_exists",
            no_news_is_a_sighting,
        )
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
        // One more is for `task.json`.
        cost.polls + 1 == queries && queries > 10,
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

/// Somebody completes the question again and again with what is known already.
async fn history_starts_over(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        queued: Some(Duration::ZERO),
        running: Some(Duration::from_secs(3600)),
        ..Script::default()
    });
    let lifecycle = server.lifecycle(&id);
    let run_id = || server.run_id(&id);
    let result = world
        .with_worker(&server, async {
            let started = world.start(&server, &id).await?;
            let first_run = run_id().await?;
            until("it was seen running", || {
                world.simulator.stats(&id).queries >= 2
            })
            .await?;
            until_async("another run goes on", || async {
                // There is no question to complete between two of them.
                let _ = complete_question(&server, &id, "running").await;
                Ok(run_id().await? != first_run)
            })
            .await?;
            let asked = world.simulator.stats(&id).queries;
            until("the new run asks", || {
                world.simulator.stats(&id).queries > asked
            })
            .await?;
            lifecycle.cancel(WorkflowCancelOptions::default()).await?;
            Ok(started.result().await?)
        })
        .await?;
    ensure!(
        result.reason == "cancelled_by_caller"
            && result.task.is_some_and(|task| task.status == "running"),
        "the new run does not know what the first one knew"
    );
    Ok(())
}

/// The question that saw the task is gone, and the task is not given up.
async fn no_news_is_a_sighting(server: Arc<Server>) -> anyhow::Result<()> {
    let answer = async |id: &str| complete_question(&server, id, "queued").await;
    outlives_a_404(&server, answer).await
}

/// Answers the open question from outside.
pub(crate) async fn complete_question(
    server: &Server,
    task_id: &str,
    status: &str,
) -> anyhow::Result<()> {
    let workflow_id = names::lifecycle_workflow_id("", task_id);
    let question = ActivityIdentifier::by_id_workflow(workflow_id, "", names::QUERY_ACTIVITY_ID);
    let stale = VideoTask {
        id: task_id.to_owned(),
        status: status.to_owned(),
        ..VideoTask::default()
    };
    let handle = server.client.get_async_activity_handle(question);
    Ok(handle.complete(Some(stale), RpcOptions::default()).await?)
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
                    Step::Waiting(text) => words.push(text),
                    Step::Archiving { done, total } => {
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
        text.starts_with("still running since ") && text.contains("; next poll in ")
    };
    ensure!(words.iter().any(waits), "{words:?}");
    ensure!(most > 0, "no heartbeat told the bytes");
    Ok(())
}
