mod faults;

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::Duration,
};

use reqwest::StatusCode;
use seedance_archiver_clock::Clock;
use serde_json::json;

use crate::{
    Fault, Misuse, RecordDialect, Script, Simulator,
    testing::{create, delete, get},
};

/// ByteDance's client sends `{}` with every call, and the headers and the body may arrive separately.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_survives_a_late_request_body() {
    let simulator = Simulator::builder().start().await.unwrap();
    let id = simulator.create(Script::default());
    let address = simulator
        .base_url()
        .replace("http://", "")
        .replace("/api/v3", "");
    tokio::task::spawn_blocking(move || {
        let call = |method, length| {
            format!(
                "{method} /api/v3/contents/generations/tasks/{id} HTTP/1.1\r\nhost: {address}\r\n\
                 authorization: Bearer simulator-key\r\ncontent-length: {length}\r\n\r\n"
            )
        };
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(call("DELETE", 2).as_bytes()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        let early = stream.read(&mut [0; 4096]).unwrap_err().kind();
        assert!(
            [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&early),
            "{early}"
        );
        stream.set_read_timeout(None).unwrap();
        stream.write_all(b"{}").unwrap();
        assert!(response(&mut stream).starts_with("HTTP/1.1 200"));
        stream.write_all(call("GET", 0).as_bytes()).unwrap();
        assert!(response(&mut stream).starts_with("HTTP/1.1 200"));
    })
    .await
    .unwrap();
}

