//! Callbacks from Seedance, on the worker's ingress.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use reqwest::{Response, StatusCode};
use seedance_archiver::{
    config::{Account, Callbacks, Secret},
    worker::Worker,
};
use seedance_archiver_simulator::{Fault, Script};
use serde_json::json;
use temporalio_client::{WorkflowDescribeOptions, errors::WorkflowInteractionError};

use crate::{
    Suite,
    world::{Server, World, until, until_async},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test(
            "callbacks::one_is_as_good_as_many_questions",
            replaces_questions,
        )
        .test(
            "callbacks::one_is_enough_for_a_task_that_nobody_registered",
            starts_a_lifecycle,
        )
        .test(
            "callbacks::one_of_an_unknown_task_starts_nothing_unless_told",
            starts_nothing,
        )
        .test(
            "callbacks::one_starts_again_what_was_terminated",
            starts_again,
        )
        .test("callbacks::one_of_a_gateway_is_understood", wrapped)
        .test("callbacks::what_is_bad_changes_nothing", bad_ones)
        .test("callbacks::one_in_vain_is_to_be_sent_again", in_vain)
        .test("callbacks::too_many_are_refused", too_many)
}

const TOKEN: &str = "a-token-of-32-characters-1234567";
/// Longer than any test: the next question never comes by itself.
const NEVER: Duration = Duration::from_secs(3600);

/// A world that takes callbacks and asks by itself only once.
async fn world(server: &Server, start_lifecycles: bool) -> anyhow::Result<World> {
    let change = |account: &mut Account| {
        account.schedule.min_interval = NEVER;
        account.schedule.max_interval = NEVER;
        account.callbacks = Some(Callbacks {
            token: Secret::from(TOKEN.to_owned()),
            start_lifecycles,
        });
    };
    let mut world = World::with(server, |simulator| simulator, change).await?;
    world.config.ingress_address = Some(([127, 0, 0, 1], 0).into());
    Ok(world)
}

/// Runs `work` beside a worker, with the URL that takes its callbacks.
async fn with_ingress<T, F>(
    server: &Server,
    world: &World,
    work: impl FnOnce(String) -> F,
) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    let worker = Worker::new(&server.runtime, &server.client, &world.config).await?;
    let address = worker.ingress_address().context("nothing listens")?;
    let url = format!("http://{address}/callbacks/default/{TOKEN}");
    worker.run_during(work(url)).await?
}

async fn call_back(url: &str, body: impl Into<String>) -> anyhow::Result<Response> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    Ok(http.post(url).body(body.into()).send().await?)
}

/// The questions that the worker asks by itself are an hour apart.
async fn replaces_questions(server: Arc<Server>) -> anyhow::Result<()> {
    let world = world(&server, false).await?;
    let (id, cost) = with_ingress(&server, &world, |url| {
        let (world, server) = (&world, &server);
        async move {
            let id = world.simulator.create(Script {
                queued: Some(Duration::from_secs(3)),
                running: Some(Duration::from_secs(2)),
                callback_url: Some(url),
                ..Script::default()
            });
            let lifecycle = world.start(server, &id).await?;
            let result = lifecycle.result().await?;
            ensure!(result.outcome == "archived", "{result:?}");
            Ok((id, lifecycle.cost().await?))
        }
    })
    .await?;
    ensure!(cost.history_events <= 26, "{cost:?}");
    // One for each status. The first is sent again where it comes before the lifecycle does.
    let callbacks = world.simulator.stats(&id).callbacks;
    ensure!([3, 4].contains(&callbacks), "{callbacks} callbacks");
    Ok(())
}

async fn starts_a_lifecycle(server: Arc<Server>) -> anyhow::Result<()> {
    let world = world(&server, true).await?;
    with_ingress(&server, &world, |url| {
        let (world, server) = (&world, &server);
        async move {
            let id = world.simulator.create(Script::default());
            until("it has succeeded", || {
                world.simulator.status(&id) == Some("succeeded")
            })
            .await?;
            let record = json!({"id": id, "status": "failed"}).to_string();
            let answer = call_back(&url, &record).await?;
            ensure!(answer.status() == StatusCode::OK, "{answer:?}");
            let lifecycle = server.lifecycle(&id);
            let result = lifecycle
                .get_result(Default::default())
                .await?
                .into_message();
            ensure!(result.outcome == "archived", "it was believed: {result:?}");

            let run = server.run_id(&id).await?;
            let again = call_back(&url, &record).await?;
            ensure!(again.status() == StatusCode::OK, "{again:?}");
            ensure!(server.run_id(&id).await? == run, "it was archived again");
            Ok(())
        }
    })
    .await
}

/// What was terminated has no verdict: the callback of its task starts another lifecycle.
async fn starts_again(server: Arc<Server>) -> anyhow::Result<()> {
    let world = world(&server, true).await?;
    with_ingress(&server, &world, |url| {
        let (world, server) = (&world, &server);
        async move {
            let id = world.simulator.create(Script::default());
            world.start(server, &id).await?;
            let lifecycle = server.lifecycle(&id);
            let terminated = server.run_id(&id).await?;
            lifecycle.terminate(Default::default()).await?;
            let answer = call_back(&url, json!({"id": id}).to_string()).await?;
            ensure!(answer.status() == StatusCode::OK, "{answer:?}");
            ensure!(
                server.run_id(&id).await? != terminated,
                "nothing was started"
            );
            Ok(())
        }
    })
    .await
}

