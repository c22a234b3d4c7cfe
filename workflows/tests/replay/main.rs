//! Replays the histories of every release, so that a running lifecycle survives an upgrade. Needs no server.
//!
//! The SDK compares the kinds, the types and the ids of the commands with the events. For the histories of the version in
//! development, the test also compares what the commands contain, because a caller or an activity reads it.
//!
//! After a deliberate change of that, record the histories of the version in development again.

// The bans of `clippy.toml` are for workflows.
#![allow(clippy::disallowed_methods)]

mod cancelling;
mod command;
mod continued;
mod derived;
mod drafts;
mod edited;
mod failing;
mod generating;
mod paths;
mod polling;
mod recorder;
mod rejecting;
mod submissions;
mod users;
mod workers;
#[path = "../../../tests/support/workflow_path.rs"]
mod workflow_path;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use seedance_archiver_workflows::{
    AccountWatcher, AuditArchive, DeliverEvent, GenerateVideo, SweepVideoTasks, VideoTaskClaim,
    VideoTaskLifecycle, VideoTaskSubmission,
};
use temporalio_client::WorkflowHistory;
use temporalio_protos::temporal::api::history::v1::{
    History, HistoryEvent, history_event::Attributes,
};
use temporalio_sdk::workflow_replayer::{WorkflowReplayer, WorkflowReplayerOptions};

use command::Command;
use recorder::Recorder;
use workflow_path::CURRENT;

#[tokio::test]
async fn histories_of_every_release_replay() -> anyhow::Result<()> {
    let versions = files(&directory())?;
    ensure!(versions.len() > 1, "no histories in {:?}", directory());
    for version in versions {
        for path in files(&version)? {
            let replayed = replay(&fs::read(&path)?).await;
            replayed.with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn workflows_send_what_they_sent_when_their_histories_were_recorded() -> anyhow::Result<()> {
    for (name, json) in current()? {
        let mut sent = replay(&json).await.with_context(|| name.clone())?;
        let events = WorkflowHistory::from_json(&json)?.into_events().await?;
        let is_cancelled = events.iter().any(is_cancellation);
        let recorded: Vec<_> = events.into_iter().filter_map(Command::recorded).collect();
        // What its workflow task cancels again has no event: a timer, or an activity of a workflow that is cancelled.
        sent.retain(|it| match it {
            Command::Timer(_) => recorded.contains(it),
            Command::Activity(_) => !is_cancelled || recorded.contains(it),
            _ => true,
        });
        // The last commands of a workflow that was terminated may have no events.
        let sent = sent.get(..recorded.len()).unwrap_or(&sent);
        for (sent, recorded) in sent.iter().zip(&recorded) {
            assert_eq!(sent, recorded, "{name}");
        }
        assert_eq!(sent.len(), recorded.len(), "{name}");
    }
    Ok(())
}

fn is_cancellation(event: &HistoryEvent) -> bool {
    let attributes = event.attributes.as_ref();
    matches!(
        attributes,
        Some(Attributes::WorkflowExecutionCancelRequestedEventAttributes(
            _
        ))
    )
}

/// Replays a history, and returns the commands that the workflow sends.
async fn replay(json: &[u8]) -> anyhow::Result<Vec<Command>> {
    let history = WorkflowHistory::from_json(json)?;
    replay_events(history.into_events().await?).await
}

/// Replays the events of a history, and returns the commands that the workflow sends.
async fn replay_events(events: Vec<HistoryEvent>) -> anyhow::Result<Vec<Command>> {
    let recorder = Recorder::default();
    let options = WorkflowReplayerOptions::new()
        .register_workflow::<VideoTaskLifecycle>()?
        .register_workflow::<SweepVideoTasks>()?
        .register_workflow::<AccountWatcher>()?
        .register_workflow::<AuditArchive>()?
        .register_workflow::<DeliverEvent>()?
        .register_workflow::<GenerateVideo>()?
        .register_workflow::<VideoTaskSubmission>()?
        .register_workflow::<VideoTaskClaim>()?
        .worker_interceptor(recorder.clone())
        .task_queue(task_queue(&events)?)
        .build();
    let history = WorkflowHistory::from(History { events });
    WorkflowReplayer::new(options)?
        .replay_workflow(history)
        .await?;
    Ok(recorder.take())
}

fn task_queue(events: &[HistoryEvent]) -> anyhow::Result<String> {
    let first = events.first().and_then(|event| event.attributes.as_ref());
    let task_queue = match first {
        Some(Attributes::WorkflowExecutionStartedEventAttributes(it)) => it.task_queue.as_ref(),
        _ => None,
    };
    Ok(task_queue.context("no task queue")?.name.clone())
}

/// Returns the histories of the version in development, with their names: recorded and derived ones.
fn current() -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut histories = Vec::new();
    for path in files(&directory().join(CURRENT))? {
        histories.push((path.display().to_string(), fs::read(&path)?));
    }
    for (name, history) in derived::histories()? {
        histories.push((name.to_owned(), serde_json::to_vec(&history)?));
    }
    Ok(histories)
}

/// Returns a history by its path below `tests/histories`.
fn recorded(path: &str) -> anyhow::Result<Vec<u8>> {
    let path = directory().join(path);
    fs::read(&path).with_context(|| path.display().to_string())
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/histories")
}

fn files(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory).with_context(|| directory.display().to_string())?;
    Ok(entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?)
}
