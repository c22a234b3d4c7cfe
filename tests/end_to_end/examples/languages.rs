//! The examples in other languages, run as their READMEs say: with their own worker and client, next to a
//! worker of the archiver. Each test has its own namespace, because the examples use the default names.

use std::{process::Output, sync::Arc};

use anyhow::{Context, bail};
use seedance_archiver_proto::names;
use seedance_archiver_simulator::{Ending, Fault, Script};
use temporalio_client::{
    UntypedWorkflow, WorkflowDescribeOptions, errors::WorkflowInteractionError,
};
use tokio::process::Command;

use super::process::{self, assert_failed, describe, on_default_task_queue, receipt};
use crate::harness::{DAY, Fixture, Server, nexus, register, tools, until_async};

/// Returns the command that runs an example, without its arguments.
type Example = fn() -> anyhow::Result<Command>;

/// Registers the tests of an example.
macro_rules! example {
    ($language:ident, needs = $tool:ident, $command:expr) => {
        mod $language {
            use super::*;

            async fn archives_by_nexus_from_another_namespace(
                server: Arc<Server>,
            ) -> anyhow::Result<()> {
                check_nexus(&server, $command).await
            }
            register!(archives_by_nexus_from_another_namespace, needs = [$tool]);

            async fn archives_with_every_kind_of_call(server: Arc<Server>) -> anyhow::Result<()> {
                check_every_kind_of_call(&server, $command).await
            }
            register!(archives_with_every_kind_of_call, needs = [$tool]);

            async fn creates_one_task_for_an_order(server: Arc<Server>) -> anyhow::Result<()> {
                check_generating(&server, $command).await
            }
            register!(creates_one_task_for_an_order, needs = [$tool]);

            async fn joins_a_running_lifecycle(server: Arc<Server>) -> anyhow::Result<()> {
                check_joining(&server, $command).await
            }
            register!(joins_a_running_lifecycle, needs = [$tool]);

            async fn prints_why_no_video_was_archived(server: Arc<Server>) -> anyhow::Result<()> {
                check_failures(&server, $command).await
            }
            register!(prints_why_no_video_was_archived, needs = [$tool]);
        }
    };
}

example!(python, needs = python_example, || {
    let mut command = Command::new(tools::python_example()?);
    command.args(["-m", "archive_example"]);
    Ok(command)
});
example!(go, needs = go_example, || {
    Ok(Command::new(tools::go_example()?))
});
example!(typescript, needs = typescript_example, || {
    let mut command = Command::new("node");
    command.arg(tools::typescript_example()?);
    Ok(command)
});
example!(java, needs = java_example, || {
    let mut command = Command::new("java");
    command.arg("-jar").arg(tools::java_example()?);
    Ok(command)
});

/// A video is archived and one is lost, for callers of a namespace without a worker of the archiver.
async fn check_nexus(server: &Server, example: Example) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let callers = server.with_new_namespace().await?;
    let fixture = on_default_task_queue(Fixture::new(&server).await?);
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let id = fixture.simulator.create(Script::default());
    let never_ending = fixture.simulator.create(Script {
        running: Some(30 * DAY),
        ..Script::default()
    });
    let run = async |id: &str| {
        let mut command = example()?;
        command.args(["nexus", id]).env("NEXUS_ENDPOINT", &endpoint);
        process::run(&callers, command).await
    };
    let lost = run(&never_ending);
    tokio::pin!(lost);
    let lost = fixture
        .with_worker(&server, async {
            nexus::until_served(&server, &fixture, 1).await?;
            let polled = fixture.polled(&never_ending, 1);
            let archived = tokio::select! {
                output = &mut lost => bail!("the example exited: {}", describe(&output?)),
                both = async { tokio::try_join!(run(&id), polled) } => both?.0,
            };
            // Before the outcome of the other task is in the archive too.
            fixture.assert_archived(&id, &receipt(&archived)?)?;
            fixture.close_query_window().await;
            lost.await
        })
        .await?;
    assert_failed(&lost, "lost query_window_closed: ")
}

async fn check_every_kind_of_call(server: &Server, example: Example) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = on_default_task_queue(Fixture::new(&server).await?);
    fixture
        .with_worker(&server, async {
            let (fixture, server) = (&fixture, &server);
            let calls = ["await", "child", "start"].map(|call| async move {
                let id = fixture.simulator.create(Script::default());
                let output = run(server, example, call, &id).await?;
                Ok::<_, anyhow::Error>((id, receipt(&output).context(call)?))
            });
            let archived = futures::future::try_join_all(calls).await?;
            let videos: Vec<_> = archived
                .iter()
                .map(|(id, manifest)| (id.as_str(), manifest))
                .collect();
            fixture.assert_all_archived(&videos)
        })
        .await
}

