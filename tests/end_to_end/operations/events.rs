//! Events in production: secrets, metrics, a codec, a worker that dies.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use anyhow::{Context, ensure};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use rustix::process::Signal;
use seedance_archiver::temporal::events;
use seedance_archiver_clock::Clock;
use seedance_archiver_simulator::Script;
use serde_json::Value;
use temporalio_client::{WorkflowCancelOptions, WorkflowDescribeOptions, WorkflowExecutionStatus};
use tokio::{net::TcpListener, sync::watch};

use super::{metrics::value, process::WorkerProcess};
use crate::harness::{
    Fixture, HOUR, Server,
    deliveries::Delivery,
    lifecycle::encoded_history,
    receiver::{KEY, Receiver, TOKEN},
    register, until, until_async,
};

fn deliveries(result: &str) -> String {
    format!("seedance_archiver_event_deliveries_total{{account=\"default\",result=\"{result}\"}}")
}

async fn deliveries_are_counted_and_no_secret_is_shown(server: Arc<Server>) -> anyhow::Result<()> {
    let mut receiver = Receiver::reserve()?;
    let directory = tempfile::tempdir()?;
    let url_file = directory.path().join("url");
    std::fs::write(&url_file, receiver.url())?;
    let variables = [
        (
            "SEEDANCE_WEBHOOK_URL_FILE",
            url_file.to_str().context("not UTF-8")?,
        ),
        ("SEEDANCE_WEBHOOK_KEY", KEY),
        ("RUST_LOG", "debug,h2=off,hyper=debug"),
    ];
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let worker = WorkerProcess::start(&fixture, &server, &variables)?;
    worker.wait_for_log("polling").await?;
    let lifecycle = fixture.start_lifecycle(&server, &id).await?;
    ensure!(lifecycle.result().await?.outcome == "archived");
    let delivery = Delivery::about(&server, &id).await?;
    delivery.until_waiting("no response").await?;
    let failure = worker
        .wait_for_log_with(
            "activity attempt failed; will retry",
            "failure_type",
            "WebhookFailed",
        )
        .await;
    failure.with_context(|| worker.log().join("\n"))?;
    receiver.listen()?;
    delivery.result().await?;

    until_async("overdue events are counted", || async {
        let (_, metrics) = worker.get("/metrics").await?;
        let series = "seedance_archiver_events_overdue{account=\"default\"}";
        Ok(value(&metrics, series) == Some(0.0))
    })
    .await?;
    let (_, metrics) = worker.get("/metrics").await?;
    ensure!(
        value(&metrics, &deliveries("delivered")) == Some(1.0),
        "{metrics}"
    );
    ensure!(
        value(&metrics, &deliveries("retried")) >= Some(1.0),
        "{metrics}"
    );
    let key = KEY.trim_start_matches("whsec_");
    for text in [worker.log().join("\n"), metrics, delivery.history().await?] {
        for secret in [TOKEN, key] {
            ensure!(!text.contains(secret), "{secret} in {text}");
        }
    }
    Ok(())
}
register!(deliveries_are_counted_and_no_secret_is_shown);

/// After a rollout that dropped the webhook, the events of the workers before it still wait.
async fn overdue_events_are_counted_without_a_webhook(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let worker = WorkerProcess::start(&fixture, &server, &[])?;
    worker.wait_for_log("polling").await?;
    until_async("overdue events are counted", || async {
        let (_, metrics) = worker.get("/metrics").await?;
        let series = "seedance_archiver_events_overdue{account=\"default\"}";
        Ok(value(&metrics, series).is_some())
    })
    .await
}
register!(overdue_events_are_counted_without_a_webhook);

async fn an_event_that_is_not_delivered_is_overdue(server: Arc<Server>) -> anyhow::Result<()> {
    let mut receiver = Receiver::reserve()?;
    let fixture = Fixture::with_account(&server, |account| receiver.set_webhook(account)).await?;
    let id = fixture.simulator.create(Script::default());
    // The other tests share the account's name, but not this one's time: the event counts from its start on.
    let client = &server.client;
    let before = Clock::default().now();
    let overdue = async |at| anyhow::Ok(events::count_undelivered(client, "default", at).await?);
    fixture
        .with_worker(&server, async {
            let earlier = overdue(before).await?;
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            lifecycle.result().await?;
            let delivery = Delivery::about(&server, &id).await?;
            ensure!(overdue(before).await? <= earlier, "counted too early");
            let later = before + HOUR;
            until_async("the event is counted", || async {
                Ok(overdue(later).await? >= 1)
            })
            .await?;
            let none = events::count_undelivered(client, "another", later).await?;
            ensure!(none == 0, "{none} events of another account");
            receiver.listen()?;
            delivery.result().await?;
            Ok(())
        })
        .await
}
register!(an_event_that_is_not_delivered_is_overdue);

