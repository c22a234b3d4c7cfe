//! Generations: the workflow `GenerateVideo`, and its activity `CreateVideoTask`.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail, ensure};
use seedance_archiver_proto::v1::{
    CreateVideoTaskRequest, CreateVideoTaskResult, GenerateVideoRequest, GenerateVideoResult,
};
use seedance_archiver_workflows::encoding::Encoding;
use serde_json::{Value, json};
use temporalio_client::{WorkflowGetResultOptions, errors::WorkflowGetResultError};
use temporalio_common::protos::temporal::api::common::v1::Payload;

use super::{
    Caller,
    payloads::{decode_reply, details, encode_from_newer_caller},
    result, start,
};
use crate::harness::{
    Fixture, Server, caller::with_worker_and_caller, failures::root_cause, register, until,
};

fn body(prompt: &str) -> Value {
    json!({
        "model": "seedance-1-0-pro",
        "content": [{"type": "text", "text": prompt}],
    })
}

fn generation(prompt: &str) -> GenerateVideoRequest {
    GenerateVideoRequest {
        request: body(prompt).to_string(),
        ..GenerateVideoRequest::default()
    }
}

/// Covers the workflow, and its activity called directly.
async fn a_generation_replies_in_the_encoding_of_the_request(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    with_worker_and_caller(&server, &fixture, async {
        for encoding in Encoding::ALL {
            let input = encode_from_newer_caller(encoding, &generation("a kite"))?;
            generate(&server, &fixture, encoding, input).await?;

            let caller = Caller {
                server: &server,
                fixture: &fixture,
                encoding,
            };
            let request = CreateVideoTaskRequest {
                request: body("a boat").to_string(),
                submission_id: server.unique_name("order"),
                ..CreateVideoTaskRequest::default()
            };
            let created: CreateVideoTaskResult = caller.call("CreateVideoTask", &request).await?;
            ensure!(created.learned_from == "answer", "{created:?}");
            ensure!(
                created.submission_id == request.submission_id,
                "{created:?}"
            );
        }
        Ok(())
    })
    .await?;
    let tasks = fixture.simulator.task_ids().len();
    ensure!(tasks == 2 * Encoding::ALL.len(), "{tasks} tasks");
    Ok(())
}
register!(a_generation_replies_in_the_encoding_of_the_request);

/// In JSON, the body of the create request may be an object.
async fn a_generation_accepts_the_request_as_an_object(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    fixture
        .with_worker(&server, async {
            for encoding in [Encoding::JsonPlain, Encoding::JsonProtobuf] {
                let mut input = encode_from_newer_caller(encoding, &generation(""))?;
                let mut json: Value = serde_json::from_slice(&input.data)?;
                json["request"] = body("a kite");
                input.data = json.to_string().into_bytes();
                let id = generate(&server, &fixture, encoding, input).await?;
                let content = fixture.simulator.request_field(&id, "content");
                ensure!(content == Some(body("a kite")["content"].clone()));
            }
            Ok(())
        })
        .await
}
register!(a_generation_accepts_the_request_as_an_object);

/// Runs `GenerateVideo` with an input, checks its result, and returns the task.
async fn generate(
    server: &Server,
    fixture: &Fixture,
    encoding: Encoding,
    input: Payload,
) -> anyhow::Result<String> {
    let id = server.unique_name("generate");
    let handle = start(server, fixture, "GenerateVideo", id, input).await?;
    let result: GenerateVideoResult = result(&handle, encoding).await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let submission = result.submission.context("no submission")?;
    ensure!(submission.task_id == result.task_id, "{submission:?}");
    Ok(result.task_id)
}

async fn a_lost_video_of_a_generation_fails_in_the_encoding_of_the_request(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let month = Duration::from_secs(30 * 24 * 60 * 60);
    let fixture = Fixture::with(&server, |simulator| simulator.running(month), |_| {}).await?;
    fixture
        .with_worker(&server, async {
            let mut started = Vec::new();
            for encoding in Encoding::ALL {
                let id = server.unique_name("generate");
                let input = encode_from_newer_caller(encoding, &generation("a kite"))?;
                let handle = start(&server, &fixture, "GenerateVideo", id, input).await?;
                started.push((encoding, handle));
            }
            until("all tasks were created", || {
                fixture.simulator.task_ids().len() == Encoding::ALL.len()
            })
            .await?;
            for id in fixture.simulator.task_ids() {
                // The API does not return a task in the second of its creation.
                until("the task was returned", || {
                    fixture.simulator.was_returned(&id)
                })
                .await?;
                fixture.polled(&id, 1).await?;
            }
            fixture.close_query_window().await;
            for (encoding, handle) in started {
                let outcome = handle.get_result(WorkflowGetResultOptions::default()).await;
                let Err(WorkflowGetResultError::Failed(failure)) = outcome else {
                    bail!("the generation did not fail");
                };
                let result: GenerateVideoResult =
                    decode_reply(encoding, &details(root_cause(&failure))?)?;
                ensure!(result.outcome == "lost", "{result:?}");
                ensure!(!result.task_id.is_empty(), "{result:?}");
            }
            Ok(())
        })
        .await
}
register!(a_lost_video_of_a_generation_fails_in_the_encoding_of_the_request);
