//! Checks that histories of every release replay on the current code, so that a running lifecycle survives an
//! upgrade.
//!
//! `tests/histories` holds the histories of each version. To record those of this version, run the tests of
//! this module with `RECORD_HISTORIES=1`, and commit the new files with the release.
//!
//! `0.1.0-archived-without-search-attributes.json` was recorded separately, by a worker in a namespace without the
//! search attributes. The history has no event that upserts them.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use seedance_archiver_policy::watch::MIN_WATCHED;
use seedance_archiver_proto::{names, v1::VideoTaskLifecycleRequest};
use seedance_archiver_simulator::{Ending, Script};
use seedance_archiver_workflows::{
    AccountWatcher, SweepVideoTasks, VideoTaskLifecycle, reply::OptionalArgument,
};
use serde_json::{Value, json};
use temporalio_client::{
    WorkflowCancelOptions, WorkflowFetchHistoryOptions, WorkflowHistory, WorkflowSignalOptions,
};
use temporalio_sdk::workflow_replayer::{WorkflowReplayer, WorkflowReplayerOptions};

use crate::harness::{
    Fixture, Server, query_activity, register, sweeps, until, until_async, watchers,
};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Maximum number of lifecycles that are recorded concurrently: too few for a watcher, because those of a watched account
/// do not notice that the clock was advanced.
const MAX_CONCURRENT: usize = MIN_WATCHED - 1;

async fn histories_of_the_current_code_replay(server: Arc<Server>) -> anyhow::Result<()> {
    let is_recording = std::env::var("RECORD_HISTORIES").is_ok_and(|value| value == "1");
    let mut scenarios = scenarios();
    let mut histories = Vec::new();
    while !scenarios.is_empty() {
        let few = scenarios.split_off(scenarios.len().saturating_sub(MAX_CONCURRENT));
        histories.extend(record(&server, few).await?);
    }
    let swept = sweeps::history(&server).await?;
    histories.push(("swept", anonymize(&swept)?));
    for (name, json) in watchers::histories(&server).await? {
        histories.push((name, anonymize(&json)?));
    }
    for (name, json) in histories {
        replay(&json).await.with_context(|| name.to_owned())?;
        if is_recording {
            std::fs::write(directory().join(format!("{VERSION}-{name}.json")), json)?;
        }
    }
    Ok(())
}
register!(histories_of_the_current_code_replay);

async fn histories_of_every_release_replay(_: Arc<Server>) -> anyhow::Result<()> {
    let mut count = 0;
    for entry in std::fs::read_dir(directory())? {
        let path = entry?.path();
        let json = std::fs::read(&path)?;
        replay(&json)
            .await
            .with_context(|| path.display().to_string())?;
        count += 1;
    }
    ensure!(count > 0, "no histories in {}", directory().display());
    Ok(())
}
register!(histories_of_every_release_replay);

