//! Lifecycles that fail.

use serde_json::json;

use crate::{
    command::{activities, result},
    continued::Continued,
    edited::{self, COMPLETED, edit_all},
};

/// A lifecycle of which the archive has another video.
const CONFLICT: &str = "v0.2.0/VideoTaskLifecycle-StoreConflict.json";

#[tokio::test]
async fn a_task_that_ended_before_its_lifecycle_fails_has_that_end_and_is_recorded_once()
-> anyhow::Result<()> {
    for (field, value, outcome) in [
        ("manifest", json!({"task_id": "cgt-1"}), "archived"),
        ("reason", json!("erased"), "unsuccessful"),
    ] {
        let mut history = edited::history(CONFLICT)?;
        edit_all(&mut history, COMPLETED, "result", |result| {
            // The other result is the task.
            if result.get("outcome_url").is_some() {
                result[field] = value.clone();
            }
        })?;
        // All but the end.
        let commands = Continued::first_of(23, &history).await?.replay().await?;
        assert_eq!(
            activities(&commands),
            ["QueryVideoTask", "ArchiveVideo", "RecordOutcome"],
            "{field}"
        );
        assert_eq!(result(&commands)?["outcome"], outcome);
    }
    Ok(())
}
