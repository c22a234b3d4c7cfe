//! Tasks that are created as callers of the API create them.

use anyhow::Context;
use seedance_archiver_simulator::Simulator;
use serde_json::{Value, json};

/// Sends a create request with this body, and returns the id of the task.
pub(crate) async fn create_task(simulator: &Simulator, body: &Value) -> anyhow::Result<String> {
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
    let id = created["id"].as_str();
    Ok(id.with_context(|| format!("no id: {created}"))?.to_owned())
}

/// Creates a task of a user. It succeeds after a second.
pub(crate) async fn create_task_of(simulator: &Simulator, user: &str) -> anyhow::Result<String> {
    let prompt = "a kite --simulate ending=succeeded,queued=0,running=1";
    let body = json!({
        "model": "seedance-1-5-pro-251215",
        "content": [{"type": "text", "text": prompt}],
        "safety_identifier": user,
    });
    create_task(simulator, &body).await
}
