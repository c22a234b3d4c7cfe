//! What workers say about themselves.

use anyhow::Context;
use serde_json::json;

use crate::{
    command::Command,
    edited::{self, COMPLETED, edit},
    replay,
};

#[tokio::test]
async fn a_video_is_archived_on_the_task_queue_that_the_worker_names() -> anyhow::Result<()> {
    let mut history = edited::history("v0.2.0/VideoTaskLifecycle-archived-2.json")?;
    edit(&mut history, COMPLETED, "result", |task| {
        task["transfers_task_queue"] = json!("large-transfers");
    })?;
    let commands = replay(&serde_json::to_vec(&history)?).await?;
    let archive = commands.iter().find_map(|command| match command {
        Command::Activity(activity) if activity.name == "ArchiveVideo" => Some(activity),
        _ => None,
    });
    let archive = archive.context("the video is not archived")?;
    assert_eq!(archive.task_queue, "large-transfers");
    Ok(())
}
