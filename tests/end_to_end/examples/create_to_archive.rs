//! The Python example that creates a task and waits until its video is archived.

use std::{process::Output, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver::config::{Account, Callbacks, Secret};
use tokio::process::Command;

use super::process::{self, assert_failed, describe, last_line, on_default_task_queue};
use crate::harness::{Fixture, Server, register, tools, until};

const CALLBACK_TOKEN: &str = "a-token-of-32-characters-1234567";
/// The URL of an ingress that no callback reaches.
const UNREACHABLE_INGRESS: &str = "http://127.0.0.1:1";

/// Without callbacks the next poll would be an hour later.
async fn archives_on_callbacks_without_polling(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let hour = Duration::from_secs(3600);
    let with_callbacks = |account: &mut Account| {
        account.schedule.min_interval = hour;
        account.schedule.max_interval = hour;
        account.callbacks = Some(Callbacks {
            token: Secret::from(CALLBACK_TOKEN.to_owned()),
            start_lifecycles: true,
            url: None,
        });
    };
    let fixture = Fixture::with_account(&server, with_callbacks).await?;
    let mut fixture = on_default_task_queue(fixture);
    fixture.config.ingress_address = Some(([127, 0, 0, 1], 0).into());
    let worker = fixture.worker(&server).await?;
    let address = worker
        .ingress_address()
        .context("the worker has no ingress")?;
    worker
        .run_during(async {
            let ingress = format!("http://{address}");
            let prompt = "a kite --simulate queued=3,running=2";
            let output = run(&server, &fixture, &ingress, prompt).await?;
            assert_video_path_printed(&fixture, &output)
        })
        .await?
}
register!(
    archives_on_callbacks_without_polling,
    needs = [python_example]
);

async fn archives_without_callbacks(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = on_default_task_queue(Fixture::new(&server).await?);
    fixture
        .with_worker(&server, async {
            let output = run(&server, &fixture, UNREACHABLE_INGRESS, "a kite").await?;
            assert_video_path_printed(&fixture, &output)
        })
        .await
}
register!(archives_without_callbacks, needs = [python_example]);

async fn prints_why_a_video_is_lost(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = on_default_task_queue(Fixture::new(&server).await?);
    fixture
        .with_worker(&server, async {
            let prompt = "a kite --simulate running=2592000";
            let example = run(&server, &fixture, UNREACHABLE_INGRESS, prompt);
            let close_window = async {
                until("the task was created", || {
                    !fixture.simulator.task_ids().is_empty()
                })
                .await?;
                let id = fixture.simulator.task_ids().remove(0);
                // The API does not return a task in the second of its creation.
                until("the task was returned", || {
                    fixture.simulator.was_returned(&id)
                })
                .await?;
                fixture.polled(&id, 1).await?;
                fixture.close_query_window().await;
                Ok(())
            };
            let (output, ()) = tokio::try_join!(example, close_window)?;
            assert_failed(&output, "lost query_window_closed: ")?;
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
register!(prints_why_a_video_is_lost, needs = [python_example]);

async fn run(
    server: &Server,
    fixture: &Fixture,
    ingress: &str,
    prompt: &str,
) -> anyhow::Result<Output> {
    let script = "examples/create_to_archive/create_to_archive.py";
    let mut command = Command::new(tools::python_example()?);
    command
        .arg(tools::in_repository(script))
        .arg(prompt)
        .env("SEEDANCE_BASE_URL", fixture.simulator.base_url())
        .env("SEEDANCE_API_KEY", fixture.simulator.api_key())
        .env("SEEDANCE_INGRESS_URL", ingress)
        .env("SEEDANCE_CALLBACK_TOKEN", CALLBACK_TOKEN);
    process::run(server, command).await
}

/// Checks that the example printed the path of the video that the simulator made.
fn assert_video_path_printed(fixture: &Fixture, output: &Output) -> anyhow::Result<()> {
    ensure!(output.status.success(), "{}", describe(output));
    let path = last_line(output)?;
    let video = std::fs::read(&path).with_context(|| path.clone())?;
    let id = path.rsplit('/').nth(1).context("no task id in the path")?;
    let source = fixture.simulator.source(id).context("no source")?.bytes();
    ensure!(
        video == source,
        "{path} differs from the video that the simulator made"
    );
    Ok(())
}
