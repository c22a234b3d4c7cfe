use std::{sync::Arc, time::Duration};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use parking_lot::Mutex;
use seedance_archiver_clock::Clock;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{
        Notify,
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    },
    time::timeout,
};

use crate::{
    Ending, Script, Simulator,
    testing::{client, create, delete, get},
};

const SHORT: Duration = Duration::from_millis(100);
const HOUR: Duration = Duration::from_secs(60 * 60);
/// Far longer than a callback takes on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// An HTTP server that receives callbacks.
struct Receiver {
    url: String,
    records: UnboundedReceiver<Value>,
    release: Arc<Notify>,
}

/// State of the HTTP handler.
#[derive(Clone)]
struct ReceiverState {
    records: UnboundedSender<Value>,
    /// The replies to come. Once used up, the last reply repeats.
    replies: Arc<Mutex<&'static [Reply]>>,
    release: Arc<Notify>,
}

/// The reply to a callback.
#[derive(Clone, Copy)]
enum Reply {
    Success,
    Error,
    Redirect,
    /// Never replies.
    Hang,
    /// Replies with an error once the receiver is released.
    HeldError,
}

impl Receiver {
    async fn start(replies: &'static [Reply]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (sender, records) = unbounded_channel();
        let state = ReceiverState {
            records: sender,
            replies: Arc::new(Mutex::new(replies)),
            release: Arc::default(),
        };
        let release = state.release.clone();
        let routes = Router::new()
            .route("/hook", post(receive))
            .with_state(state);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self {
            url,
            records,
            release,
        }
    }

    /// Waits for a callback, and returns the status in its record.
    async fn status(&mut self) -> String {
        let record = self.record().await;
        record["status"].as_str().unwrap().to_owned()
    }

    /// Waits for a callback, and returns its record.
    async fn record(&mut self) -> Value {
        let record = timeout(TIMEOUT, self.records.recv()).await;
        record.expect("no callback").unwrap()
    }

    async fn expect_no_callback(&mut self) {
        timeout(5 * SHORT, self.records.recv()).await.unwrap_err();
    }

    /// Returns the script of a task with callbacks to this receiver.
    fn script(&self) -> Script {
        Script {
            callback_url: Some(self.url.clone()),
            ..Script::default()
        }
    }
}

