//! A service may repeat the API key or the callback token in its responses. Neither is in anything that the client returns.

// Tests may panic.
#![allow(clippy::unwrap_used)]

use axum::response::IntoResponse;
use seedance_archiver_seedance::{Client, Endpoint, Error, Record, read_json};

const KEY: &str = "very/secret+key";
const TOKEN: &str = "a-token-of-callbacks";

/// Queries a task from a service that answers with this response.
async fn query(
    response: impl IntoResponse + Clone + Send + Sync + 'static,
) -> Result<Record, Error> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let server = axum::Router::new().fallback(move || async move { response });
    tokio::spawn(async move { axum::serve(listener, server).await });
    let mut endpoint = Endpoint::new("default", base_url.parse().unwrap(), KEY.to_owned().into());
    endpoint.callback_token = Some(TOKEN.to_owned().into());
    let client = Client::new(seedance_archiver_http::client().unwrap());
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
