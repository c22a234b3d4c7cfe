//! A codec server: Temporal stores no payload in plain text.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context, ensure};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use seedance_archiver_simulator::Script;
use serde_json::{Value, json};
use temporalio_client::WorkflowFetchHistoryOptions;
use tokio::net::TcpListener;

use super::process::WorkerProcess;
use crate::harness::{Fixture, Server, command, register, until, until_async};

/// Marks payloads that the codec encoded.
pub(super) const ENCODING: &str = "binary/team-a";
/// The header that the codec server requires.
pub(super) const AUTHORIZATION: &str = "Bearer team-a";

/// A codec server, which inverts bits instead of encrypting. It encodes the entire payload, including the
/// metadata.
#[derive(Default)]
pub(super) struct Codec {
    calls: AtomicUsize,
}

impl Codec {
    /// Starts the server, and returns its URL.
    pub(super) async fn serve(self: Arc<Self>) -> std::io::Result<String> {
        let routes = Router::new()
            .route("/{namespace}/{operation}", post(convert))
            .with_state(self);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(format!("http://{address}"))
    }
}

async fn convert(
    State(codec): State<Arc<Codec>>,
    Path((namespace, operation)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<String, StatusCode> {
    let is_authorized = headers
        .get("authorization")
        .is_some_and(|header| header == AUTHORIZATION)
        && headers
            .get("x-namespace")
            .is_some_and(|header| *header == *namespace);
    if !is_authorized {
        return Err(StatusCode::FORBIDDEN);
    }
    codec.calls.fetch_add(1, Ordering::Relaxed);
    let body: Value = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let payloads = body["payloads"].as_array().ok_or(StatusCode::BAD_REQUEST)?;
    let converted = payloads.iter().map(|payload| match operation.as_str() {
        "encode" => Some(encode(payload)),
        "decode" => decode(payload),
        _ => None,
    });
    let converted: Option<Vec<_>> = converted.collect();
    let converted = converted.ok_or(StatusCode::BAD_REQUEST)?;
    Ok(json!({ "payloads": converted }).to_string())
}

fn invert_bits(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ 0x5a).collect()
}

/// Encodes a payload.
pub(super) fn encode(payload: &Value) -> Value {
    let data = invert_bits(payload.to_string().as_bytes());
    json!({
        "metadata": { "encoding": BASE64_STANDARD.encode(ENCODING) },
        "data": BASE64_STANDARD.encode(data),
    })
}

/// Decodes a payload. A payload that is not encoded is returned unchanged, because the SDK sends summaries to
/// be decoded, but does not encode them.
pub(super) fn decode(payload: &Value) -> Option<Value> {
    if payload["metadata"]["encoding"] != BASE64_STANDARD.encode(ENCODING) {
        return Some(payload.clone());
    }
    let data = BASE64_STANDARD.decode(payload["data"].as_str()?).ok()?;
    serde_json::from_slice(&invert_bits(&data)).ok()
}

async fn a_codec_server_encodes_every_payload(server: Arc<Server>) -> anyhow::Result<()> {
    let codec = Arc::new(Codec::default());
    let endpoint = format!("{}/{{namespace}}", codec.clone().serve().await?);
    let variables = [
        ("TEMPORAL_CODEC_ENDPOINT", endpoint.as_str()),
        ("TEMPORAL_CODEC_AUTH", AUTHORIZATION),
        ("SEEDANCE_AUTO_ARCHIVE", "true"),
    ];
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let worker = WorkerProcess::start(&fixture, &server, &variables)?;
    worker.wait_for_log("polling").await?;
    let cli = |arguments: &[&str]| {
        let mut command = command();
        command
            .args(arguments)
            .args(["--output", "json"])
            .envs(server.environment())
            .env("TEMPORAL_TASK_QUEUE", &fixture.config.task_queue)
            .envs(variables);
        command.output()
    };
    let archived = cli(&["archive", &id]).await?;
    ensure!(archived.status.success(), "{archived:?}");
    let report: Value = serde_json::from_slice(&archived.stdout)?;
    ensure!(report["videos"][0]["outcome"] == "archived", "{report:#}");
    let status = cli(&["status", &id]).await?;
    ensure!(status.status.success(), "{status:?}");
    let status: Value = serde_json::from_slice(&status.stdout)?;
    ensure!(status.to_string().contains("manifest_url"), "{status:#}");

    ensure!(
        worker.log_event("codec request failed").is_none(),
        "{:?}",
        worker.log()
    );
    let history = encoded_history(&server, &id).await?;
    let contains = |text: &str| {
        history
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    ensure!(contains(ENCODING), "no payload was encoded");
    for text in ["sealed:v2:", "manifest_url", "json/protobuf"] {
        ensure!(!contains(text), "{text} is in plain text");
    }
    ensure!(
        codec.calls.load(Ordering::Relaxed) > 5,
        "the codec server was hardly called"
    );
    // Without a codec, the same search finds the sealed URL.
    let plain = Fixture::new(&server).await?;
    let other = plain.simulator.create(Script::default());
    plain.run_lifecycle(&server, &other).await?;
    let history = encoded_history(&server, &other).await?;
    let sealed = b"sealed:v2:";
    ensure!(
        history.windows(sealed.len()).any(|window| window == sealed),
        "no sealed URL in a history without a codec"
    );
    Ok(())
}
register!(a_codec_server_encodes_every_payload);

async fn a_codec_server_does_not_hide_the_progress_of_a_transfer(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let endpoint = Arc::new(Codec::default()).serve().await?;
    let endpoint = format!("{endpoint}/{{namespace}}");
    let variables = [
        ("TEMPORAL_CODEC_ENDPOINT", endpoint.as_str()),
        ("TEMPORAL_CODEC_AUTH", AUTHORIZATION),
    ];
    let fixture = Fixture::new(&server).await?;
    let size = 40 * 1024 * 1024;
    let id = fixture.simulator.create(Script {
        bytes: Some(size),
        hold_at: Some(size / 2),
        ..Script::default()
    });
    let worker = WorkerProcess::start(&fixture, &server, &variables)?;
    fixture.start_lifecycle(&server, &id).await?;
    until_async("the status shows the progress", || async {
        let mut command = command();
        command
            .args(["status", &id, "--output", "json"])
            .envs(server.environment())
            .envs(variables);
        let output = command.output().await?;
        ensure!(output.status.success(), "{output:?}");
        let status: Value = serde_json::from_slice(&output.stdout)?;
        let bytes = |name: &str| status["pending"][name].as_u64().unwrap_or_default();
        Ok(bytes("bytes_done") > 0 && bytes("bytes_total") == size)
    })
    .await
    .with_context(|| worker.log().join("\n"))?;
    fixture.simulator.release(&id);
    until("the video is archived", || {
        fixture.receipt_path(&id).is_some()
    })
    .await
}
register!(a_codec_server_does_not_hide_the_progress_of_a_transfer);

/// Returns the history events of a lifecycle, encoded as the server sends them.
async fn encoded_history(server: &Server, id: &str) -> anyhow::Result<Vec<u8>> {
    let history = server
        .lifecycle(id)
        .fetch_history(WorkflowFetchHistoryOptions::default());
    let events = history.into_events().await?;
    let mut bytes = Vec::new();
    for event in events {
        prost::Message::encode(&event, &mut bytes).context("cannot encode an event")?;
    }
    Ok(bytes)
}
