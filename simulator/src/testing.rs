//! A client for the unit tests.

use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

use crate::Simulator;

pub(crate) fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

/// Calls the API. `rest` follows the path of the tasks, e.g. `?id=cgt-1`.
pub(crate) async fn call(
    simulator: &Simulator,
    method: Method,
    rest: &str,
    body: Option<Value>,
) -> (StatusCode, Value) {
    let url = format!("{}/contents/generations/tasks{rest}", simulator.base_url());
    let response = client()
        .request(method, url)
        .bearer_auth(simulator.api_key())
        .body(body.map(|body| body.to_string()).unwrap_or_default())
        .send()
        .await
        .unwrap();
    let status = response.status();
    let bytes = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

pub(crate) async fn get(simulator: &Simulator, rest: &str) -> (StatusCode, Value) {
    call(simulator, Method::GET, rest, None).await
}

pub(crate) async fn delete(simulator: &Simulator, rest: &str) -> (StatusCode, Value) {
    call(simulator, Method::DELETE, rest, None).await
}

/// Creates a task with a prompt and one additional field.
pub(crate) async fn create(
    simulator: &Simulator,
    prompt: &str,
    (name, value): (&str, Value),
) -> (StatusCode, Value) {
    let mut body = serde_json::json!({
        "model": "seedance-1-0-pro",
        "content": [{"type": "text", "text": prompt}],
    });
    body[name] = value;
    call(simulator, Method::POST, "", Some(body)).await
}