/// Guards against a replay that accepts anything.
async fn a_changed_history_does_not_replay(_: Arc<Server>) -> anyhow::Result<()> {
    let path = directory().join(format!("{VERSION}-archived.json"));
    let json = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
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
    let json = std::fs::read(directory().join("0.1.0-archived.json"))?;
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

async fn replay(json: &[u8]) -> anyhow::Result<()> {
    let options = WorkflowReplayerOptions::new()
        .register_workflow::<VideoTaskLifecycle>()?
        .register_workflow::<SweepVideoTasks>()?
        .register_workflow::<AccountWatcher>()?
        .build();
    let history = WorkflowHistory::from_json(json)?;
    Ok(WorkflowReplayer::new(options)?
        .replay_workflow(history)
        .await?)
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/histories")
}

/// A path through the lifecycle workflow.
struct Scenario {
    /// Name of the history file, after the version.
    name: &'static str,
    script: Script,
    /// The request, without the task id.
    request: VideoTaskLifecycleRequest,
    /// Performed after the first poll.
    action: Action,
    expected_outcome: &'static str,
}

#[derive(Clone, Copy)]
enum Action {
    None,
    Cancel,
    Nudge,
    ContinueAsNew,
}

impl Scenario {
    fn new(
        name: &'static str,
        script: Script,
        action: Action,
        expected_outcome: &'static str,
    ) -> Self {
        Self {
            name,
            script,
            request: VideoTaskLifecycleRequest::default(),
            action,
            expected_outcome,
        }
    }
}

fn scenarios() -> Vec<Scenario> {
    let long = Some(Duration::from_secs(30 * 24 * 60 * 60));
    let failed = || Script {
        ending: Ending::Failed,
        ..Script::default()
    };
    let running = || Script {
        running: long,
        ..Script::default()
    };
    let queued = || Script {
        queued: long,
        ..Script::default()
    };
    vec![
        Scenario::new("archived", Script::default(), Action::None, "archived"),
        Scenario::new("failed", failed(), Action::None, "unsuccessful"),
        Scenario::new("lost", running(), Action::None, "lost"),
        Scenario {
            request: VideoTaskLifecycleRequest {
                report_only: true,
                ..VideoTaskLifecycleRequest::default()
            },
            ..Scenario::new("lost-report-only", running(), Action::None, "lost")
        },
        Scenario {
            request: VideoTaskLifecycleRequest {
                cancel_task: true,
                ..VideoTaskLifecycleRequest::default()
            },
            ..Scenario::new("cancelled", queued(), Action::Cancel, "unknown")
        },
        Scenario::new("nudged", queued(), Action::Nudge, "lost"),
        Scenario::new("continued-as-new", running(), Action::ContinueAsNew, "lost"),
    ]
}

/// Records the history of each scenario. The lifecycles run concurrently.
async fn record(
    server: &Server,
    scenarios: Vec<Scenario>,
) -> anyhow::Result<Vec<(&'static str, Vec<u8>)>> {
    let fixture = Fixture::new(server).await?;
    fixture
        .with_worker(server, async {
            let mut lifecycles = Vec::new();
            for scenario in scenarios {
                let id = fixture.simulator.create(scenario.script.clone());
                let request = VideoTaskLifecycleRequest {
                    task_id: id.clone(),
                    ..scenario.request.clone()
                };
                let lifecycle = fixture.start_lifecycle_with(server, request).await?;
                lifecycles.push((scenario, id, lifecycle));
            }
            for (scenario, id, _) in &lifecycles {
                until("the task was polled", || {
                    fixture.simulator.stats(id).queries > 0
                })
                .await?;
                scenario.action.perform(server, id).await?;
            }
            // Before a task that has not ended is lost, its lifecycle must have seen a record.
            for (scenario, id, lifecycle) in &lifecycles {
                match scenario.expected_outcome {
                    "lost" => fixture.polled(id, 1).await?,
                    _ => drop(lifecycle.result().await?),
                }
            }
            fixture.close_query_window().await;
            let mut histories = Vec::new();
            for (scenario, id, lifecycle) in lifecycles {
                let outcome = lifecycle.result().await?.outcome;
                ensure!(
                    outcome == scenario.expected_outcome,
                    "the outcome of {} is {outcome}",
                    scenario.name
                );
                histories.push((scenario.name, history(server, &id).await?));
            }
            Ok(histories)
        })
        .await
}

impl Action {
    async fn perform(self, server: &Server, task_id: &str) -> anyhow::Result<()> {
        let lifecycle = server.lifecycle(task_id);
        match self {
            Self::None => {}
            Self::Cancel => lifecycle.cancel(WorkflowCancelOptions::default()).await?,
            Self::Nudge => {
                lifecycle
                    .signal(
                        VideoTaskLifecycle::nudge,
                        OptionalArgument::default(),
                        WorkflowSignalOptions::default(),
                    )
                    .await?;
            }
            // Completes polls without a change until the workflow continues as new.
            Self::ContinueAsNew => {
                let run = server.run_id(task_id).await?;
                until_async("the workflow has continued as new", || async {
                    // Fails if no poll is pending.
                    let _ = query_activity::complete(server, task_id, "queued").await;
                    Ok(server.run_id(task_id).await? != run)
                })
                .await?;
            }
        }
        Ok(())
    }
}

/// Returns the history of the latest run of a lifecycle, without the names of this machine.
async fn history(server: &Server, task_id: &str) -> anyhow::Result<Vec<u8>> {
    let history = server
        .lifecycle(task_id)
        .fetch_history(WorkflowFetchHistoryOptions::default())
        .to_json()
        .await?;
    anonymize(&history)
}

/// Replaces process identities, which contain the host name: identities and sticky queues are `pid@host…`.
fn anonymize(history: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut history: Value = serde_json::from_slice(history)?;
    rename_processes(&mut history);
    Ok(serde_json::to_vec_pretty(&history)?)
}

fn rename_processes(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(rename_processes),
        Value::Array(values) => values.iter_mut().for_each(rename_processes),
        Value::String(text) => {
            let process = text.split_once('@').map(|(process, _)| process);
            if process.is_some_and(|id| id.parse::<u32>().is_ok()) {
                *text = "worker".into();
            }
        }
        _ => {}
    }
}
