//! `AwaitVideoTask`: the one call that most callers need.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver_proto::v1::{AwaitVideoTaskRequest, VideoTaskLifecycleResult};
use seedance_archiver_simulator::{Ending, Script};
use seedance_archiver_workflows::{
    encoding::{self, Encoding},
    reply::Reply,
};
use temporalio_client::{
    WorkflowCancelOptions, WorkflowGetResultOptions, WorkflowTerminateOptions,
    errors::WorkflowGetResultError,
};
use temporalio_common::error::{ApplicationFailure, IncomingError};

use crate::{
    Suite,
    relay::{self, Call, with_callers},
    requests::root,
    world::{Server, World, until, until_async},
};

/// More callers than a worker holds waits for.
const CROWD: usize = 80;

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test("awaiting::one_call_ends_with_the_receipt", one_call)
        .test("awaiting::what_is_no_success_is_told", no_success)
        .test("awaiting::a_lost_video_is_a_failure_with_the_result", lost)
        .test("awaiting::the_first_destination_wins", two_destinations)
        .test(
            "awaiting::cancelling_the_wait_cancels_nothing_else",
            cancelled,
        )
        .test(
            "awaiting::a_caller_that_closes_early_loses_nothing",
            closes_early,
        )
        .test("awaiting::a_terminated_lifecycle_is_no_verdict", terminated)
        .test("awaiting::another_worker_goes_on_waiting", killed)
        .test("awaiting::a_crowd_leaves_room_for_questions", crowd)
}

async fn one_call(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script::default());
    let result = with_callers(&server, &world, async {
        result(&call(&server, &world, &request(&id)).await?).await
    })
    .await?;
    ensure!(
        result.outcome == "archived" && result.warnings.is_empty(),
        "{result:?}"
    );
    world.holds_exactly(&id, &result.manifest.context("no receipt")?)
}

async fn no_success(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        ending: Ending::Failed,
        ..Script::default()
    });
    with_callers(&server, &world, async {
        let failed = result(&call(&server, &world, &request(&id)).await?).await?;
        ensure!(
            failed.outcome == "unsuccessful" && !failed.reason.is_empty(),
            "{failed:?}"
        );

        let elsewhere = AwaitVideoTaskRequest {
            account: "elsewhere".into(),
            ..request(&id)
        };
        let failure = failure(&call(&server, &world, &elsewhere).await?).await?;
        ensure!(failure.type_name() == Some("InvalidRequest"), "{failure:?}");
        ensure!(
            failure.to_string().starts_with("`account` is `elsewhere`"),
            "{failure}"
        );
        Ok(())
    })
    .await
}

async fn lost(server: Arc<Server>) -> anyhow::Result<()> {
    let window = Duration::from_secs(10);
    let world = World::with(
        &server,
        |it| it.running(Duration::from_secs(60)),
        |account| {
            account.windows.query_window = window;
            account.windows.margin = Duration::from_millis(500);
        },
    )
    .await?;
    let id = world.simulator.create(Script::default());
    with_callers(&server, &world, async {
        let report_only = AwaitVideoTaskRequest {
            report_only: true,
            ..request(&id)
        };
        let fails = call(&server, &world, &request(&id)).await?;
        let tells = call(&server, &world, &report_only).await?;
        let told = result(&tells).await?;
        ensure!(told.outcome == "lost", "{told:?}");
        let failure = failure(&fails).await?;
        ensure!(failure.type_name() == Some("VideoLost"), "{failure:?}");
        ensure!(failure.is_non_retryable(), "{failure:?}");
        let details: Option<Reply<VideoTaskLifecycleResult>> = failure.details()?;
        ensure!(
            details.context("no result")?.into_message() == told,
            "another result"
        );
        Ok(())
    })
    .await
}

async fn two_destinations(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        running: Some(Duration::from_secs(3)),
        ..Script::default()
    });
    let url = world.config.archive_url.as_str();
    let [first, second] = ["first", "second"].map(|folder| AwaitVideoTaskRequest {
        destination: format!("{url}{folder}"),
        ..request(&id)
    });
    with_callers(&server, &world, async {
        let wins = call(&server, &world, &first).await?;
        started(&server, &id).await?;
        let joins = call(&server, &world, &second).await?;
        let (wins, joins) = (result(&wins).await?, result(&joins).await?);
        ensure!(wins.warnings.is_empty(), "{wins:?}");
        let receipt = &joins.manifest.as_ref().context("no receipt")?.manifest_url;
        ensure!(receipt.starts_with(&first.destination), "{receipt}");
        ensure!(joins.manifest == wins.manifest, "two receipts");
        let told = joins.warnings.concat();
        for destination in [&first.destination, &second.destination] {
            ensure!(told.contains(destination.as_str()), "{told}");
        }
        Ok(())
    })
    .await
}

