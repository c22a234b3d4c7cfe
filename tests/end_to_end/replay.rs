//! Checks that the histories of this run replay on the current code. `workflows/tests/replay` does so with those of every
//! release.
//!
//! `tests/histories` has a directory for each version. To record those of a version, run all tests with
//! `RECORD_HISTORIES=v0.2.0`, and commit the new files with the release. For a new path, the tests that take it are enough.
//! After a change of what a workflow sends, delete its files first. A whole run fails if a workflow took a step that no history
//! of the version in development has.
//!
//! `v0.1.0/archived-without-search-attributes.json` was recorded separately, by a worker in a namespace without the
//! search attributes. The history has no event that upserts them.

mod record;
mod recorded;
mod run;
mod scenarios;

use std::{fs, path::PathBuf, sync::Arc};

use anyhow::{Context, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use seedance_archiver_policy::watch::MIN_WATCHED;
use seedance_archiver_proto::names;
use seedance_archiver_workflows::{
    AccountWatcher, AuditArchive, DeliverEvent, GenerateVideo, SweepVideoTasks, VideoTaskClaim,
    VideoTaskLifecycle, VideoTaskSubmission,
};
use serde_json::{Value, json};
use temporalio_client::WorkflowHistory;
use temporalio_sdk::workflow_replayer::{WorkflowReplayer, WorkflowReplayerOptions};

use crate::harness::{Server, register, sweeps, watchers};

pub(crate) use {record::is_requested as is_recording, run::replay_all};

/// Maximum number of lifecycles that run concurrently: too few for a watcher, because those of a watched account do not
/// notice that the clock was advanced.
const MAX_CONCURRENT: usize = MIN_WATCHED - 1;

async fn histories_of_the_current_code_replay(server: Arc<Server>) -> anyhow::Result<()> {
    let mut scenarios = scenarios::scenarios();
    let mut histories = Vec::new();
    while !scenarios.is_empty() {
        let few = scenarios.split_off(scenarios.len().saturating_sub(MAX_CONCURRENT));
        histories.extend(scenarios::run(&server, few).await?);
    }
    histories.push(("swept", sweeps::history(&server).await?));
    histories.extend(watchers::histories(&server).await?);
    for (name, json) in histories {
        replay(&json).await.with_context(|| name.to_owned())?;
    }
    Ok(())
}
register!(histories_of_the_current_code_replay, takes_long);

/// Guards against a replay that accepts anything.
async fn a_changed_history_does_not_replay(_: Arc<Server>) -> anyhow::Result<()> {
    let path = directory().join("v0.1.0/archived.json");
    let json = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let changed = json.replace(names::QUERY_ACTIVITY_ID, "another");
    ensure!(changed != json, "the history has no activity with this id");
    ensure!(
        replay(changed.as_bytes()).await.is_err(),
        "the changed history was replayed"
    );
    Ok(())
}
register!(a_changed_history_does_not_replay);

/// Version 0.1.0 accepted destinations that this version rejects when a lifecycle starts.
async fn a_history_with_a_destination_that_is_now_rejected_replays(
    _: Arc<Server>,
) -> anyhow::Result<()> {
    let json = fs::read(directory().join("v0.1.0/archived.json"))?;
    let mut history: Value = serde_json::from_slice(&json)?;
    let started =
        "/events/0/attributes/WorkflowExecutionStartedEventAttributes/input/payloads/0/data";
    let input = history.pointer_mut(started).context("no input")?;
    let request = BASE64_STANDARD.decode(input.as_str().unwrap_or_default())?;
    let mut request: Value = serde_json::from_slice(&request)?;
    request["destination"] = json!("s3://bucket/my videos");
    *input = json!(BASE64_STANDARD.encode(request.to_string()));
    replay(&serde_json::to_vec(&history)?).await
}
register!(a_history_with_a_destination_that_is_now_rejected_replays);

/// Replays a history.
pub(crate) async fn replay(json: &[u8]) -> anyhow::Result<()> {
    let options = WorkflowReplayerOptions::new()
        .register_workflow::<VideoTaskLifecycle>()?
        .register_workflow::<SweepVideoTasks>()?
        .register_workflow::<AccountWatcher>()?
        .register_workflow::<AuditArchive>()?
        .register_workflow::<DeliverEvent>()?
        .register_workflow::<GenerateVideo>()?
        .register_workflow::<VideoTaskSubmission>()?
        .register_workflow::<VideoTaskClaim>()?
        .build();
    let history = WorkflowHistory::from_json(json)?;
    Ok(WorkflowReplayer::new(options)?
        .replay_workflow(history)
        .await?)
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/histories")
}
