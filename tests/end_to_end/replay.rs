//! Histories replay on the current code: a lifecycle that began on an older version goes on.
//!
//! `tests/histories` holds them by version. To record those of this version, run this module's tests
//! with `RECORD_HISTORIES=1`, and commit what is new with the release.

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

use crate::{
    Suite, sweeping,
    waiting::complete_question,
    world::{Server, World, until, until_async},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test(
            "replay::histories_of_this_version",
            histories_of_this_version,
        )
        .test(
            "replay::histories_of_every_version",
            histories_of_every_version,
        )
        .test(
            "replay::another_workflow_is_noticed",
            another_workflow_is_noticed,
        )
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

async fn histories_of_this_version(server: Arc<Server>) -> anyhow::Result<()> {
    let is_recording = std::env::var("RECORD_HISTORIES").is_ok_and(|value| value == "1");
    let mut histories = record(&server).await?;
    let swept = sweeping::history(&server).await?;
    histories.push(("swept", anonymous(&swept)?));
    for (name, json) in histories {
        replay(&json).await.with_context(|| name.to_owned())?;
        if is_recording {
            std::fs::write(folder().join(format!("{VERSION}-{name}.json")), json)?;
        }
    }
    Ok(())
}

async fn histories_of_every_version(_: Arc<Server>) -> anyhow::Result<()> {
    let mut count = 0;
    for entry in std::fs::read_dir(folder())? {
        let path = entry?.path();
        let json = std::fs::read(&path)?;
        replay(&json)
            .await
            .with_context(|| path.display().to_string())?;
        count += 1;
    }
    ensure!(count > 0, "there are none in {}", folder().display());
    Ok(())
}

/// Otherwise nothing above means anything.
async fn another_workflow_is_noticed(_: Arc<Server>) -> anyhow::Result<()> {
    let path = folder().join(format!("{VERSION}-archived.json"));
    let json = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let changed = json.replace(names::QUERY_ACTIVITY_ID, "another");
    ensure!(changed != json, "nothing was changed");
    ensure!(
        replay(changed.as_bytes()).await.is_err(),
        "it was not noticed"
    );
    Ok(())
}

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

/// One history for each way through the workflow.
async fn record(server: &Server) -> anyhow::Result<Vec<(&'static str, Vec<u8>)>> {
    let world = World::with(
        server,
        |simulator| simulator,
        |account| {
            account.windows.query_window = Duration::from_secs(10);
            account.windows.margin = Duration::from_secs(1);
        },
    )
    .await?;
    let create = |script| world.simulator.create(script);
    let long = Duration::from_secs(3600);
    let archived = create(Script::default());
    let failed = create(Script {
        ending: Ending::Failed,
        ..Script::default()
    });
    let [lost, reported, resumed] = [(), (), ()].map(|()| {
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
        ("lost-report-only", reported),
        ("cancelled", cancelled),
        ("nudged", nudged),
        ("resumed", resumed),
    ];
    world
        .with_worker(server, async {
            let mut lifecycles = Vec::new();
            for (name, id) in &tasks {
                let request = VideoTaskLifecycleRequest {
                    task_id: id.clone(),
                    report_only: *name == "lost-report-only",
                    cancel_task: *name == "cancelled",
                    ..VideoTaskLifecycleRequest::default()
                };
                lifecycles.push(world.start_with(server, request).await?);
            }
            for (name, id) in &tasks {
                until("it was asked about", || {
                    world.simulator.stats(id).queries > 0
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
                    // So many answers without news that another run goes on.
                    "resumed" => {
                        let run = server.run_id(id).await?;
                        until_async("another run goes on", || async {
                            // There is no question to complete between two of them.
                            let _ = complete_question(server, id, "queued").await;
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
                ensure!(outcome == expected(name), "{name} ended as {outcome}");
                let history = server
                    .lifecycle(id)
                    .fetch_history(WorkflowFetchHistoryOptions::default())
                    .to_json()
                    .await?;
                histories.push((*name, anonymous(&history)?));
            }
            Ok(histories)
        })
        .await
}

fn expected(name: &str) -> &'static str {
    match name {
        "archived" => "archived",
        "failed" => "unsuccessful",
        "cancelled" => "unknown",
        _ => "lost",
    }
}

/// Without the names of the machine that recorded it: identities and sticky queues are `pid@host…`.
fn anonymous(history: &[u8]) -> anyhow::Result<Vec<u8>> {
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
