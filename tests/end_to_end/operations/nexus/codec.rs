//! A payload codec: callers, workers and the server exchange only encoded payloads.

use std::{collections::HashMap, sync::Arc};

use anyhow::{Context, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use seedance_archiver_proto::v1::{
    GetVideoTaskRequest, GetVideoTaskResult, VideoTaskLifecycleResult,
};
use seedance_archiver_simulator::Script;
use seedance_archiver_workflows::encoding::{ContractMessage, Encoding, decode};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use temporalio_common::protos::temporal::api::common::v1::Payload;

use crate::{
    harness::{
        Fixture, HOUR, Server, nexus,
        nexus::{NexusCall, Operation, with_callers},
        register,
    },
    nexus::request,
    operations::{
        codec::{self, AUTHORIZATION, Codec, ENCODING},
        process::WorkerProcess,
    },
};

async fn requests_and_results_pass_through_the_codec(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let codec = Arc::new(Codec::default());
    let url = format!("{}/{{namespace}}", codec.serve().await?);
    let variables = [
        ("TEMPORAL_CODEC_ENDPOINT", url.as_str()),
        ("TEMPORAL_CODEC_AUTH", AUTHORIZATION),
    ];
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let worker = WorkerProcess::start(&fixture, &server, &variables)?;
    worker.wait_for_log("polling for Nexus requests").await?;
    let id = fixture.simulator.create(Script::default());
    with_callers(&server, async {
        let operation = Operation::new(&endpoint, "AwaitVideoTask");
        let call = NexusCall::start(&server, operation, encoded(&request(&id))?).await?;
        let result: VideoTaskLifecycleResult = decoded(&call.ending().await?.completed_payload()?)?;
        ensure!(result.outcome == "archived", "{result:?}");

        let operation = Operation::new(&endpoint, "GetVideoTask");
        let get = GetVideoTaskRequest {
            task_id: id.clone(),
            ..GetVideoTaskRequest::default()
        };
        let call = NexusCall::start(&server, operation, encoded(&get)?).await?;
        let known: GetVideoTaskResult = decoded(&call.ending().await?.completed_payload()?)?;
        ensure!(known.manifest == result.manifest, "{known:?}");
        Ok(())
    })
    .await
}
register!(requests_and_results_pass_through_the_codec);

async fn the_details_of_a_lost_video_pass_through_the_codec(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let codec = Arc::new(Codec::default());
    let url = format!("{}/{{namespace}}", codec.serve().await?);
    let fixture = Fixture::new(&server).await?;
    let accounts = accounts_with_short_window(&fixture)?;
    let variables = [
        ("TEMPORAL_CODEC_ENDPOINT", url.as_str()),
        ("TEMPORAL_CODEC_AUTH", AUTHORIZATION),
        (
            "SEEDANCE_ACCOUNTS_FILE",
            accounts.path().to_str().context("not UTF-8")?,
        ),
        ("SEEDANCE_API_KEY", ""),
        ("SEEDANCE_BASE_URL", ""),
    ];
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let worker = WorkerProcess::start(&fixture, &server, &variables)?;
    worker.wait_for_log("polling for Nexus requests").await?;
    let id = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    with_callers(&server, async {
        let operation = Operation::new(&endpoint, "AwaitVideoTask");
        let call = NexusCall::start(&server, operation, encoded(&request(&id))?).await?;
        let failure = call.ending().await?.failed()?;
        ensure!(failure.failure_type == "VideoLost", "{failure:?}");
        let result: VideoTaskLifecycleResult = decoded(&failure.into_details()?)?;
        ensure!(result.outcome == "lost", "{result:?}");
        Ok(())
    })
    .await
}
register!(
    the_details_of_a_lost_video_pass_through_the_codec,
    takes_long
);

/// Returns an accounts file whose query window closes soon: a process has the system's clock.
fn accounts_with_short_window(fixture: &Fixture) -> anyhow::Result<NamedTempFile> {
    let accounts = format!(
        "[accounts.default]\nbase_url = \"{}\"\napi_key = \"{}\"\n\
         windows = {{ query_window = \"30s\", margin = \"1s\" }}\n\
         pace = {{ shortest = \"200ms\" }}\n",
        fixture.simulator.base_url(),
        fixture.simulator.api_key()
    );
    let file = tempfile::Builder::new().suffix(".toml").tempfile()?;
    std::fs::write(file.path(), accounts)?;
    Ok(file)
}

/// Encodes a message as a worker with the codec does.
fn encoded<T: ContractMessage>(message: &T) -> anyhow::Result<Payload> {
    let payload = Encoding::JsonPlain.encode(message)?;
    from_json(&codec::encode(&to_json(&payload)))
}

/// Decodes a message that must have been encoded by the codec.
fn decoded<T: ContractMessage>(payload: &Payload) -> anyhow::Result<T> {
    let encoding = payload.metadata.get("encoding").context("no encoding")?;
    ensure!(encoding == ENCODING.as_bytes(), "{payload:?}");
    let payload = codec::decode(&to_json(payload)).context("cannot be decoded")?;
    Ok(decode(&from_json(&payload)?)?)
}

fn to_json(payload: &Payload) -> Value {
    let metadata: HashMap<_, _> = payload
        .metadata
        .iter()
        .map(|(name, value)| (name, BASE64_STANDARD.encode(value)))
        .collect();
    json!({ "metadata": metadata, "data": BASE64_STANDARD.encode(&payload.data) })
}

fn from_json(payload: &Value) -> anyhow::Result<Payload> {
    let bytes = |value: &Value| {
        let text = value.as_str().context("not a string")?;
        anyhow::Ok(BASE64_STANDARD.decode(text)?)
    };
    let metadata = payload["metadata"].as_object().context("no metadata")?;
    let metadata = metadata
        .iter()
        .map(|(name, value)| Ok((name.clone(), bytes(value)?)))
        .collect::<anyhow::Result<_>>()?;
    Ok(Payload {
        metadata,
        data: bytes(&payload["data"])?,
        ..Payload::default()
    })
}