async fn cancelled(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        running: Some(Duration::from_secs(20)),
        ..Script::default()
    });
    with_callers(&server, &world, async {
        let call = call(&server, &world, &request(&id)).await?;
        started(&server, &id).await?;
        call.workflow
            .cancel(WorkflowCancelOptions::default())
            .await?;
        let ended = call
            .workflow
            .get_result(WorkflowGetResultOptions::default())
            .await;
        ensure!(
            is_cancelled(&ended),
            "the wait was not cancelled: {:?}",
            ended.err()
        );
        ensure!(
            world.simulator.status(&id) == Some("running"),
            "it waited for the end"
        );
        archived_all_the_same(&server, &id).await
    })
    .await
}

fn is_cancelled<T>(ended: &Result<T, WorkflowGetResultError>) -> bool {
    match ended {
        Err(WorkflowGetResultError::Cancelled { .. }) => true,
        Err(WorkflowGetResultError::Failed(failure)) => {
            matches!(root(failure), IncomingError::Cancelled(_))
        }
        _ => false,
    }
}

async fn closes_early(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        running: Some(Duration::from_secs(3)),
        ..Script::default()
    });
    with_callers(&server, &world, async {
        let call = call(&server, &world, &request(&id)).await?;
        started(&server, &id).await?;
        call.workflow
            .terminate(WorkflowTerminateOptions::default())
            .await?;
        archived_all_the_same(&server, &id).await
    })
    .await
}

async fn terminated(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        running: Some(Duration::from_secs(60)),
        ..Script::default()
    });
    with_callers(&server, &world, async {
        let call = call(&server, &world, &request(&id)).await?;
        started(&server, &id).await?;
        let lifecycle = server.lifecycle(&id);
        lifecycle
            .terminate(WorkflowTerminateOptions::default())
            .await?;
        let result = result(&call).await?;
        let told = (result.outcome.as_str(), result.reason.as_str());
        ensure!(told == ("unknown", "terminated"), "{result:?}");
        Ok(())
    })
    .await
}

async fn killed(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        running: Some(Duration::from_secs(20)),
        ..Script::default()
    });
    relay::alone(&server, &world, async {
        let mut first = world.spawn_worker(&server)?;
        let call = call(&server, &world, &request(&id)).await?;
        started(&server, &id).await?;
        until("the task runs", || {
            world.simulator.status(&id) == Some("running")
        })
        .await?;
        first.kill().await?;
        let run = server.run_id(&id).await?;
        let _second = world.spawn_worker(&server)?;
        let result = result(&call).await?;
        ensure!(result.outcome == "archived", "{result:?}");
        ensure!(
            server.run_id(&id).await? == run,
            "another lifecycle was started"
        );
        Ok(())
    })
    .await
}

async fn crowd(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        running: Some(Duration::from_secs(45)),
        ..Script::default()
    });
    with_callers(&server, &world, async {
        let mut calls = Vec::new();
        for _ in 0..CROWD {
            calls.push(call(&server, &world, &request(&id)).await?);
        }
        // While all of them wait, another task comes and goes.
        let other = world.simulator.create(Script::default());
        let archived = world.start(&server, &other).await?.result().await?;
        ensure!(archived.outcome == "archived", "{archived:?}");
        ensure!(
            world.simulator.status(&id) == Some("running"),
            "the crowd was not waiting"
        );
        for call in calls {
            let result = result(&call).await?;
            ensure!(result.outcome == "archived", "{result:?}");
        }
        ensure!(
            world.simulator.stats(&id).downloads == 1,
            "not one download"
        );
        Ok(())
    })
    .await
}

fn request(task_id: &str) -> AwaitVideoTaskRequest {
    AwaitVideoTaskRequest {
        task_id: task_id.to_owned(),
        ..AwaitVideoTaskRequest::default()
    }
}

async fn call(
    server: &Server,
    world: &World,
    request: &AwaitVideoTaskRequest,
) -> anyhow::Result<Call> {
    let input = Encoding::JsonPlain.encode(request)?;
    relay::start(server, world, "AwaitVideoTask", input).await
}

async fn result(call: &Call) -> anyhow::Result<VideoTaskLifecycleResult> {
    let answer = call
        .answer()
        .await?
        .map_err(|failure| anyhow::anyhow!("{failure:?}"))?;
    Ok(encoding::decode(&answer)?)
}

async fn failure(call: &Call) -> anyhow::Result<ApplicationFailure> {
    let failure = call.answer().await?.err().context("it did not fail")?;
    innermost(*failure).context("no application failure")
}

fn innermost(failure: IncomingError) -> Option<ApplicationFailure> {
    match failure {
        IncomingError::Application(failure) => Some(failure),
        IncomingError::Activity(failure) => innermost(failure.into_parts().1?),
        _ => None,
    }
}

async fn started(server: &Server, id: &str) -> anyhow::Result<()> {
    until_async("the lifecycle is there", || async {
        Ok(server.run_id(id).await.is_ok())
    })
    .await
}

/// Follows the lifecycle that nobody waits for any more.
async fn archived_all_the_same(server: &Server, id: &str) -> anyhow::Result<()> {
    let lifecycle = server.lifecycle(id);
    let result = lifecycle
        .get_result(WorkflowGetResultOptions::default())
        .await?;
    ensure!(result.message().outcome == "archived", "{result:?}");
    Ok(())
}
