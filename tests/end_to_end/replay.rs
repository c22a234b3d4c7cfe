//! Replay of histories on the current code, so that a lifecycle which started on an older version can continue.
//!
//! `tests/histories` holds the histories of each version. To record those of this version, run the tests of this
//! module with `RECORD_HISTORIES=1`, and commit the new files with the release.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver_proto::{names, v1::VideoTaskLifecycleRequest};
use seedance_archiver_simulator::{Ending, Script};
use seedance_archiver_workflows::{SweepVideoTasks, VideoTaskLifecycle, reply::OptionalArgument};
use serde_json::Value;
use temporalio_client::{
    WorkflowCancelOptions, WorkflowFetchHistoryOptions, WorkflowHistory, WorkflowSignalOptions,
};
use temporalio_sdk::workflow_replayer::{WorkflowReplayer, WorkflowReplayerOptions};

use crate::harness::{Fixture, Server, query_activity, register, sweeps, until, until_async};

const VERSION: &str = env!("CARGO_PKG_VERSION");

async fn histories_recorded_now_replay(server: Arc<Server>) -> anyhow::Result<()> {
    let is_recording = std::env::var("RECORD_HISTORIES").is_ok_and(|value| value == "1");
    let mut histories = record(&server).await?;
    let swept = sweeps::history(&server).await?;
    histories.push(("swept", anonymize(&swept)?));
    for (name, json) in histories {
        replay(&json).await.with_context(|| name.to_owned())?;
        if is_recording {
            std::fs::write(folder().join(format!("{VERSION}-{name}.json")), json)?;
        }
    }
    Ok(())
}
register!(histories_recorded_now_replay);

async fn histories_of_every_release_replay(_: Arc<Server>) -> anyhow::Result<()> {
    let mut count = 0;
    for entry in std::fs::read_dir(folder())? {
        let path = entry?.path();
        let json = std::fs::read(&path)?;
        replay(&json)
            .await
            .with_context(|| path.display().to_string())?;
        count += 1;
    }
    ensure!(count > 0, "no histories in {}", folder().display());
    Ok(())
}
register!(histories_of_every_release_replay);

/// Proves that the other tests can fail.
async fn a_changed_history_does_not_replay(_: Arc<Server>) -> anyhow::Result<()> {
    let path = folder().join(format!("{VERSION}-archived.json"));
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

async fn replay(json: &[u8]) -> anyhow::Result<()> {
    let options = WorkflowReplayerOptions::new()
        .register_workflow::<VideoTaskLifecycle>()?
        .register_workflow::<SweepVideoTasks>()?
        .build();
    let history = WorkflowHistory::from_json(json)?;
    Ok(WorkflowReplayer::new(options)?
        .replay_workflow(history)
        .await?)
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/histories")
}

/// Records one history for each path through the workflow.
async fn record(server: &Server) -> anyhow::Result<Vec<(&'static str, Vec<u8>)>> {
    let fixture = Fixture::with_account(server, |account| {
        account.windows.query_window = Duration::from_secs(10);
        account.windows.margin = Duration::from_secs(1);
    })
    .await?;
    let create = |script| fixture.simulator.create(script);
    let long = Duration::from_secs(3600);
    let archived = create(Script::default());
    let failed = create(Script {
        ending: Ending::Failed,
        ..Script::default()
    });
    let [lost, lost_report_only, resumed] = [(), (), ()].map(|()| {
        create(Script {
            running: Some(long),
            ..Script::default()
        })
    });
    let [cancelled, nudged] = [(), ()].map(|()| {
        create(Script {
            queued: Some(long),
            ..Script::default()
        })
    });
    let tasks = [
        ("archived", archived),
        ("failed", failed),
        ("lost", lost),
        ("lost-report-only", lost_report_only),
        ("cancelled", cancelled),
        ("nudged", nudged),
        ("resumed", resumed),
    ];
    fixture
        .with_worker(server, async {
            let mut lifecycles = Vec::new();
            for (name, id) in &tasks {
                let request = VideoTaskLifecycleRequest {
                    task_id: id.clone(),
                    report_only: *name == "lost-report-only",
                    cancel_task: *name == "cancelled",
                    ..VideoTaskLifecycleRequest::default()
                };
                lifecycles.push(fixture.start_lifecycle_with(server, request).await?);
            }
            for (name, id) in &tasks {
                until("the task was polled", || {
                    fixture.simulator.stats(id).queries > 0
                })
                .await?;
                match *name {
                    "cancelled" => {
                        server
                            .lifecycle(id)
                            .cancel(WorkflowCancelOptions::default())
                            .await?;
                    }
                    "nudged" => {
                        server
                            .lifecycle(id)
                            .signal(
                                VideoTaskLifecycle::nudge,
                                OptionalArgument::default(),
                                WorkflowSignalOptions::default(),
                            )
                            .await?;
                    }
                    // Enough completions without a change that the workflow continues as new.
                    "resumed" => {
                        let run = server.run_id(id).await?;
                        until_async("the workflow has continued as new", || async {
                            // Fails if no poll is pending.
                            let _ = query_activity::complete(server, id, "queued").await;
                            Ok(server.run_id(id).await? != run)
                        })
                        .await?;
                    }
                    _ => {}
                }
            }
            let mut histories = Vec::new();
            for ((name, id), lifecycle) in tasks.iter().zip(lifecycles) {
                let outcome = lifecycle.result().await?.outcome;
                ensure!(
                    outcome == expected_outcome(name),
                    "the outcome of {name} is {outcome}"
                );
                let history = server
                    .lifecycle(id)
                    .fetch_history(WorkflowFetchHistoryOptions::default())
                    .to_json()
                    .await?;
                histories.push((*name, anonymize(&history)?));
            }
            Ok(histories)
        })
        .await
}

/// Returns the outcome of the lifecycle with this history.
fn expected_outcome(name: &str) -> &'static str {
    match name {
        "archived" => "archived",
        "failed" => "unsuccessful",
        "cancelled" => "unknown",
        _ => "lost",
    }
}

/// Removes the names of the recording machine: identities and sticky queues are `pid@host…`.
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
