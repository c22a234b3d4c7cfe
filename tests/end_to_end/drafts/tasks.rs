//! Tasks of drafts and finals, created as any client of the API does.

use serde_json::{Value, json};

use crate::harness::{Fixture, created_task::create_task};

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
    create_task(&fixture.simulator, &body).await
}
