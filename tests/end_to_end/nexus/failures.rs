//! What a caller sees when a request is rejected, or when the video is lost.

use std::sync::Arc;

use anyhow::ensure;
use seedance_archiver::lifecycles::Lifecycle;
use seedance_archiver_proto::v1::{AwaitVideoTaskRequest, VideoTaskLifecycleResult};
use seedance_archiver_simulator::{Ending, Script};
use seedance_archiver_workflows::encoding::{Encoding, decode};
use serde_json::json;
use temporalio_client::WorkflowTerminateOptions;
use temporalio_common::protos::coresdk::AsJsonPayloadExt;

use super::request;
use crate::harness::{
    DAY, Fixture, HOUR, Server,
    lifecycle::until_waiting,
    nexus,
    nexus::{NexusCall, Operation, with_worker_and_callers},
    register,
};

async fn a_lost_video_fails_with_the_result_in_the_details(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let id = fixture.simulator.create(Script {
        running: Some(30 * DAY),
        ..Script::default()
    });
    with_worker_and_callers(&server, &fixture, async {
        let operation = Operation::new(&endpoint, "AwaitVideoTask");
        let call = NexusCall::send(&server, operation, &request(&id)).await?;
        fixture.polled(&id, 1).await?;
        fixture.close_query_window().await;
        let failure = call.ending().await?.failed()?;
        ensure!(failure.failure_type == "VideoLost", "{failure:?}");
        let details: VideoTaskLifecycleResult = decode(&failure.into_details()?)?;
        ensure!(details.outcome == "lost", "{details:?}");
        ensure!(details.reason == "query_window_closed", "{details:?}");
        Ok(())
    })
    .await
}
register!(a_lost_video_fails_with_the_result_in_the_details);

async fn an_unsuccessful_task_is_a_result(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let id = fixture.simulator.create(Script {
        ending: Ending::Failed,
        ..Script::default()
    });
    with_worker_and_callers(&server, &fixture, async {
        let operation = Operation::new(&endpoint, "AwaitVideoTask");
        let call = NexusCall::send(&server, operation, &request(&id)).await?;
        let result: VideoTaskLifecycleResult = call.ending().await?.completed()?;
        ensure!(result.outcome == "unsuccessful", "{result:?}");
        Ok(())
    })
    .await
}
register!(an_unsuccessful_task_is_a_result);

async fn an_invalid_request_names_the_field_and_is_not_retried(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let wait = || Operation::new(&endpoint, "AwaitVideoTask");
    let get = Operation::new(&endpoint, "GetVideoTask");
    let report_only = json!({"task_id": "cgt-1", "report_only": true});
    let destination = json!({"task_id": "cgt-1", "destination": "my-bucket"});
    let binary = Encoding::BinaryProtobuf.encode(&VideoTaskLifecycleResult::default())?;
    with_worker_and_callers(&server, &fixture, async {
        for (operation, input, error) in [
            (wait(), json!({}).as_json_payload()?, "`task_id`"),
            (
                wait(),
                json!({"task_id": 7}).as_json_payload()?,
                "`task_id`",
            ),
            (wait(), report_only.as_json_payload()?, "`report_only`"),
            (wait(), destination.as_json_payload()?, "`destination`"),
            (
                wait(),
                binary,
                "`seedance.archiver.v1.AwaitVideoTaskRequest`",
            ),
            (wait(), Default::default(), "`input`"),
            (
                get,
                json!({"task_id": "a/b"}).as_json_payload()?,
                "`task_id`",
            ),
        ] {
            let call = NexusCall::start(&server, operation, input).await?;
            let failure = call.ending().await?.failed()?;
            ensure!(failure.failure_type == "BAD_REQUEST", "{failure:?}");
            ensure!(failure.message.contains(error), "{error}: {failure:?}");
        }
        Ok(())
    })
    .await
}
register!(an_invalid_request_names_the_field_and_is_not_retried);

async fn an_unknown_service_operation_or_task_is_not_found(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let other_service = Operation {
        service: "Archiver".to_owned(),
        ..Operation::new(&endpoint, "AwaitVideoTask")
    };
    with_worker_and_callers(&server, &fixture, async {
        for (operation, error) in [
            (
                other_service,
                "no operation `AwaitVideoTask` of a service `Archiver`",
            ),
            (
                Operation::new(&endpoint, "ArchiveVideo"),
                "no operation `ArchiveVideo`",
            ),
            (
                Operation::new(&endpoint, "GetVideoTask"),
                "video-task/default/cgt-1 does not exist",
            ),
        ] {
            let call = NexusCall::send(&server, operation, &request("cgt-1")).await?;
            let failure = call.ending().await?.failed()?;
            ensure!(failure.failure_type == "NOT_FOUND", "{failure:?}");
            ensure!(failure.message.contains(error), "{error}: {failure:?}");
        }
        Ok(())
    })
    .await
}
register!(an_unknown_service_operation_or_task_is_not_found);

/// Another worker may serve the account, so the lifecycle waits for one, also if nothing says when the task was created.
async fn an_unknown_account_is_waited_for_until_no_worker_can_help(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let id = "a-task-without-a-date";
    let elsewhere = AwaitVideoTaskRequest {
        account: "elsewhere".into(),
        ..request(id)
    };
    with_worker_and_callers(&server, &fixture, async {
        let operation = Operation::new(&endpoint, "AwaitVideoTask");
        let call = NexusCall::send(&server, operation, &elsewhere).await?;
        call.until_waiting().await?;
        let lifecycle = Lifecycle::for_task(&server.client, "elsewhere", id);
        until_waiting(&lifecycle, "`account` is `elsewhere`").await?;
        fixture.close_query_window().await;
        let result: VideoTaskLifecycleResult = call.ending().await?.completed()?;
        ensure!(result.outcome == "unknown", "{result:?}");
        ensure!(result.reason == "unknown_account", "{result:?}");
        Ok(())
    })
    .await
}
register!(an_unknown_account_is_waited_for_until_no_worker_can_help);

async fn a_terminated_lifecycle_fails_the_operation(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let id = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    with_worker_and_callers(&server, &fixture, async {
        let operation = Operation::new(&endpoint, "AwaitVideoTask");
        let call = NexusCall::send(&server, operation, &request(&id)).await?;
        call.until_waiting().await?;
        let lifecycle = server.lifecycle(&id);
        lifecycle
            .terminate(WorkflowTerminateOptions::default())
            .await?;
        let failure = call.ending().await?.failed()?;
        ensure!(failure.message.contains("terminated"), "{failure:?}");
        Ok(())
    })
    .await
}
register!(a_terminated_lifecycle_fails_the_operation);