/// The program runs twice for the same order.
async fn check_generating(server: &Server, example: Example) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = on_default_task_queue(Fixture::new(&server).await?);
    fixture
        .with_worker(&server, async {
            let manifests = [
                receipt(&run(&server, example, "generate", "order-7").await?)?,
                receipt(&run(&server, example, "generate", "order-7").await?)?,
            ];
            let ids = fixture.simulator.task_ids();
            anyhow::ensure!(ids.len() == 1, "{ids:?}");
            for manifest in &manifests {
                fixture.assert_archived(&ids[0], manifest)?;
                // By which `list --user` and `erase --user` find the video.
                let user = &manifest.safety_identifier;
                anyhow::ensure!(user == "user-7", "the end user is {user}");
            }
            let submission = names::submission_workflow_id("", "order-7");
            let submission = server
                .client
                .get_workflow_handle::<UntypedWorkflow>(submission);
            submission
                .describe(WorkflowDescribeOptions::default())
                .await?;
            Ok(())
        })
        .await
}

/// The server rejects the child workflow as already started, so the example waits with `AwaitVideoTask`.
async fn check_joining(server: &Server, example: Example) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = on_default_task_queue(Fixture::new(&server).await?);
    let id = fixture.simulator.create(Script::default());
    // The lifecycle cannot end before the example has joined it.
    fixture.simulator.set_fault(Some(Fault::Unavailable));
    fixture
        .with_worker(&server, async {
            fixture.start_lifecycle(&server, &id).await?;
            let run_id = server.run_id(&id).await?;
            let (output, ()) = tokio::try_join!(run(&server, example, "child", &id), async {
                let parent = format!("archive-example/child/{id}");
                wait_for_await_activity(&server, &parent).await?;
                fixture.simulator.set_fault(None);
                Ok(())
            })?;
            fixture.assert_archived(&id, &receipt(&output)?)?;
            anyhow::ensure!(
                server.run_id(&id).await? == run_id,
                "a second lifecycle was started"
            );
            Ok(())
        })
        .await
}

async fn check_failures(server: &Server, example: Example) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = on_default_task_queue(Fixture::new(&server).await?);
    let failing = fixture.simulator.create(Script {
        ending: Ending::Failed,
        ..Script::default()
    });
    let never_ending = fixture.simulator.create(Script {
        running: Some(30 * DAY),
        ..Script::default()
    });
    let lost = run(&server, example, "child", &never_ending);
    tokio::pin!(lost);
    let (failed, lost) = fixture
        .with_worker(&server, async {
            let polled = fixture.polled(&never_ending, 1);
            let failed = run(&server, example, "await", &failing);
            let failed = tokio::select! {
                output = &mut lost => bail!("the example exited: {}", describe(&output?)),
                both = async { tokio::try_join!(failed, polled) } => both?.0,
            };
            fixture.close_query_window().await;
            Ok((failed, lost.await?))
        })
        .await?;
    assert_failed(
        &failed,
        "unsuccessful OutputVideoSensitiveContentDetected: ",
    )?;
    assert_failed(&lost, "lost query_window_closed: ")
}

/// Runs an example with a task and a kind of call.
async fn run(server: &Server, example: Example, call: &str, id: &str) -> anyhow::Result<Output> {
    let mut command = example()?;
    command.args([call, id]);
    process::run(server, command).await
}

/// Waits until a workflow executes `AwaitVideoTask`.
async fn wait_for_await_activity(server: &Server, workflow_id: &str) -> anyhow::Result<()> {
    let workflow = server
        .client
        .get_workflow_handle::<UntypedWorkflow>(workflow_id);
    until_async("the example calls AwaitVideoTask", || async {
        let options = WorkflowDescribeOptions::default();
        match workflow.describe(options).await {
            Ok(description) => {
                let mut activities = description.raw().pending_activities.iter();
                Ok(activities.any(|activity| {
                    activity
                        .activity_type
                        .as_ref()
                        .is_some_and(|activity| activity.name == "AwaitVideoTask")
                }))
            }
            Err(WorkflowInteractionError::NotFound(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    })
    .await
}
