//! Tasks of users.

use anyhow::Context;
use seedance_archiver_simulator::Simulator;
use serde_json::{Value, json};

/// Creates a task of a user, as a caller of the API does. It succeeds after a second.
pub(crate) async fn create_task_of(simulator: &Simulator, user: &str) -> anyhow::Result<String> {
    let prompt = "a kite --simulate ending=succeeded,queued=0,running=1";
    let body = json!({
        "model": "seedance-1-5-pro-251215",
        "content": [{"type": "text", "text": prompt}],
        "safety_identifier": user,
    });
    let http = reqwest::Client::builder().no_proxy().build()?;
    let created = http
        .post(format!(
            "{}/contents/generations/tasks",
            simulator.base_url()
        ))
        .bearer_auth(simulator.api_key())
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await?
        .error_for_status()?;
    let created: Value = serde_json::from_slice(&created.bytes().await?)?;
    let id = created["id"].as_str().context("no id")?;
    Ok(id.to_owned())
}
