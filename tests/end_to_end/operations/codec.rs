//! A team's own codec: nothing that a payload says is on the server in plain.

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

use super::process::Process;
use crate::{
    Suite,
    world::{Server, World, command},
};

/// Marks payloads that the codec has encoded.
const ENCODING: &str = "binary/team-a";
/// What the codec server wants to see.
const AUTHORIZATION: &str = "Bearer team-a";

pub(crate) fn tests(suite: Suite) -> Suite {
    suite.test("operations::a_codec_server_sees_every_payload", sees_all)
}

/// A codec server. Its secret is not one: each byte is another, and all of a payload is in its data.
#[derive(Default)]
struct Codec {
    calls: AtomicUsize,
}

impl Codec {
    async fn serve(self: Arc<Self>) -> std::io::Result<String> {
        let routes = Router::new()
            .route("/{namespace}/{how}", post(pass))
            .with_state(self);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(format!("http://{address}"))
    }
}

async fn pass(
    State(codec): State<Arc<Codec>>,
    Path((namespace, how)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<String, StatusCode> {
    let is_known = headers
        .get("authorization")
        .is_some_and(|it| it == AUTHORIZATION)
        && headers
            .get("x-namespace")
            .is_some_and(|it| *it == *namespace);
    if !is_known {
        return Err(StatusCode::FORBIDDEN);
    }
    codec.calls.fetch_add(1, Ordering::Relaxed);
    let body: Value = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let payloads = body["payloads"].as_array().ok_or(StatusCode::BAD_REQUEST)?;
    let passed = payloads.iter().map(|payload| match how.as_str() {
        "encode" => Some(encode(payload)),
        "decode" => decode(payload),
        _ => None,
    });
    let passed: Option<Vec<_>> = passed.collect();
    let passed = passed.ok_or(StatusCode::BAD_REQUEST)?;
    Ok(json!({ "payloads": passed }).to_string())
}

fn flip(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ 0x5a).collect()
}

fn encode(payload: &Value) -> Value {
    let data = flip(payload.to_string().as_bytes());
    json!({
        "metadata": { "encoding": BASE64_STANDARD.encode(ENCODING) },
        "data": BASE64_STANDARD.encode(data),
    })
}

/// What was not encoded here passes as it is: the SDK encodes no summaries, and has them decoded.
fn decode(payload: &Value) -> Option<Value> {
    if payload["metadata"]["encoding"] != BASE64_STANDARD.encode(ENCODING) {
        return Some(payload.clone());
    }
    let data = BASE64_STANDARD.decode(payload["data"].as_str()?).ok()?;
    serde_json::from_slice(&flip(&data)).ok()
}

async fn sees_all(server: Arc<Server>) -> anyhow::Result<()> {
    let codec = Arc::new(Codec::default());
    let endpoint = format!("{}/{{namespace}}", codec.clone().serve().await?);
    let variables = [
        ("TEMPORAL_CODEC_ENDPOINT", endpoint.as_str()),
        ("TEMPORAL_CODEC_AUTH", AUTHORIZATION),
        ("SEEDANCE_AUTO_ARCHIVE", "true"),
    ];
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script::default());
    let worker = Process::worker(&world, &server, &variables)?;
    worker.says("polling").await?;
    let cli = |arguments: &[&str]| {
        let mut command = command();
        command
            .args(arguments)
            .args(["--output", "json"])
            .env("TEMPORAL_ADDRESS", &server.address)
            .env("TEMPORAL_TASK_QUEUE", &world.config.task_queue)
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
        worker.event("codec request failed").is_none(),
        "{:?}",
        worker.log()
    );
    let history = bytes(&server, &id).await?;
    let has = |words: &str| {
        history
            .windows(words.len())
            .any(|it| it == words.as_bytes())
    };
    ensure!(has(ENCODING), "nothing was encoded");
    for words in ["sealed:v1:", "manifest_url", "json/protobuf"] {
        ensure!(!has(words), "{words} is there in plain");
    }
    ensure!(
        codec.calls.load(Ordering::Relaxed) > 5,
        "the codec was hardly asked"
    );
    let plain = World::new(&server).await?;
    let other = plain.simulator.create(Script::default());
    plain.run(&server, &other).await?;
    let history = bytes(&server, &other).await?;
    let sealed = b"sealed:v1:";
    ensure!(
        history.windows(sealed.len()).any(|it| it == sealed),
        "what is looked for is never there"
    );
    Ok(())
}

/// The history of a lifecycle, as the server has it.
async fn bytes(server: &Server, id: &str) -> anyhow::Result<Vec<u8>> {
    let history = server
        .lifecycle(id)
        .fetch_history(WorkflowFetchHistoryOptions::default());
    let events = history.into_events().await?;
    let mut bytes = Vec::new();
    for event in events {
        prost::Message::encode(&event, &mut bytes).context("no event")?;
    }
    Ok(bytes)
}
