//! The examples in other languages, as their READMEs say to run them: their own worker and client, this
//! archiver's worker on its own queue. Each test has a namespace, so that every name is the usual one.

use std::{
    process::{Output, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use seedance_archiver::{
    config::{Account, Callbacks, Secret},
    worker::Worker,
};
use seedance_archiver_proto::{names, v1::Manifest};
use seedance_archiver_simulator::{Ending, Fault, Script};
use temporalio_client::{
    NamespacedClient, UntypedWorkflow, WorkflowDescribeOptions, errors::WorkflowInteractionError,
};
use tokio::process::Command;

use crate::{
    Suite,
    tools::{self, Example},
    world::{Server, World, read_local, until_async},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    let suite = Example::ALL.into_iter().fold(suite, |suite, example| {
        let name = |what: &str| format!("examples::{}_{what}", example.language());
        let is_here = || example.is_here();
        suite
            .test_with(&name("archives_in_every_way"), is_here(), move |server| {
                archives(server, example)
            })
            .test_with(&name("joins_what_runs"), is_here(), move |server| {
                joins(server, example)
            })
            .test_with(
                &name("says_why_there_is_no_video"),
                is_here(),
                move |server| says_why(server, example),
            )
    });
    suite.test_with(
        "examples::create_to_archive_ends_with_the_file",
        Example::Python.is_here(),
        create_to_archive,
    )
}

async fn archives(server: Arc<Server>, example: Example) -> anyhow::Result<()> {
    let server = server.in_namespace().await?;
    let world = world(World::new(&server).await?);
    world
        .with_worker(&server, async {
            let (world, server) = (&world, &server);
            let ways = ["await", "child", "start"].map(|way| async move {
                let id = world.simulator.create(Script::default());
                let output = run(server, example, way, &id).await?;
                Ok::<_, anyhow::Error>((id, receipt(&output).context(way)?))
            });
            let archived = futures::future::try_join_all(ways).await?;
            let videos: Vec<_> = archived.iter().map(|(id, it)| (id.as_str(), it)).collect();
            world.holds_all(&videos)
        })
        .await
}

/// The child is refused as already started.
async fn joins(server: Arc<Server>, example: Example) -> anyhow::Result<()> {
    let server = server.in_namespace().await?;
    let world = world(World::new(&server).await?);
    let id = world.simulator.create(Script::default());
    // So that it runs for as long as it has to.
    world.simulator.fail(Some(Fault::Unavailable));
    world
        .with_worker(&server, async {
            world.start(&server, &id).await?;
            let run_id = server.run_id(&id).await?;
            let (output, ()) = tokio::try_join!(run(&server, example, "child", &id), async {
                let parent = format!("archive-example/child/{id}");
                awaits_by_activity(&server, &parent).await?;
                world.simulator.fail(None);
                Ok(())
            })?;
            world.holds_exactly(&id, &receipt(&output)?)?;
            ensure!(server.run_id(&id).await? == run_id, "it was started again");
            Ok(())
        })
        .await
}

async fn says_why(server: Arc<Server>, example: Example) -> anyhow::Result<()> {
    let server = server.in_namespace().await?;
    let window = |account: &mut Account| {
        // Long enough for a runtime to start in.
        account.windows.query_window = Duration::from_secs(30);
        account.windows.margin = Duration::from_secs(2);
    };
    let world = world(World::with(&server, |simulator| simulator, window).await?);
    world
        .with_worker(&server, async {
            let failed = world.simulator.create(Script {
                ending: Ending::Failed,
                ..Script::default()
            });
            let never_ends = world.simulator.create(Script {
                running: Some(Duration::from_secs(3600)),
                ..Script::default()
            });
            let (failed, lost) = tokio::try_join!(
                run(&server, example, "child", &failed),
                run(&server, example, "await", &never_ends),
            )?;
            let reason = "unsuccessful OutputVideoSensitiveContentDetected: ";
            has_failed(&failed, reason)?;
            has_failed(&lost, "lost query_window_closed: ")
        })
        .await
}

async fn create_to_archive(server: Arc<Server>) -> anyhow::Result<()> {
    const TOKEN: &str = "a-token-of-32-characters-1234567";
    let server = server.in_namespace().await?;
    let takes_callbacks = |account: &mut Account| {
        account.callbacks = Some(Callbacks {
            token: Secret::from(TOKEN.to_owned()),
            start_lifecycles: true,
        });
    };
    let mut world = world(World::with(&server, |it| it, takes_callbacks).await?);
    world.config.ingress_address = Some(([127, 0, 0, 1], 0).into());
    let worker = Worker::new(&server.runtime, &server.client, &world.config).await?;
    let address = worker.ingress_address().context("nothing listens")?;
    worker
        .run_during(async {
            // The second one is an address at which nobody listens.
            for ingress in [address, ([127, 0, 0, 1], 1).into()] {
                let script = "examples/create_to_archive/create_to_archive.py";
                let mut command = Command::new(tools::installed("examples/python/bin/python"));
                command
                    .arg(tools::in_repository(script))
                    .arg("a kite over the sea")
                    .env("SEEDANCE_BASE_URL", world.simulator.base_url())
                    .env("SEEDANCE_API_KEY", world.simulator.api_key())
                    .env("SEEDANCE_INGRESS_URL", format!("http://{ingress}"))
                    .env("SEEDANCE_CALLBACK_TOKEN", TOKEN);
                let output = finish(&server, command).await?;
                ends_with_the_file(&world, &output)?;
            }
            Ok(())
        })
        .await?
}

fn ends_with_the_file(world: &World, output: &Output) -> anyhow::Result<()> {
    ensure!(output.status.success(), "{}", describe(output));
    let path = last_line(output)?;
    let video = std::fs::read(&path).with_context(|| path.clone())?;
    let id = path.rsplit('/').nth(1).context("no task id")?;
    let made = world.simulator.source(id).context("no source")?.bytes();
    ensure!(video == made, "{path} is not the video that was made");
    Ok(())
}

async fn awaits_by_activity(server: &Server, workflow_id: &str) -> anyhow::Result<()> {
    let parent = server
        .client
        .get_workflow_handle::<UntypedWorkflow>(workflow_id);
    until_async("it awaits by the activity", || async {
        match parent.describe(WorkflowDescribeOptions::default()).await {
            Ok(parent) => {
                let mut activities = parent.raw().pending_activities.iter();
                Ok(activities.any(|it| {
                    it.activity_type
                        .as_ref()
                        .is_some_and(|it| it.name == "AwaitVideoTask")
                }))
            }
            Err(WorkflowInteractionError::NotFound(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    })
    .await
}

/// The queue that callers know.
fn world(mut world: World) -> World {
    world.config.task_queue = names::TASK_QUEUE.into();
    world
}

async fn run(server: &Server, example: Example, way: &str, id: &str) -> anyhow::Result<Output> {
    let mut command = example.command();
    command.args([way, id]);
    finish(server, command).await
}

async fn finish(server: &Server, mut command: Command) -> anyhow::Result<Output> {
    // Not the configuration of whoever runs the tests.
    let configuration = tempfile::NamedTempFile::new()?;
    std::fs::write(&configuration, "[profile.default]\n")?;
    command
        .env("TEMPORAL_ADDRESS", &server.address)
        .env("TEMPORAL_NAMESPACE", server.client.namespace())
        .env("TEMPORAL_CONFIG_FILE", configuration.path())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    Ok(command.output().await?)
}

/// The receipt that it told of.
fn receipt(output: &Output) -> anyhow::Result<Manifest> {
    ensure!(output.status.success(), "{}", describe(output));
    let line = last_line(output)?;
    let url = line.strip_prefix("archived ").context(line.clone())?;
    Ok(serde_json::from_slice(&read_local(url)?)?)
}

fn has_failed(output: &Output, line: &str) -> anyhow::Result<()> {
    ensure!(output.status.code() == Some(1), "{}", describe(output));
    ensure!(last_line(output)?.starts_with(line), "{}", describe(output));
    Ok(())
}

fn last_line(output: &Output) -> anyhow::Result<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().last() {
        Some(line) => Ok(line.to_owned()),
        None => bail!("it printed nothing: {}", describe(output)),
    }
}

fn describe(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{}: {out}\n{err}", output.status)
}
