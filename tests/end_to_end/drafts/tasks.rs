//! Tasks of drafts and finals, created as any client of the API does.

use anyhow::Context;
use serde_json::{Value, json};

use crate::harness::Fixture;

/// Creates a draft, with a script for the simulator.
pub(crate) async fn draft(fixture: &Fixture, script: &str) -> anyhow::Result<String> {
    let prompt = match script {
        "" => "a kite".to_owned(),
        script => format!("a kite --simulate {script}"),
    };
    let content = json!([{"type": "text", "text": prompt}]);
    create(fixture, json!({"content": content, "draft": true})).await
}

/// Creates a final video from a draft that succeeded.
pub(crate) async fn made_from(fixture: &Fixture, draft: &str) -> anyhow::Result<String> {
    let content = json!([{"type": "draft_task", "draft_task": {"id": draft}}]);
    create(fixture, json!({"content": content})).await
}

async fn create(fixture: &Fixture, mut body: Value) -> anyhow::Result<String> {
    body["model"] = json!("seedance-1-5-pro-251215");
    let http = reqwest::Client::builder().no_proxy().build()?;
    let base_url = fixture.simulator.base_url();
    let created = http
        .post(format!("{base_url}/contents/generations/tasks"))
        .bearer_auth(fixture.simulator.api_key())
        .body(body.to_string())
        .send()
        .await?
        .bytes()
        .await?;
    let created: Value = serde_json::from_slice(&created)?;
    let id = created["id"].as_str();
    Ok(id.with_context(|| format!("no id: {created}"))?.to_owned())
}