/// A codec server that hides payloads, and that can hold or reject those with an event: so a worker can be stopped between a
/// receipt and the start of the delivery.
struct Codec {
    /// Whether payloads with events are held.
    is_held: watch::Sender<bool>,
    rejects_events: AtomicBool,
    has_seen_event: AtomicBool,
}

impl Codec {
    async fn start() -> anyhow::Result<(Arc<Self>, String)> {
        let codec = Arc::new(Self {
            is_held: watch::Sender::new(false),
            rejects_events: AtomicBool::new(false),
            has_seen_event: AtomicBool::new(false),
        });
        let routes = Router::new()
            .route("/encode", post(encode))
            .route("/decode", post(decode))
            .with_state(codec.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok((codec, url))
    }

    async fn until_event(&self) -> anyhow::Result<()> {
        until("an event is encoded", || {
            self.has_seen_event.load(Ordering::Relaxed)
        })
        .await
    }
}

async fn encode(State(codec): State<Arc<Codec>>, body: Bytes) -> Response {
    let Some(encoded) = convert(&body, BASE64_STANDARD.encode("binary/inverted")) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if is_event(&body) {
        codec.has_seen_event.store(true, Ordering::Relaxed);
        if codec.rejects_events.load(Ordering::Relaxed) {
            return StatusCode::FORBIDDEN.into_response();
        }
        let _ = codec.is_held.subscribe().wait_for(|held| !held).await;
    }
    encoded.into_response()
}

async fn decode(body: Bytes) -> Response {
    match convert(&body, BASE64_STANDARD.encode("json/plain")) {
        Some(decoded) => decoded.into_response(),
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// Returns whether payloads contain the input of a delivery.
fn is_event(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let payloads = body["payloads"].as_array().into_iter().flatten();
    let mut data = payloads.filter_map(|it| BASE64_STANDARD.decode(it["data"].as_str()?).ok());
    data.any(|data| String::from_utf8_lossy(&data).contains("\"specversion\""))
}

/// Inverts the data of payloads in JSON, and sets their encoding. Others are left as they are.
fn convert(body: &[u8], encoding: String) -> Option<String> {
    let mut body: Value = serde_json::from_slice(body).ok()?;
    let names = ["json/plain", "binary/inverted"].map(|name| BASE64_STANDARD.encode(name));
    for payload in body["payloads"].as_array_mut()? {
        let current = payload["metadata"]["encoding"].as_str()?.to_owned();
        if !names.contains(&current) || current == encoding {
            continue;
        }
        let data = BASE64_STANDARD.decode(payload["data"].as_str()?).ok()?;
        let inverted: Vec<u8> = data.iter().map(|byte| byte ^ 0x5a).collect();
        payload["data"] = BASE64_STANDARD.encode(inverted).into();
        payload["metadata"]["encoding"] = encoding.clone().into();
    }
    Some(body.to_string())
}

/// Returns the variables of a worker with a webhook and a codec.
fn variables<'a>(url: &'a str, codec: &'a str) -> [(&'a str, &'a str); 3] {
    [
        ("SEEDANCE_WEBHOOK_URL", url),
        ("SEEDANCE_WEBHOOK_KEY", KEY),
        ("TEMPORAL_CODEC_ENDPOINT", codec),
    ]
}

async fn a_worker_that_dies_after_the_receipt_loses_no_event(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let receiver = Receiver::start()?;
    let (codec, endpoint) = Codec::start().await?;
    codec.is_held.send_replace(true);
    let url = receiver.url();
    let variables = variables(&url, &endpoint);
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let mut worker = WorkerProcess::start(&fixture, &server, &variables)?;
    worker.wait_for_log("polling").await?;
    fixture.start_lifecycle(&server, &id).await?;
    codec.until_event().await?;
    let files = fixture.archived_files()?;
    ensure!(
        files.iter().any(|file| file.ends_with("/manifest.json")),
        "{files:?}"
    );
    worker.send_signal(Signal::KILL)?;
    worker.wait_for_exit().await?;
    ensure!(receiver.received().is_empty(), "{:?}", receiver.received());

    codec.is_held.send_replace(false);
    let other = WorkerProcess::start(&fixture, &server, &variables)?;
    let received = receiver.until_received(1).await?;
    let event = received[0].event()?;
    ensure!(event["subject"] == id, "{event:#}");
    let delivery = Delivery::of(&server, &id, received[0].header("webhook-id")?);
    until_async("the delivery has ended", || delivery.is_completed()).await?;
    // The codec encoded the event.
    let history = delivery.history().await?;
    ensure!(
        history.contains("binary/inverted") && !history.contains("manifest_url"),
        "{history}"
    );
    ensure!(
        !encoded_history(&server, &id)
            .await?
            .contains("manifest_url")
    );
    receiver.ensure_one_event()?;
    drop(other);
    Ok(())
}
register!(
    a_worker_that_dies_after_the_receipt_loses_no_event,
    takes_long
);

/// A cancelled lifecycle has two minutes to record its outcome. In the second one, its event is sent without an outcome.
async fn a_late_delivery_that_cannot_start_is_started_again_in_time(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let receiver = Receiver::start()?;
    let (codec, endpoint) = Codec::start().await?;
    codec.rejects_events.store(true, Ordering::Relaxed);
    let url = receiver.url();
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        queued: Some(HOUR),
        ..Script::default()
    });
    let worker = WorkerProcess::start(&fixture, &server, &variables(&url, &endpoint))?;
    worker.wait_for_log("polling").await?;
    let _blocked = fixture.block_archive()?;
    fixture.start_lifecycle(&server, &id).await?;
    fixture.polled(&id, 1).await?;
    let lifecycle = server.lifecycle(&id);
    lifecycle.cancel(WorkflowCancelOptions::default()).await?;
    until_async("the delivery could not be started", || async {
        let described = lifecycle.describe(WorkflowDescribeOptions::default());
        let described = described.await?;
        let mut activities = described.raw().pending_activities.iter();
        Ok(activities.any(|activity| {
            let failure = activity.last_failure.as_ref();
            failure.is_some_and(|it| it.message.starts_with("cannot start the delivery"))
        }))
    })
    .await?;
    codec.rejects_events.store(false, Ordering::Relaxed);
    let event = receiver.until_received(1).await?[0].event()?;
    ensure!(
        event["data"]["reason"] == "cancelled_by_caller",
        "{event:#}"
    );
    Ok(())
}
register!(
    a_late_delivery_that_cannot_start_is_started_again_in_time,
    takes_long
);

