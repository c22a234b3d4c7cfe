//! Cancelled workflows, with other results than those that were recorded. The SDK compares no results.

use anyhow::Context;
use serde_json::json;

use crate::{
    command::result,
    edited::{self, CANCELED, COMPLETED, STARTED, edit},
    replay,
};

/// A lifecycle with `cancel_task` that was cancelled before its task was seen.
const CANCELLED: &str = "v0.2.0/VideoTaskLifecycle-unknown-6.json";

#[tokio::test]
async fn the_result_says_whether_the_task_was_cancelled() -> anyhow::Result<()> {
    for (is_cancelled, expected) in [
        (true, "the task was cancelled too"),
        (false, "the task was not cancelled: its status is `running`"),
    ] {
        let mut history = edited::history(CANCELLED)?;
        edit(&mut history, COMPLETED, "result", |cancelled| {
            cancelled["is_cancelled"] = json!(is_cancelled);
            cancelled["task"]["status"] = json!("running");
        })?;
        let result = result(&replay(&serde_json::to_vec(&history)?).await?)?;
        assert_eq!(
            result["message"],
            format!("the lifecycle was cancelled; {expected}")
        );
    }
    Ok(())
}

#[tokio::test]
async fn only_a_task_that_may_be_queued_is_cancelled() -> anyhow::Result<()> {
    for (status, is_cancelled) in [("queued", true), ("running", false)] {
        let mut history = edited::history(CANCELLED)?;
        edit(&mut history, STARTED, "input", |request| {
            request["resumed"] = json!({"task": {"id": "cgt-1", "status": status}});
        })?;
        // The history has the activity that cancels the task.
        let replayed = replay(&serde_json::to_vec(&history)?).await;
        assert_eq!(replayed.is_ok(), is_cancelled, "{status}");
    }
    Ok(())
}

/// The server starts no attempt after the one during which the workflow was cancelled: with whatever that one fails, the
/// activity ends.
#[tokio::test]
async fn a_cancelled_workflow_ends_as_cancelled_although_its_activity_fails() -> anyhow::Result<()>
{
    for (path, ended) in [
        ("v0.2.0/AccountWatcher-canceled.json", CANCELED),
        ("v0.2.0/GenerateVideo-canceled.json", COMPLETED),
    ] {
        let mut history = edited::history(path)?;
        edited::fail_activity(&mut history, ended)?;
        let replayed = replay(&serde_json::to_vec(&history)?).await;
        replayed.with_context(|| path.to_owned())?;
    }
    Ok(())
}
