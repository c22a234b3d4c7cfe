//! Generations whose video is lost.

use serde_json::json;

use crate::{
    command::Command,
    continued::Continued,
    edited::{self, COMPLETED, STARTED, edit, edit_all},
};

#[tokio::test]
async fn a_lost_video_fails_a_generation_that_does_not_only_report() -> anyhow::Result<()> {
    for report_only in [false, true] {
        let mut history = edited::history("v0.2.0/GenerateVideo-archived.json")?;
        edit(&mut history, STARTED, "input", |request| {
            request["report_only"] = json!(report_only);
        })?;
        edit_all(&mut history, COMPLETED, "result", |result| {
            // The other result is that of the create request.
            if result.get("outcome").is_some() {
                result["outcome"] = json!("lost");
            }
        })?;
        // All but the end.
        let commands = Continued::first_of(16, &history).await?.replay().await?;
        let is_failed = matches!(commands.last(), Some(Command::Fail(_)));
        assert_eq!(is_failed, !report_only, "{commands:?}");
    }
    Ok(())
}