/// Temporal, or the codec, accepts everything of the lifecycle, but not the start of the delivery.
async fn a_delivery_that_cannot_start_does_not_hold_up_the_lifecycle(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let receiver = Receiver::start()?;
    let (codec, endpoint) = Codec::start().await?;
    codec.rejects_events.store(true, Ordering::Relaxed);
    let url = receiver.url();
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let worker = WorkerProcess::start(&fixture, &server, &variables(&url, &endpoint))?;
    worker.wait_for_log("polling").await?;
    fixture.start_lifecycle(&server, &id).await?;
    let message = "cannot start the delivery of the event; the receiver will not get it";
    let logged = worker.wait_for_log(message).await?;
    ensure!(logged["task_id"] == id, "{logged}");
    // The metric counts the end a moment before the lifecycle closes, and until then a new one would join it.
    until_async("the lifecycle has closed", || async {
        let lifecycle = server.lifecycle(&id);
        let described = lifecycle.describe(WorkflowDescribeOptions::default());
        Ok(described.await?.status() == WorkflowExecutionStatus::Completed)
    })
    .await?;
    let (_, metrics) = worker.get("/metrics").await?;
    let ended =
        "seedance_archiver_lifecycles_ended_total{account=\"default\",outcome=\"archived\"}";
    ensure!(value(&metrics, ended) == Some(1.0), "{metrics}");
    ensure!(
        value(&metrics, &deliveries("not_started")) == Some(1.0),
        "{metrics}"
    );
    ensure!(receiver.received().is_empty(), "{:?}", receiver.received());

    codec.rejects_events.store(false, Ordering::Relaxed);
    fixture.start_lifecycle(&server, &id).await?;
    let event = receiver.until_received(1).await?[0].event()?;
    ensure!(event["subject"] == id, "{event:#}");
    Ok(())
}
register!(
    a_delivery_that_cannot_start_does_not_hold_up_the_lifecycle,
    takes_long
);