async fn receive(State(state): State<ReceiverState>, body: Bytes) -> StatusCode {
    let record = serde_json::from_slice(&body).unwrap();
    state.records.send(record).unwrap();
    let reply = {
        let mut replies = state.replies.lock();
        let (first, rest) = replies.split_first().unwrap();
        if !rest.is_empty() {
            *replies = rest;
        }
        *first
    };
    match reply {
        Reply::Success => StatusCode::NO_CONTENT,
        Reply::Error => StatusCode::INTERNAL_SERVER_ERROR,
        Reply::Redirect => StatusCode::FOUND,
        Reply::Hang => std::future::pending().await,
        Reply::HeldError => {
            state.release.notified().await;
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

async fn simulator(queued: Duration) -> Simulator {
    let builder = Simulator::builder().queued(queued).running(SHORT);
    builder.start().await.unwrap()
}

#[tokio::test]
async fn callbacks_carry_the_record_that_a_query_returns() {
    let simulator = simulator(SHORT).await;
    let mut receiver = Receiver::start(&[Reply::Success]).await;
    let id = simulator.create(receiver.script());
    assert_eq!(receiver.status().await, "queued");
    assert_eq!(receiver.status().await, "running");
    let sent = receiver.record().await;
    let (_, queried) = get(&simulator, &format!("/{id}")).await;
    let without_url = |mut record: Value| {
        record.as_object_mut().unwrap().remove("content").unwrap();
        record
    };
    let url = sent["content"]["video_url"].as_str().unwrap().to_owned();
    assert_eq!(without_url(sent), without_url(queried));
    assert!(
        url.starts_with(&simulator.base_url().replace("/api/v3", "/")),
        "{url}"
    );
    let video = client().get(url).send().await.unwrap();
    assert_eq!(video.status(), StatusCode::OK);
    receiver.expect_no_callback().await;
    assert_eq!(simulator.stats(&id).callbacks, 3);
}

#[tokio::test]
async fn every_terminal_status_except_cancelled_is_sent() {
    let simulator = simulator(SHORT).await;
    let mut receiver = Receiver::start(&[Reply::Success]).await;
    for ending in [Ending::Failed, Ending::Expired, Ending::Cancelled] {
        simulator.create(Script {
            ending,
            ..receiver.script()
        });
        assert_eq!(receiver.status().await, "queued");
        if ending == Ending::Cancelled {
            break;
        }
        assert_eq!(receiver.status().await, "running");
        assert_eq!(receiver.status().await, ending.status());
    }
    receiver.expect_no_callback().await;
}

#[tokio::test]
async fn a_status_of_zero_duration_is_not_sent() {
    let simulator = simulator(Duration::ZERO).await;
    let mut receiver = Receiver::start(&[Reply::Success]).await;
    simulator.create(receiver.script());
    assert_eq!(receiver.status().await, "running");
    assert_eq!(receiver.status().await, "succeeded");
}

#[tokio::test]
async fn a_failed_callback_is_retried() {
    let simulator = simulator(SHORT).await;
    let mut receiver = Receiver::start(&[Reply::Error, Reply::Redirect, Reply::Success]).await;
    let id = simulator.create(receiver.script());
    for status in ["queued", "queued", "queued", "running", "succeeded"] {
        assert_eq!(receiver.status().await, status);
    }
    assert_eq!(simulator.stats(&id).callbacks, 5);
}

#[tokio::test]
async fn a_callback_without_a_reply_is_retried() {
    let simulator = simulator(SHORT).await;
    let mut receiver = Receiver::start(&[Reply::Hang, Reply::Success]).await;
    simulator.create(receiver.script());
    for status in ["queued", "queued", "running", "succeeded"] {
        assert_eq!(receiver.status().await, status);
    }
}

#[tokio::test]
async fn a_callback_is_sent_at_most_three_times() {
    let simulator = simulator(HOUR).await;
    let mut receiver = Receiver::start(&[Reply::Error]).await;
    let id = simulator.create(receiver.script());
    for _ in 0..3 {
        assert_eq!(receiver.status().await, "queued");
    }
    receiver.expect_no_callback().await;
    assert_eq!(simulator.stats(&id).callbacks, 3);
}

#[tokio::test]
async fn no_callback_is_sent_for_a_cancelled_task() {
    let clock = Clock::default();
    let builder = Simulator::builder().queued(HOUR).clock(clock.clone());
    let simulator = builder.start().await.unwrap();
    let mut receiver = Receiver::start(&[Reply::Success]).await;
    let id = simulator.create(receiver.script());
    assert_eq!(receiver.status().await, "queued");
    delete(&simulator, &format!("/{id}")).await;
    assert_eq!(simulator.status(&id), Some("cancelled"));
    clock.advance(HOUR).await;
    receiver.expect_no_callback().await;
}

#[tokio::test]
async fn the_callbacks_of_a_deleted_task_are_not_retried() {
    let simulator = simulator(3 * SHORT).await;
    let mut receiver = Receiver::start(&[Reply::HeldError, Reply::Error]).await;
    let id = simulator.create(Script {
        queued: Some(Duration::ZERO),
        running: Some(Duration::ZERO),
        ..receiver.script()
    });
    assert_eq!(receiver.status().await, "succeeded");
    delete(&simulator, &format!("/{id}")).await;
    assert_eq!(simulator.status(&id), None);
    receiver.release.notify_one();
    receiver.expect_no_callback().await;
}

#[tokio::test]
async fn a_dropped_simulator_sends_no_callback() {
    let simulator = simulator(HOUR).await;
    let mut receiver = Receiver::start(&[Reply::Success]).await;
    let service = Arc::downgrade(&simulator.api.service);
    simulator.create(receiver.script());
    assert_eq!(receiver.status().await, "queued");
    drop(simulator);
    receiver.expect_no_callback().await;
    assert_eq!(service.strong_count(), 0);
}

#[tokio::test]
async fn a_callback_url_must_be_http() {
    let simulator = simulator(SHORT).await;
    for url in [
        json!("ftp://hooks.example/"),
        json!("hooks.example"),
        json!(""),
        json!(7),
    ] {
        let (status, response) = create(&simulator, "a kite", ("callback_url", url.clone())).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{url}");
        assert_eq!(response["error"]["code"], "InvalidParameter");
        assert_eq!(response["error"]["param"], "callback_url");
    }
}

#[tokio::test]
async fn a_null_callback_url_is_ignored() {
    let simulator = simulator(SHORT).await;
    let (status, _) = create(&simulator, "a kite", ("callback_url", Value::Null)).await;
    assert_eq!(status, StatusCode::OK);
}