/// A gateway's own id is beside the record that it wraps.
async fn wrapped(server: Arc<Server>) -> anyhow::Result<()> {
    let world = world(&server, false).await?;
    with_ingress(&server, &world, |url| {
        let (world, server) = (&world, &server);
        async move {
            let id = world.simulator.create(Script {
                queued: Some(Duration::from_secs(2)),
                callback_url: Some(url),
                wrapped: true,
                ..Script::default()
            });
            let result = world.start(server, &id).await?.result().await?;
            ensure!(result.outcome == "archived", "{result:?}");
            Ok(())
        }
    })
    .await
}

async fn starts_nothing(server: Arc<Server>) -> anyhow::Result<()> {
    let world = world(&server, false).await?;
    with_ingress(&server, &world, |url| {
        let (world, server) = (&world, &server);
        async move {
            let id = world.simulator.create(Script::default());
            let answer = call_back(&url, json!({"id": id}).to_string()).await?;
            ensure!(answer.status() == StatusCode::NOT_FOUND, "{answer:?}");
            is_not_there(server, &id).await
        }
    })
    .await
}

async fn is_not_there(server: &Server, id: &str) -> anyhow::Result<()> {
    let lifecycle = server.lifecycle(id);
    match lifecycle.describe(WorkflowDescribeOptions::default()).await {
        Err(WorkflowInteractionError::NotFound(_)) => Ok(()),
        other => anyhow::bail!("there is a lifecycle: {:?}", other.map(|it| it.status())),
    }
}

async fn bad_ones(server: Arc<Server>) -> anyhow::Result<()> {
    let world = world(&server, true).await?;
    with_ingress(&server, &world, |url| {
        let (world, server) = (&world, &server);
        async move {
            let id = world.simulator.create(Script::default());
            let good = json!({"id": id}).to_string();
            let elsewhere = |from: &str, to: &str| url.replace(from, to);
            let large = format!("{good}{}", " ".repeat(300_000));
            for (url, body, status) in [
                (elsewhere("-1234567", "-1234568"), good.clone(), 404),
                (elsewhere(TOKEN, "x"), good.clone(), 404),
                (elsewhere("default", "other"), good.clone(), 404),
                (elsewhere("/callbacks", ""), good.clone(), 404),
                (url.clone(), String::new(), 400),
                (url.clone(), "[]".into(), 400),
                (url.clone(), r#"{"status": "succeeded"}"#.into(), 400),
                (url.clone(), r#"{"id": "../../x"}"#.into(), 400),
                (url.clone(), r#"{"id": "cgt-1"}"#.into(), 404),
                (url.clone(), large, 413),
            ] {
                let answer = call_back(&url, body.clone()).await?;
                ensure!(answer.status() == status, "{url} {body:.80}: {answer:?}");
                let words = answer.text().await?;
                ensure!(!words.contains(TOKEN), "{words}");
            }
            let http = reqwest::Client::builder().no_proxy().build()?;
            let answer = http.get(&url).send().await?;
            ensure!(
                answer.status() == StatusCode::METHOD_NOT_ALLOWED,
                "{answer:?}"
            );
            ensure!(
                world.simulator.stats(&id).queries == 0,
                "it was asked about"
            );
            is_not_there(server, &id).await
        }
    })
    .await
}

/// Without a 2xx the service sends it again.
async fn in_vain(server: Arc<Server>) -> anyhow::Result<()> {
    let world = world(&server, false).await?;
    with_ingress(&server, &world, |url| {
        let (world, server) = (&world, &server);
        async move {
            let id = world.simulator.create(Script::default());
            let lifecycle = world.start(server, &id).await?;
            until("it has succeeded", || {
                world.simulator.status(&id) == Some("succeeded")
            })
            .await?;
            let record = json!({"id": id}).to_string();
            world.simulator.set_fault(Some(Fault::Unavailable));
            let answer = call_back(&url, &record).await?;
            ensure!(
                answer.status() == StatusCode::SERVICE_UNAVAILABLE,
                "{answer:?}"
            );
            world.simulator.set_fault(None);
            until_async("it is taken", || async {
                Ok(call_back(&url, &record).await?.status() == StatusCode::OK)
            })
            .await?;
            let result = lifecycle.result().await?;
            ensure!(result.outcome == "archived", "{result:?}");
            Ok(())
        }
    })
    .await
}

async fn too_many(server: Arc<Server>) -> anyhow::Result<()> {
    let world = world(&server, false).await?;
    with_ingress(&server, &world, |url| async move {
        let http = reqwest::Client::builder().no_proxy().build()?;
        until_async("one is refused", || async {
            let burst = (0..200).map(|_| http.post(&url).body("{}").send());
            let answers = futures::future::try_join_all(burst).await?;
            let refused = StatusCode::TOO_MANY_REQUESTS;
            Ok(answers.iter().any(|answer| answer.status() == refused))
        })
        .await
    })
    .await
}
