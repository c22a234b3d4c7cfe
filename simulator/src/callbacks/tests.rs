use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::timeout,
};

use super::*;
use crate::{
    Ending, Script, Simulator,
    testing::{client, create, delete, get},
};

const MOMENT: Duration = Duration::from_millis(100);

/// A callback URL, and what arrives at it.
struct Receiver {
    url: String,
    records: UnboundedReceiver<Value>,
}

#[derive(Clone)]
struct Hook {
    records: UnboundedSender<Value>,
    takes: Arc<Mutex<&'static [Take]>>,
}

/// How a receiver takes the callbacks, from the first; the last counts for all that follow.
#[derive(Clone, Copy)]
enum Take {
    Heard,
    Fault,
    Moved,
    Silence,
}

impl Receiver {
    async fn start(takes: &'static [Take]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (sender, records) = unbounded_channel();
        let hook = Hook {
            records: sender,
            takes: Arc::new(Mutex::new(takes)),
        };
        let routes = Router::new().route("/hook", post(receive)).with_state(hook);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, records }
    }

    async fn status(&mut self) -> String {
        let record = self.record().await;
        record["status"].as_str().unwrap().to_owned()
    }

    async fn record(&mut self) -> Value {
        let record = timeout(Duration::from_secs(10), self.records.recv()).await;
        record.expect("a callback in time").unwrap()
    }

    async fn hears_nothing_more(&mut self) {
        timeout(5 * MOMENT, self.records.recv()).await.unwrap_err();
    }

    fn script(&self) -> Script {
        Script {
            callback_url: Some(self.url.clone()),
            ..Script::default()
        }
    }
}

async fn receive(State(hook): State<Hook>, body: Bytes) -> StatusCode {
    let record = serde_json::from_slice(&body).unwrap();
    hook.records.send(record).unwrap();
    let take = {
        let mut takes = lock(&hook.takes);
        let (first, rest) = takes.split_first().unwrap();
        if !rest.is_empty() {
            *takes = rest;
        }
        *first
    };
    match take {
        Take::Heard => StatusCode::NO_CONTENT,
        Take::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        Take::Moved => StatusCode::FOUND,
        Take::Silence => std::future::pending().await,
    }
}

async fn simulator(queued: Duration) -> Simulator {
    let builder = Simulator::builder().queued(queued).running(MOMENT);
    builder.start().await.unwrap()
}

#[tokio::test]
async fn each_status_is_told_as_a_query_tells_it() {
    let simulator = simulator(MOMENT).await;
    let mut receiver = Receiver::start(&[Take::Heard]).await;
    let id = simulator.create(receiver.script());
    assert_eq!(receiver.status().await, "queued");
    assert_eq!(receiver.status().await, "running");
    let told = receiver.record().await;
    let (_, queried) = get(&simulator, &format!("/{id}")).await;
    let without_url = |mut record: Value| {
        record.as_object_mut().unwrap().remove("content").unwrap();
        record
    };
    let url = told["content"]["video_url"].as_str().unwrap().to_owned();
    assert_eq!(without_url(told), without_url(queried));
    assert!(
        url.starts_with(&simulator.base_url().replace("/api/v3", "/")),
        "{url}"
    );
    let video = client().get(url).send().await.unwrap();
    assert_eq!(video.status(), StatusCode::OK);
    receiver.hears_nothing_more().await;
    assert_eq!(simulator.stats(&id).callbacks, 3);
}

#[tokio::test]
async fn every_ending_but_a_cancellation_is_told() {
    let simulator = simulator(MOMENT).await;
    let mut receiver = Receiver::start(&[Take::Heard]).await;
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
    receiver.hears_nothing_more().await;
}

#[tokio::test]
async fn a_status_that_lasts_no_time_is_not_told() {
    let simulator = simulator(Duration::ZERO).await;
    let mut receiver = Receiver::start(&[Take::Heard]).await;
    simulator.create(receiver.script());
    assert_eq!(receiver.status().await, "running");
    assert_eq!(receiver.status().await, "succeeded");
}

#[tokio::test]
async fn what_is_not_heard_is_sent_again() {
    let simulator = simulator(MOMENT).await;
    let mut receiver = Receiver::start(&[Take::Fault, Take::Moved, Take::Heard]).await;
    let id = simulator.create(receiver.script());
    for status in ["queued", "queued", "queued", "running", "succeeded"] {
        assert_eq!(receiver.status().await, status);
    }
    assert_eq!(simulator.stats(&id).callbacks, 5);
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_none() {
    let simulator = simulator(MOMENT).await;
    let mut receiver = Receiver::start(&[Take::Silence, Take::Heard]).await;
    simulator.create(receiver.script());
    for status in ["queued", "queued", "running", "succeeded"] {
        assert_eq!(receiver.status().await, status);
    }
}

#[tokio::test]
async fn three_attempts_are_all() {
    let simulator = simulator(Duration::from_secs(60)).await;
    let mut receiver = Receiver::start(&[Take::Fault]).await;
    let id = simulator.create(receiver.script());
    for _ in 0..3 {
        assert_eq!(receiver.status().await, "queued");
    }
    receiver.hears_nothing_more().await;
    assert_eq!(simulator.stats(&id).callbacks, 3);
}

#[tokio::test]
async fn a_cancelled_or_deleted_task_is_not_told_of() {
    let simulator = simulator(3 * MOMENT).await;
    let mut receiver = Receiver::start(&[Take::Heard]).await;
    let url = || ("callback_url", receiver.url.clone().into());
    let (status, task) = create(&simulator, "a kite", url()).await;
    assert_eq!(status, StatusCode::OK);
    let id = task["id"].as_str().unwrap().to_owned();
    assert_eq!(receiver.status().await, "queued");
    delete(&simulator, &format!("/{id}")).await;
    assert_eq!(simulator.status(&id), Some("cancelled"));
    receiver.hears_nothing_more().await;

    let mut deaf = Receiver::start(&[Take::Fault]).await;
    let id = simulator.create(Script {
        queued: Some(Duration::ZERO),
        running: Some(Duration::ZERO),
        ..deaf.script()
    });
    assert_eq!(deaf.status().await, "succeeded");
    delete(&simulator, &format!("/{id}")).await;
    assert_eq!(simulator.status(&id), None);
    deaf.hears_nothing_more().await;
}

#[tokio::test]
async fn a_dropped_simulator_is_silent() {
    let simulator = simulator(MOMENT).await;
    let mut receiver = Receiver::start(&[Take::Heard]).await;
    let service = Arc::downgrade(&simulator.service);
    simulator.create(receiver.script());
    assert_eq!(receiver.status().await, "queued");
    drop(simulator);
    receiver.hears_nothing_more().await;
    assert_eq!(service.strong_count(), 0);
}

#[tokio::test]
async fn a_callback_url_is_checked() {
    let simulator = simulator(MOMENT).await;
    for url in [
        json!("ftp://hooks.example/"),
        json!("hooks.example"),
        json!(""),
        json!(7),
    ] {
        let (status, answer) = create(&simulator, "a kite", ("callback_url", url.clone())).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{url}");
        assert_eq!(answer["error"]["code"], "InvalidParameter");
        assert_eq!(answer["error"]["param"], "callback_url");
    }
    let (status, _) = create(&simulator, "a kite", ("callback_url", Value::Null)).await;
    assert_eq!(status, StatusCode::OK);
}
