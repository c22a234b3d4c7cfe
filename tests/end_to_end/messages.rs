//! What people and programs tell a running lifecycle, and what it tells them.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver_proto::v1::{
    LifecycleProgress, VideoTaskLifecycleRequest, VideoTaskLifecycleResult,
};
use seedance_archiver_simulator::Script;
use seedance_archiver_workflows::{VideoTaskLifecycle, reply::OptionalArgument};
use temporalio_client::{
    UntypedQuery, WorkflowCancelOptions, WorkflowQueryOptions, WorkflowSignalOptions,
};

use temporalio_common::data_converters::RawValue;

use crate::{
    Suite,
    world::{Server, World, outlives_a_404, until},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test("messages::a_nudge_asks_at_once", nudge_asks_at_once)
        .test(
            "messages::a_nudge_does_not_make_a_404_a_verdict",
            nudged_and_then_not_found,
        )
        .test(
            "messages::a_storm_of_nudges_is_one_question_a_second",
            storm_of_nudges,
        )
        .test(
            "messages::progress_and_details_tell_what_is_known",
            progress_and_details,
        )
        .test("messages::cancelling_stops_the_wait", cancel_the_wait)
        .test(
            "messages::cancelling_stops_the_transfer_and_cleans_up",
            cancel_the_transfer,
        )
        .test(
            "messages::cancelling_can_cancel_a_queued_task",
            cancel_the_task_too,
        )
        .test(
            "messages::cancelling_leaves_a_running_task_alone",
            cancel_leaves_running_alone,
        )
}

/// Longer than any test: the next question never comes by itself.
const NEVER: Duration = Duration::from_secs(3600);

/// A world whose tasks are asked about once, and then in an hour.
async fn patient_world(server: &Server) -> anyhow::Result<World> {
    World::with(
        server,
        |simulator| simulator,
        |account| {
            account.schedule.min_interval = NEVER;
            account.schedule.max_interval = NEVER;
        },
    )
    .await
}

async fn nudge_asks_at_once(server: Arc<Server>) -> anyhow::Result<()> {
    let world = patient_world(&server).await?;
    let id = world.simulator.create(Script {
        queued: Some(Duration::from_secs(5)),
        ..Script::default()
    });
    let result = world
        .with_worker(&server, async {
            let lifecycle = world.start(&server, &id).await?;
            until("it was asked about", || {
                world.simulator.stats(&id).queries >= 1
            })
            .await?;
            until("it has succeeded", || {
                world.simulator.status(&id) == Some("succeeded")
            })
            .await?;
            nudge(&server, &id).await?;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let queries = world.simulator.stats(&id).queries;
    // The third is for `task.json`.
    ensure!(queries == 3, "asked {queries} times");
    Ok(())
}

/// What the question that the nudge cut short has seen is gone, and the task is not given up.
async fn nudged_and_then_not_found(server: Arc<Server>) -> anyhow::Result<()> {
    outlives_a_404(&server, async |id| nudge(&server, id).await).await
}

async fn nudge(server: &Server, id: &str) -> anyhow::Result<()> {
    server
        .lifecycle(id)
        .signal(
            VideoTaskLifecycle::nudge,
            OptionalArgument::default(),
            WorkflowSignalOptions::default(),
        )
        .await?;
    Ok(())
}

async fn storm_of_nudges(server: Arc<Server>) -> anyhow::Result<()> {
    let world = patient_world(&server).await?;
    let id = world.simulator.create(Script {
        queued: Some(NEVER),
        ..Script::default()
    });
    world
        .with_worker(&server, async {
            world.start(&server, &id).await?;
            let queries = || world.simulator.stats(&id).queries;
            until("it was asked about", || queries() == 1).await?;
            let began = std::time::Instant::now();
            let mut nudges = 0;
            while queries() < 4 {
                nudge(&server, &id).await?;
                nudges += 1;
            }
            let took = began.elapsed();
            ensure!(nudges > 3, "{nudges} nudges are no storm");
            // Three questions more, each a second after the one before.
            ensure!(took > Duration::from_secs(2), "4 questions in {took:?}");
            server
                .lifecycle(&id)
                .cancel(WorkflowCancelOptions::default())
                .await?;
            Ok(())
        })
        .await
}

async fn progress_and_details(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        queued: Some(Duration::ZERO),
        running: Some(NEVER),
        ..Script::default()
    });
    world
        .with_worker(&server, async {
            let lifecycle = world.start(&server, &id).await?;
            let mut progress = LifecycleProgress::default();
            while progress.task.is_none() {
                progress = server
                    .lifecycle(&id)
                    .query(
                        VideoTaskLifecycle::progress,
                        OptionalArgument::default(),
                        WorkflowQueryOptions::default(),
                    )
                    .await?
                    .into_message();
            }
            ensure!(progress.phase == "waiting", "{progress:?}");
            let task = progress.task.context("no task")?;
            ensure!(task.status == "running" && task.id == id, "{task:?}");
            let window = task.archive_deadline - task.created_at;
            ensure!(window == 7 * 24 * 60 * 60 - 5 * 60, "{window} s: {task:?}");

            let details = current_details(&server, &id).await?;
            for told in [
                "**running** since ",
                " UTC",
                "Archive deadline: ",
                "`query`",
            ] {
                ensure!(details.contains(told), "{told:?} is missing in: {details}");
            }
            server
                .lifecycle(&id)
                .cancel(WorkflowCancelOptions::default())
                .await?;
            lifecycle.result().await?;
            let details = current_details(&server, &id).await?;
            ensure!(details.contains("`cancelled_by_caller`"), "{details}");
            Ok(())
        })
        .await
}

