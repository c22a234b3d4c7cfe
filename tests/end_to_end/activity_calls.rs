//! `QueryVideoTask` and `ArchiveVideo`, called by name with JSON.

use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use seedance_archiver_simulator::Script;
use serde_json::json;

use crate::harness::{
    Fixture, Server,
    caller::{call_json, with_worker_and_caller},
    register,
};

async fn a_video_is_archived_without_the_lifecycle_workflow(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let (record, manifest) = with_worker_and_caller(&server, &fixture, async {
        let request = json!({"task_id": id});
        let first = call_json(&server, &fixture, "QueryVideoTask", &request).await?;
        let queries = fixture.simulator.stats(&id).queries;
        ensure!(queries == 1, "the first result took {queries} queries");

        let mut status = first["status"].as_str().context("no status")?.to_owned();
        let mut record = first;
        while !["succeeded", "failed"].contains(&status.as_str()) {
            // The JSON writers of protobuf libraries send `camelCase`.
            let request = json!({"taskId": id, "knownStatus": status});
            record = call_json(&server, &fixture, "QueryVideoTask", &request).await?;
            ensure!(
                record["status"] != status.as_str(),
                "the status did not change: {record:#}"
            );
            status = record["status"].as_str().context("no status")?.to_owned();
        }
        let manifest =
            call_json(&server, &fixture, "ArchiveVideo", &json!({"task": record})).await?;
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
        fixture.simulator.stats(&id).downloads == 1,
        "the video was not downloaded exactly once"
    );
    Ok(())
}
register!(a_video_is_archived_without_the_lifecycle_workflow);

async fn an_invalid_request_fails_immediately(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    with_worker_and_caller(&server, &fixture, async {
        let running = json!({"task": {"id": "cgt-1", "status": "running"}});
        let revealing = json!({"task_id": "cgt-1", "reveal_urls": true});
        for (activity, request, beginning) in [
            ("QueryVideoTask", json!({}), "`task_id` is missing"),
            (
                "QueryVideoTask",
                json!({"task_id": ["a"]}),
                "`task_id` cannot be decoded",
            ),
            ("ArchiveVideo", json!({}), "`task` is missing"),
            ("ArchiveVideo", running, "`task.status` is `running`"),
            ("QueryVideoTask", revealing, "`reveal_urls` is not allowed"),
        ] {
            match call_json(&server, &fixture, activity, &request).await {
                Err(error) => {
                    let message = error.to_string();
                    ensure!(
                        message.starts_with(beginning),
                        "{activity} {request}: {message}"
                    );
                }
                Ok(result) => bail!("{activity} {request} returned {result:#}"),
            }
        }
        Ok(())
    })
    .await
}
register!(an_invalid_request_fails_immediately);
