//! A service may repeat the API key or the callback token in its responses. Neither is in anything that the client returns,
//! except the URLs of videos, which would not work without them.

// Tests may panic.
#![allow(clippy::unwrap_used)]

use axum::response::IntoResponse;
use seedance_archiver_proto::v1::SweepPage;
use seedance_archiver_seedance::{Client, Endpoint, Error, Record, UrlSeal, read_json};

const KEY: &str = "very/secret+key";
const TOKEN: &str = "a-token-of-callbacks";

/// Starts a service that answers every request with this response.
async fn start(response: impl IntoResponse + Clone + Send + Sync + 'static) -> (Client, Endpoint) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let server = axum::Router::new().fallback(move || async move { response });
    tokio::spawn(async move { axum::serve(listener, server).await });
    let mut endpoint = Endpoint::new("default", base_url.parse().unwrap(), KEY.to_owned().into());
    endpoint.callback_token = Some(TOKEN.to_owned().into());
    (
        Client::new(seedance_archiver_http::client().unwrap()),
        endpoint,
    )
}

/// Queries a task from a service that answers with this response.
async fn query(
    response: impl IntoResponse + Clone + Send + Sync + 'static,
) -> Result<Record, Error> {
    let (client, endpoint) = start(response).await;
    client.query(&endpoint, "cgt-1").await
}

fn utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_be_bytes).collect()
}

#[tokio::test]
async fn a_record_is_read_without_the_key_in_whatever_form() {
    let record = format!("{{\"status\": \"failed\", \"model\": \"{KEY}\"}}");
    for body in [
        record.clone().into_bytes(),
        record.replace("very/", "very\\/").into_bytes(),
        record.replace("very/", "\\u0076ery\\u002F").into_bytes(),
        utf16(&record),
    ] {
        let text = String::from_utf8_lossy(&body).into_owned();
        let record = query(body).await.unwrap();
        assert_eq!(record.without_urls().model, "REDACTED", "{text}");
        let archived = read_json(record.as_received().as_bytes()).unwrap();
        assert_eq!(archived["model"], "REDACTED", "{text}");
    }
}

#[tokio::test]
async fn a_callback_url_in_a_text_has_no_token() {
    let text = format!("cannot post to https://h.example/callbacks/default/{TOKEN}/sub-1");
    let record = format!(
        "{{\"id\": \"cgt-1\", \"status\": \"failed\", \"error\": {{\"message\": \"{text}\"}}}}"
    );
    let record = query(record).await.unwrap();
    let message = record.without_urls().error.unwrap().message;
    assert!(
        message.contains("cannot post") && !message.contains(TOKEN),
        "{message}"
    );
    assert!(!record.as_received().contains(TOKEN));
}

#[tokio::test]
async fn an_error_has_no_request_id_that_repeats_the_key() {
    for (id, expected) in [
        (format!("0217f5-{KEY}"), "HTTP 503"),
        ("0217f5".to_owned(), "HTTP 503 (request id 0217f5)"),
    ] {
        let status = axum::http::StatusCode::SERVICE_UNAVAILABLE;
        let error = query((status, [("x-request-id", id)])).await.err().unwrap();
        assert_eq!(error.to_string(), expected);
    }
}

/// Returns a record whose note quotes the URL of its video.
fn record_with(url: &str) -> String {
    format!(
        "{{\"id\": \"cgt-1\", \"status\": \"succeeded\", \"note\": \"{url}\", \
         \"content\": {{\"video_url\": \"{url}\"}}}}"
    )
}

/// Checks that the URL of the video is as received, and nothing else is.
fn check_that_only_the_url_has_secrets(record: Record, url: &str) {
    let found = record.video_url().unwrap();
    assert_eq!(found.expose(), url);
    let (task, host) = (format!("{:?}", record.without_urls()), found.host());
    for text in [record.as_received(), task.as_str(), host.as_str()] {
        assert!(!text.contains(KEY) && !text.contains(TOKEN), "{text}");
    }
    let seal = UrlSeal::new("default", &["seal key".into()]);
    let sealed = format!("{:?}", record.sealed(&seal));
    assert!(!sealed.contains(KEY) && !sealed.contains(TOKEN), "{sealed}");
}

#[tokio::test]
async fn a_url_that_contains_the_key_works() {
    let url = format!("https://host.example/{TOKEN}/video.mp4?token={KEY}&Expires=1");
    let body = record_with(&url);
    for body in [body.clone().into_bytes(), utf16(&body)] {
        check_that_only_the_url_has_secrets(query(body).await.unwrap(), &url);
    }
    let readable = record_with("https://host.example/other.mp4");
    let page = format!("{{\"items\": [7, {readable}, {body}], \"total\": 3}}");
    let (client, endpoint) = start(page).await;
    let mut page = client.list(&endpoint, &SweepPage::default()).await.unwrap();
    check_that_only_the_url_has_secrets(page.records.pop().unwrap(), &url);
    let other = page.records.pop().unwrap().video_url().unwrap();
    assert_eq!(other.expose(), "https://host.example/other.mp4");
}

/// The host of a video is in its receipt.
#[tokio::test]
async fn a_host_that_contains_the_key_is_read_without_it() {
    let url = format!("https://{TOKEN}.example/video.mp4");
    let record = query(record_with(&url)).await.unwrap();
    assert_eq!(record.video_url().unwrap().host(), "redacted.example");
}
