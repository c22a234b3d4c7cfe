//! A caller's own workflow, in a worker of its own, that uses the activities by name and JSON.

// The macros make constants and helpers that carry no documentation.
#![allow(
    missing_docs,
    clippy::result_large_err,
    clippy::unimplemented,
    unused_variables
)]

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail, ensure};
use seedance_archiver_simulator::Script;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use temporalio_client::{
    WorkflowGetResultOptions, WorkflowStartOptions, errors::WorkflowGetResultError,
};
use temporalio_common::error::{ApplicationFailure, IncomingError};
use temporalio_macros::{activity_definitions, workflow, workflow_methods};
use temporalio_sdk::{
    ActivityOptions, Worker as SdkWorker, WorkerOptions, WorkflowContext, WorkflowResult,
};

use crate::{
    Suite,
    requests::root,
    world::{Server, World},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test(
            "callers::ask_and_archive_with_activities_alone",
            ask_and_archive,
        )
        .test(
            "callers::an_invalid_request_fails_at_once",
            invalid_requests,
        )
}

struct Activities;

#[activity_definitions]
impl Activities {
    #[activity(name = "QueryVideoTask")]
    fn query_video_task(request: Value) -> Result<Value, ApplicationFailure> {
        unimplemented!()
    }

    #[activity(name = "ArchiveVideo")]
    fn archive_video(request: Value) -> Result<Value, ApplicationFailure> {
        unimplemented!()
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct Call {
    task_queue: String,
    activity: String,
    request: Value,
}

#[workflow]
#[derive(Default)]
struct Caller;

#[workflow_methods]
impl Caller {
    #[run(name = "Caller")]
    async fn run(ctx: &mut WorkflowContext<Self>, call: Call) -> WorkflowResult<Value> {
        let options = ActivityOptions::with_start_to_close_timeout(Duration::from_secs(60))
            .task_queue(call.task_queue)
            .heartbeat_timeout(Duration::from_secs(20))
            .build();
        let answer = match call.activity.as_str() {
            "QueryVideoTask" => {
                ctx.execute_activity(Activities::query_video_task, call.request, options)
                    .await?
            }
            _ => {
                ctx.execute_activity(Activities::archive_video, call.request, options)
                    .await?
            }
        };
        Ok(answer)
    }
}

async fn ask_and_archive(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script::default());
    let (record, manifest) = with_callers(&server, &world, async {
        let asked = json!({"task_id": id});
        let first = call(&server, &world, "QueryVideoTask", &asked).await?;
        ensure!(first["status"] == "queued", "no answer at once: {first:#}");

        let mut status = "queued".to_owned();
        let mut record = first;
        while !["succeeded", "failed"].contains(&status.as_str()) {
            // Protobuf's JSON writers send `camelCase`.
            let asked = json!({"taskId": id, "knownStatus": status});
            record = call(&server, &world, "QueryVideoTask", &asked).await?;
            ensure!(
                record["status"] != status.as_str(),
                "nothing new: {record:#}"
            );
            status = record["status"].as_str().context("no status")?.to_owned();
        }
        let manifest = call(&server, &world, "ArchiveVideo", &json!({"task": record})).await?;
        Ok((record, manifest))
    })
    .await?;
    ensure!(
        record["created_at"].is_i64() && record["duration"] == 5,
        "{record:#}"
    );
    ensure!(manifest["task_id"] == id.as_str(), "{manifest:#}");
    ensure!(
        manifest["objects"][0]["size_bytes"].is_i64(),
        "{manifest:#}"
    );
    ensure!(
        world.simulator.stats(&id).downloads == 1,
        "not one download"
    );
    Ok(())
}

async fn invalid_requests(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    with_callers(&server, &world, async {
        let running = json!({"task": {"id": "cgt-1", "status": "running"}});
        let elsewhere = json!({
            "task": {"id": "cgt-1", "status": "succeeded"}, "destination": "file:///elsewhere",
        });
        for (activity, request, beginning) in [
            ("QueryVideoTask", json!({}), "`task_id` is missing"),
            (
                "QueryVideoTask",
                json!({"task_id": ["a"]}),
                "`task_id` cannot be read",
            ),
            ("ArchiveVideo", json!({}), "`task` is missing"),
            ("ArchiveVideo", running, "`task.status` is `running`"),
            ("ArchiveVideo", elsewhere, "`destination` "),
        ] {
            match call(&server, &world, activity, &request).await {
                Err(error) => {
                    let message = error.to_string();
                    ensure!(
                        message.starts_with(beginning),
                        "{activity} {request}: {message}"
                    );
                }
                Ok(answer) => bail!("{activity} {request} answered {answer:#}"),
            }
        }
        Ok(())
    })
    .await
}

/// Runs `work` beside a worker of the world and a caller's.
pub(crate) async fn with_callers<T>(
    server: &Server,
    world: &World,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let options = WorkerOptions::new(callers_queue(world))
        .register_workflow::<Caller>()?
        .build();
    let mut callers = SdkWorker::new(&server.runtime, server.client.clone(), options)?;
    let stop = callers.shutdown_handle();
    world
        .with_worker(server, async {
            let callers = callers.run();
            tokio::pin!(callers);
            tokio::select! {
                ended = &mut callers => bail!("the callers' worker stopped: {ended:?}"),
                outcome = work => {
                    stop();
                    callers.await?;
                    outcome
                }
            }
        })
        .await
}

fn callers_queue(world: &World) -> String {
    format!("{}-callers", world.config.task_queue)
}

/// The answer of an activity, or the message of the `InvalidRequest` that it failed as.
pub(crate) async fn call(
    server: &Server,
    world: &World,
    activity: &str,
    request: &Value,
) -> anyhow::Result<Value> {
    let queue = &world.config.task_queue;
    let call = Call {
        task_queue: match activity {
            "QueryVideoTask" => queue.clone(),
            _ => format!("{queue}-transfers"),
        },
        activity: activity.to_owned(),
        request: request.clone(),
    };
    let options = WorkflowStartOptions::new(callers_queue(world), server.unique("caller")).build();
    let handle = server
        .client
        .start_workflow(Caller::run, call, options)
        .await?;
    match handle.get_result(WorkflowGetResultOptions::default()).await {
        Ok(answer) => Ok(answer),
        Err(WorkflowGetResultError::Failed(failure)) => match root(&failure) {
            IncomingError::Application(application) => {
                ensure!(
                    application.type_name() == Some("InvalidRequest"),
                    "{application:?}"
                );
                bail!("{application}")
            }
            other => bail!("failed as {other:?}"),
        },
        Err(error) => Err(error.into()),
    }
}
