//! Lifecycles on the paths that few other tests take.

use std::time::Duration;

use anyhow::ensure;
use seedance_archiver_proto::{names, v1::VideoTaskLifecycleRequest};
use seedance_archiver_simulator::{Ending, Fault, Script};
use seedance_archiver_workflows::{VideoTaskLifecycle, reply::OptionalArgument};
use temporalio_client::{
    WorkflowCancelOptions, WorkflowFetchHistoryOptions, WorkflowSignalOptions,
};

use crate::harness::{
    Fixture, Server, failures::fail_activity, query_activity, until, until_async,
};

/// A path through the lifecycle workflow.
pub(super) struct Scenario {
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
    /// Cancels, and makes the activity fail that cancels the task.
    CancelInVain,
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

pub(super) fn scenarios() -> Vec<Scenario> {
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
        Scenario {
            request: VideoTaskLifecycleRequest {
                cancel_task: true,
                ..VideoTaskLifecycleRequest::default()
            },
            ..Scenario::new(
                "cancelled-in-vain",
                queued(),
                Action::CancelInVain,
                "unknown",
            )
        },
        Scenario::new("nudged", queued(), Action::Nudge, "lost"),
        Scenario::new("continued-as-new", running(), Action::ContinueAsNew, "lost"),
    ]
}

/// Runs the scenarios concurrently, and returns their histories as JSON, by name.
pub(super) async fn run(
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
                scenario.action.perform(server, &fixture, id).await?;
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
    async fn perform(
        self,
        server: &Server,
        fixture: &Fixture,
        task_id: &str,
    ) -> anyhow::Result<()> {
        let lifecycle = server.lifecycle(task_id);
        match self {
            Self::None => {}
            Self::Cancel => lifecycle.cancel(WorkflowCancelOptions::default()).await?,
            Self::CancelInVain => {
                // Otherwise the activity ends by itself.
                let fault = Some(Fault::NoResponse);
                fixture.simulator.set_task_fault(task_id, fault);
                lifecycle.cancel(WorkflowCancelOptions::default()).await?;
                let workflow_id = names::lifecycle_workflow_id("", task_id);
                fail_activity(&server.client, &workflow_id, names::CANCEL_ACTIVITY_ID).await?;
                fixture.simulator.set_task_fault(task_id, None);
            }
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

/// Returns the history of the latest run of a lifecycle.
async fn history(server: &Server, task_id: &str) -> anyhow::Result<Vec<u8>> {
    let history = server
        .lifecycle(task_id)
        .fetch_history(WorkflowFetchHistoryOptions::default());
    Ok(history.to_json().await?)
}