/// What the UI shows under "User Metadata".
async fn current_details(server: &Server, id: &str) -> anyhow::Result<String> {
    let metadata = server
        .lifecycle(id)
        .query(
            UntypedQuery::new("__temporal_workflow_metadata"),
            RawValue::empty(),
            WorkflowQueryOptions::default(),
        )
        .await?;
    let payload = metadata.payloads.first().context("no metadata")?;
    let metadata: serde_json::Value = serde_json::from_slice(&payload.data)?;
    let details = metadata["currentDetails"].as_str().context("no details")?;
    Ok(details.to_owned())
}

fn cancelled(result: &VideoTaskLifecycleResult, message: &str) -> anyhow::Result<()> {
    ensure!(
        result.outcome == "unknown" && result.reason == "cancelled_by_caller",
        "{result:?}"
    );
    ensure!(result.message.ends_with(message), "{result:?}");
    Ok(())
}

async fn cancel_the_wait(server: Arc<Server>) -> anyhow::Result<()> {
    let world = patient_world(&server).await?;
    let id = world.simulator.create(Script {
        queued: Some(NEVER),
        ..Script::default()
    });
    let result = cancel_once_asked(&server, &world, &id, false).await?;
    cancelled(&result, "the task was left running")
}

async fn cancel_once_asked(
    server: &Server,
    world: &World,
    id: &str,
    cancel_task: bool,
) -> anyhow::Result<VideoTaskLifecycleResult> {
    world
        .with_worker(server, async {
            let request = VideoTaskLifecycleRequest {
                task_id: id.to_owned(),
                cancel_task,
                ..VideoTaskLifecycleRequest::default()
            };
            let lifecycle = world.start_with(server, request).await?;
            until("it was asked about", || {
                world.simulator.stats(id).queries >= 1
            })
            .await?;
            server
                .lifecycle(id)
                .cancel(WorkflowCancelOptions::default())
                .await?;
            Ok(lifecycle.result().await?)
        })
        .await
}

async fn cancel_the_transfer(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        bytes: Some(40_000_000),
        bytes_per_second: Some(2_000_000),
        ..Script::default()
    });
    let sent = || world.simulator.stats(&id).bytes_sent;
    let result = world
        .with_worker(&server, async {
            let lifecycle = world.start(&server, &id).await?;
            until("the download is under way", || sent() > 1_000_000).await?;
            server
                .lifecycle(&id)
                .cancel(WorkflowCancelOptions::default())
                .await?;
            Ok(lifecycle.result().await?)
        })
        .await?;
    cancelled(&result, "the task was left running")?;
    ensure!(sent() < 40_000_000, "the download was not stopped");
    world.holds_outcome(&result)
}

async fn cancel_the_task_too(server: Arc<Server>) -> anyhow::Result<()> {
    let world = patient_world(&server).await?;
    let id = world.simulator.create(Script {
        queued: Some(NEVER),
        ..Script::default()
    });
    let result = cancel_once_asked(&server, &world, &id, true).await?;
    cancelled(&result, "the task was cancelled too")?;
    world.holds_outcome(&result)?;
    ensure!(
        world.simulator.status(&id) == Some("cancelled"),
        "it goes on"
    );
    Ok(())
}

async fn cancel_leaves_running_alone(server: Arc<Server>) -> anyhow::Result<()> {
    let world = patient_world(&server).await?;
    let id = world.simulator.create(Script {
        queued: Some(Duration::ZERO),
        running: Some(NEVER),
        ..Script::default()
    });
    let result = cancel_once_asked(&server, &world, &id, true).await?;
    cancelled(&result, "")?;
    // The status may become known before the cancellation, or by it.
    let endings = [
        "the task was left running",
        "the task was not cancelled: its status is `running`",
    ];
    ensure!(
        endings
            .iter()
            .any(|ending| result.message.ends_with(ending)),
        "{result:?}"
    );
    ensure!(
        world.simulator.status(&id) == Some("running"),
        "it was touched"
    );
    Ok(())
}
