//! The examples in other languages, as their READMEs say to run them: their own worker and client, this
//! archiver's worker on its own queue. Each test has a namespace, so that every name is the usual one.

use std::{
    process::{Output, Stdio},
    sync::Arc,
    time::{Duration, Instant},
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
    world::{Server, World, read_local, until, until_async},
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
    let is_here = || Example::Python.is_here();
    suite
        .test_with(
            "examples::create_to_archive_is_told_by_callbacks",
            is_here(),
            is_told_by_callbacks,
        )
        .test_with(
            "examples::create_to_archive_needs_no_callback",
            is_here(),
            needs_no_callback,
        )
        .test_with(
            "examples::create_to_archive_says_what_is_lost",
            is_here(),
            says_what_is_lost,
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
    world.simulator.set_fault(Some(Fault::Unavailable));
    world
        .with_worker(&server, async {
            world.start(&server, &id).await?;
            let run_id = server.run_id(&id).await?;
            let (output, ()) = tokio::try_join!(run(&server, example, "child", &id), async {
                let parent = format!("archive-example/child/{id}");
                awaits_by_activity(&server, &parent).await?;
                world.simulator.set_fault(None);
                Ok(())
            })?;
            world.holds_exactly(&id, &receipt(&output)?)?;
            ensure!(server.run_id(&id).await? == run_id, "it was started again");
            Ok(())
        })
        .await
}

/// However long a program takes to start, its task is asked about within the window: only then, with another
/// worker, it closes.
async fn says_why(server: Arc<Server>, example: Example) -> anyhow::Result<()> {
    let server = server.in_namespace().await?;
    let mut world = world(World::new(&server).await?);
    let failed = world.simulator.create(Script {
        ending: Ending::Failed,
        ..Script::default()
    });
    let created = Instant::now();
    let never_ends = world.simulator.create(Script {
        running: Some(Duration::from_secs(3600)),
        ..Script::default()
    });
    let lost = run(&server, example, "child", &never_ends);
    tokio::pin!(lost);
    let failed = world
        .with_worker(&server, async {
            let is_asked_about = until("it was asked about", || {
                world.simulator.stats(&never_ends).queries > 0
            });
            let failed = run(&server, example, "await", &failed);
            tokio::select! {
                output = &mut lost => bail!("it has ended: {}", describe(&output?)),
                both = async { tokio::try_join!(failed, is_asked_about) } => Ok(both?.0),
            }
        })
        .await?;
    has_failed(
        &failed,
        "unsuccessful OutputVideoSensitiveContentDetected: ",
    )?;

    world.change_account(|account| {
        // The record's times are whole seconds.
        account.windows.query_window = created.elapsed() + Duration::from_secs(2);
        account.windows.margin = Duration::from_secs(1);
    })?;
    let lost = world.with_worker(&server, lost).await?;
    has_failed(&lost, "lost query_window_closed: ")
}

/// The questions that the worker asks by itself are an hour apart.
async fn is_told_by_callbacks(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.in_namespace().await?;
    let hour = Duration::from_secs(3600);
    let by_callbacks_alone = |account: &mut Account| {
        account.schedule.min_interval = hour;
        account.schedule.max_interval = hour;
        account.callbacks = Some(Callbacks {
            token: Secret::from(TOKEN.to_owned()),
            start_lifecycles: true,
        });
    };
    let mut world = world(World::with(&server, |it| it, by_callbacks_alone).await?);
    world.config.ingress_address = Some(([127, 0, 0, 1], 0).into());
    let worker = Worker::new(&server.runtime, &server.client, &world.config).await?;
    let address = worker.ingress_address().context("nothing listens")?;
    worker
        .run_during(async {
            let ingress = format!("http://{address}");
            let prompt = "a kite --simulate queued=3,running=2";
            let output = create_to_archive(&server, &world, &ingress, prompt).await?;
            has_the_file(&world, &output)
        })
        .await?
}

async fn needs_no_callback(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.in_namespace().await?;
    let world = world(World::new(&server).await?);
    world
        .with_worker(&server, async {
            let output = create_to_archive(&server, &world, NOBODY, "a kite").await?;
            has_the_file(&world, &output)
        })
        .await
}

async fn says_what_is_lost(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.in_namespace().await?;
    let window = |account: &mut Account| {
        account.windows.query_window = Duration::from_secs(20);
        account.windows.margin = Duration::from_secs(2);
    };
    let world = world(World::with(&server, |it| it, window).await?);
    world
        .with_worker(&server, async {
            let prompt = "a kite --simulate running=3600";
            let output = create_to_archive(&server, &world, NOBODY, prompt).await?;
            has_failed(&output, "lost query_window_closed: ")?;
            let lines = String::from_utf8_lossy(&output.stdout).lines().count();
            ensure!(lines == 1, "{}", describe(&output));
            ensure!(
                !String::from_utf8_lossy(&output.stderr).contains("Traceback"),
                "{}",
                describe(&output)
            );
            Ok(())
        })
        .await
}

const TOKEN: &str = "a-token-of-32-characters-1234567";
/// An ingress that no callback reaches.
const NOBODY: &str = "http://127.0.0.1:1";

async fn create_to_archive(
    server: &Server,
    world: &World,
    ingress: &str,
    prompt: &str,
) -> anyhow::Result<Output> {
    let script = "examples/create_to_archive/create_to_archive.py";
    let mut command = Command::new(tools::installed("examples/python/bin/python"));
    command
        .arg(tools::in_repository(script))
        .arg(prompt)
        .env("SEEDANCE_BASE_URL", world.simulator.base_url())
        .env("SEEDANCE_API_KEY", world.simulator.api_key())
        .env("SEEDANCE_INGRESS_URL", ingress)
        .env("SEEDANCE_CALLBACK_TOKEN", TOKEN);
    finish(server, command).await
}

/// The path that it printed is that of the video that was made.
fn has_the_file(world: &World, output: &Output) -> anyhow::Result<()> {
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
