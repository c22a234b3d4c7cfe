//! Callers that use the activities by name and JSON.

use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use seedance_archiver_simulator::Script;
use serde_json::{Value, json};
use temporalio_common::{
    data_converters::{PayloadConverter, RawValue},
    error::IncomingError,
};

use crate::{
    Suite,
    relay::{self, with_callers},
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

async fn ask_and_archive(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script::default());
    let (record, manifest) = with_callers(&server, &world, async {
        let asked = json!({"task_id": id});
        let first = call(&server, &world, "QueryVideoTask", &asked).await?;
        let queries = world.simulator.stats(&id).queries;
        ensure!(queries == 1, "no answer at once, but after {queries}");

        let mut status = first["status"].as_str().context("no status")?.to_owned();
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
                "`task_id` cannot be decoded",
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

/// The answer of an activity, or the message of the `InvalidRequest` that it failed as.
pub(crate) async fn call(
    server: &Server,
    world: &World,
    activity: &str,
    request: &Value,
) -> anyhow::Result<Value> {
    let input = RawValue::from_value(request, &PayloadConverter::default());
    let input = input.payloads.into_iter().next().context("no payload")?;
    let call = relay::start(server, world, activity, input).await?;
    match call.answer().await? {
        Ok(answer) => Ok(serde_json::from_slice(&answer.data)?),
        Err(failure) => match root(&failure) {
            IncomingError::Application(application) => {
                ensure!(
                    application.type_name() == Some("InvalidRequest"),
                    "{application:?}"
                );
                bail!("{application}")
            }
            other => bail!("failed as {other:?}"),
        },
    }
}