fn response(stream: &mut TcpStream) -> String {
    let mut buffer = [0; 4096];
    let length = stream.read(&mut buffer).unwrap();
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

#[tokio::test]
async fn the_record_of_a_task_is_what_a_query_returns() {
    let simulator = Simulator::builder().start().await.unwrap();
    let id = simulator.create(Script {
        queued: Some(Duration::ZERO),
        running: Some(Duration::ZERO),
        dialect: Some(RecordDialect::OtherWords),
        ..Script::default()
    });
    let (_, queried) = get(&simulator, &format!("/{id}")).await;
    let mut record = simulator.record(&id).unwrap();
    assert!(record["content"]["video_url"].is_string());
    // Each has URLs of its own.
    record["content"] = queried["content"].clone();
    assert_eq!(record, queried);
    assert_eq!(record["status"], "succeed");
    assert_eq!(simulator.record("cgt-1"), None);
}

#[tokio::test]
async fn a_task_id_can_be_a_query_parameter() {
    // The record must not change between two calls.
    let queued = Duration::from_secs(60 * 60);
    let simulator = Simulator::builder().queued(queued).start().await.unwrap();
    let id = simulator.create(Script::default());
    let in_query = format!("?id={id}");
    let (status, record) = get(&simulator, &in_query).await;
    assert_eq!((status, &record["id"]), (StatusCode::OK, &json!(id)));
    assert_eq!(record, get(&simulator, &format!("/{id}")).await.1);
    assert_eq!(simulator.stats(&id).queries, 2);

    simulator.set_hidden(&id, true);
    assert_eq!(get(&simulator, &in_query).await.0, StatusCode::NOT_FOUND);
    simulator.set_hidden(&id, false);
    simulator.set_fault(Some(Fault::Unavailable));
    assert_eq!(
        get(&simulator, &in_query).await.0,
        StatusCode::INTERNAL_SERVER_ERROR
    );
    simulator.set_fault(None);
    assert_eq!(simulator.stats(&id).queries, 4);

    let (_, response) = get(&simulator, "?id=cgt-1").await;
    assert_eq!(response["error"]["code"], "NotFound.Task");
    let (_, list) = get(&simulator, &format!("?filter.task_ids={id}")).await;
    assert_eq!((&list["total"], &list["items"][0]), (&json!(1), &record));
}

#[tokio::test]
async fn a_task_can_be_deleted_by_query_parameter() {
    let simulator = Simulator::builder().start().await.unwrap();
    let id = simulator.create(Script::default());
    let in_query = format!("?id={id}");
    assert_eq!(delete(&simulator, &in_query).await.0, StatusCode::OK);
    assert_eq!(simulator.status(&id), Some("cancelled"));
    assert_eq!(delete(&simulator, &in_query).await.0, StatusCode::CONFLICT);
    assert_eq!(delete(&simulator, "").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_prompt_can_request_an_envelope_and_an_undocumented_field() {
    let (simulator, clock) = with_clock().await;
    let prompt = "a kite --simulate wrapped=true,extra=true";
    let (_, created) = create(&simulator, prompt, ("seed", 7.into())).await;
    clock.advance(Duration::from_secs(1)).await;
    let id = created["id"].as_str().unwrap();
    let (_, response) = get(&simulator, &format!("/{id}")).await;
    assert_eq!(response["data"]["status"], "QUEUED");
    assert_eq!(response["data"]["task_id"], id);
    let record = &response["data"]["data"];
    assert_ne!(record["id"], id, "the wrapped record has the upstream id");
    assert_eq!(record["content_filter"]["level"], "standard");
    let (_, list) = get(&simulator, "").await;
    assert_eq!(list["items"][0]["id"], id);
    assert_eq!(list["items"][0]["content_filter"], record["content_filter"]);

    let plain = simulator.create(Script::default());
    let (_, record) = get(&simulator, &format!("/{plain}")).await;
    assert_eq!(record["id"], plain);
    assert_eq!(record.get("content_filter"), None);
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns a simulator whose tasks stay queued, with its clock.
async fn with_clock() -> (Simulator, Clock) {
    let clock = Clock::default();
    let builder = Simulator::builder().queued(30 * DAY).clock(clock.clone());
    (builder.start().await.unwrap(), clock)
}

#[tokio::test]
async fn a_task_can_be_queried_and_listed_for_seven_days() {
    let (simulator, clock) = with_clock().await;
    let id = simulator.create(Script::default());
    let query = format!("/{id}");
    clock.advance(7 * DAY - Duration::from_secs(60)).await;
    assert_eq!(get(&simulator, &query).await.0, StatusCode::OK);
    assert_eq!(get(&simulator, "").await.1["total"], 1);
    assert_eq!(simulator.misuse().outside_window, 0);

    clock.advance(Duration::from_secs(60)).await;
    assert_eq!(get(&simulator, &query).await.0, StatusCode::NOT_FOUND);
    assert_eq!(get(&simulator, "").await.1["total"], 0);
    assert_eq!(simulator.misuse().outside_window, 1);
}

#[tokio::test]
async fn a_task_is_not_returned_in_the_second_of_its_creation() {
    let (simulator, clock) = with_clock().await;
    let (_, created) = create(&simulator, "a kite", ("seed", json!(7))).await;
    let id = created["id"].as_str().unwrap();
    let task = simulator.api.service.tasks.find(id).unwrap();
    let is_returned = |now| simulator.api.service.find(id, now).is_some();
    assert!(!is_returned(task.created_at));
    clock.advance(Duration::from_secs(1)).await;
    assert!(is_returned(clock.now()));
}

#[tokio::test]
async fn a_first_query_after_the_window_is_not_a_misuse() {
    let (simulator, clock) = with_clock().await;
    let id = simulator.create(Script::default());
    clock.advance(8 * DAY).await;
    let (status, _) = get(&simulator, &format!("/{id}")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(simulator.misuse(), Misuse::default());
}

#[tokio::test]
async fn the_record_of_a_cancelled_task_is_kept_for_a_day() {
    let (simulator, clock) = with_clock().await;
    let id = simulator.create(Script::default());
    let query = format!("/{id}");
    assert_eq!(delete(&simulator, &query).await.0, StatusCode::OK);
    assert_eq!(get(&simulator, &query).await.1["status"], "cancelled");
    clock.advance(DAY).await;
    assert_eq!(get(&simulator, &query).await.0, StatusCode::NOT_FOUND);
    assert_eq!(get(&simulator, "").await.1["total"], 0);
}

#[tokio::test]
async fn a_video_can_be_made_from_a_draft() {
    let clock = Clock::default();
    let builder = Simulator::builder().queued(Duration::ZERO).running(DAY);
    let simulator = builder.clock(clock.clone()).start().await.unwrap();
    let (_, draft) = create(&simulator, "a kite", ("draft", json!(true))).await;
    let content = json!([{"type": "draft_task", "draft_task": {"id": draft["id"]}}]);
    let of_draft = ("content", content);
    let early = create(&simulator, "", of_draft.clone()).await;
    assert_eq!(early.0, StatusCode::BAD_REQUEST, "the draft is running");

    clock.advance(DAY).await;
    let (_, video) = create(&simulator, "", of_draft.clone()).await;
    clock.advance(Duration::from_secs(1)).await;
    let (_, record) = get(
        &simulator,
        &format!("?id={}", video["id"].as_str().unwrap()),
    )
    .await;
    assert_eq!(record["draft_task_id"], draft["id"]);

    clock.advance(7 * DAY).await;
    let late = create(&simulator, "", of_draft).await;
    assert_eq!(
        late.0,
        StatusCode::BAD_REQUEST,
        "the draft cannot be queried"
    );
}

#[tokio::test]
async fn requests_above_enforced_rates_are_rejected() {
    // So rarely that no machine is slow enough to be allowed a second query.
    let builder = Simulator::builder().query_rate(1e-4).list_rate(1e-4);
    let simulator = builder.enforce_rates().start().await.unwrap();
    let id = simulator.create(Script::default());
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(get(&simulator, &format!("/{id}")).await.0);
    }
    let rejected = StatusCode::TOO_MANY_REQUESTS;
    assert_eq!(statuses, [StatusCode::OK, rejected, rejected]);
    assert_eq!(simulator.throttled().queries, 2);
    assert_eq!(simulator.queries(), 3, "rejected ones are counted");
    assert_eq!(get(&simulator, "").await.0, StatusCode::OK, "another limit");
    assert_eq!(simulator.throttled().lists, 0);
}

#[tokio::test]
async fn a_further_key_is_accepted_beside_the_first() {
    let simulator = Simulator::builder().start().await.unwrap();
    let list = format!("{}/contents/generations/tasks", simulator.base_url());
    let status = async |key: &str| {
        let call = crate::testing::client().get(&list).bearer_auth(key);
        call.send().await.unwrap().status()
    };
    assert_eq!(status("second-key").await, StatusCode::UNAUTHORIZED);
    simulator.add_api_key("second-key");
    assert_eq!(status("second-key").await, StatusCode::OK);
    assert_eq!(status(simulator.api_key()).await, StatusCode::OK);
}

#[tokio::test]
async fn signatures_are_kept_on_request() {
    let ended = || Script {
        queued: Some(Duration::ZERO),
        running: Some(Duration::ZERO),
        ..Script::default()
    };
    let builder = Simulator::builder().keep_signatures();
    let simulator = builder.start().await.unwrap();
    let id = simulator.create(ended());
    assert!(simulator.signatures().is_empty());
    let record = get(&simulator, &format!("/{id}")).await.1;
    let url = record["content"]["video_url"].as_str().unwrap();
    let [signature] = &simulator.signatures()[..] else {
        panic!("not one signature");
    };
    assert!(url.ends_with(signature), "{url}");

    let simulator = Simulator::builder().start().await.unwrap();
    let id = simulator.create(ended());
    get(&simulator, &format!("/{id}")).await;
    assert!(simulator.signatures().is_empty());
}

#[tokio::test]
async fn requests_are_kept_on_request() {
    for is_kept in [false, true] {
        let builder = Simulator::builder();
        let builder = match is_kept {
            true => builder.keep_arrivals(),
            false => builder,
        };
        let simulator = builder.start().await.unwrap();
        let id = simulator.create(Script::default());
        simulator.set_fault(Some(Fault::Unavailable));
        get(&simulator, &format!("/{id}")).await;
        get(&simulator, "").await;
        let arrivals = simulator.arrivals().into_iter();
        let subjects: Vec<_> = arrivals.map(|arrival| arrival.task_id).collect();
        match is_kept {
            true => assert_eq!(subjects, [Some(id), None]),
            false => assert!(subjects.is_empty(), "{subjects:?}"),
        }
    }
}
