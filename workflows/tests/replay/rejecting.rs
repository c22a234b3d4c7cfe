//! A lifecycle whose request is invalid.

use anyhow::Context;
use serde_json::json;

use crate::{
    command::{Command, json_of},
    edited::{self, STARTED, edit},
    replay,
};

#[tokio::test]
async fn the_end_of_an_invalid_request_is_counted_for_its_account() -> anyhow::Result<()> {
    let mut history = edited::history("v0.2.0/VideoTaskLifecycle-InvalidRequest.json")?;
    edit(&mut history, STARTED, "input", |request| {
        request["account"] = json!("eu");
    })?;
    let commands = replay(&serde_json::to_vec(&history)?).await?;
    let recorded = commands.iter().find_map(|command| match command {
        Command::Activity(activity) => Some(&activity.input),
        _ => None,
    });
    let recorded = json_of(recorded.context("no activity")?)?;
    assert_eq!(recorded["account"], "eu");
    Ok(())
}
