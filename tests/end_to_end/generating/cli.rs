//! `generate`, run as a process. Prompts are unique, because the default submission id follows from the request.

mod dev;
mod failures;

use std::{
    process::{Output, Stdio},
    sync::Arc,
};

use anyhow::{Context, bail, ensure};
use seedance_archiver_proto::{names, v1::Manifest};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    process::Command,
};

use super::call::{latest, result};
use crate::{
    command_line::{describe, interrupt, line_after},
    harness::{Fixture, HOUR, Server, command, read_local, register},
};

const MODEL: &str = "seedance-1-0-pro";

/// Returns the arguments of a submission with a prompt.
fn a_kite(submission_id: &str) -> [&str; 6] {
    let [model, prompt, id] = ["--model", "--prompt", "--submission-id"];
    [model, MODEL, prompt, "a kite", id, submission_id]
}

/// Returns the command with these arguments.
fn generate(server: &Server, fixture: &Fixture, arguments: &[&str]) -> Command {
    let mut command = command();
    command
        .arg("generate")
        .args(arguments)
        .envs(server.environment())
        .env("TEMPORAL_TASK_QUEUE", &fixture.config.task_queue)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs a command with a text on its standard input.
async fn run_with_stdin(command: &mut Command, text: &str) -> anyhow::Result<Output> {
    let mut child = command.stdin(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().context("no stdin")?;
    stdin.write_all(text.as_bytes()).await?;
    drop(stdin);
    Ok(child.wait_with_output().await?)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Returns the one task that was created.
fn only_task(fixture: &Fixture) -> anyhow::Result<String> {
    match fixture.simulator.task_ids().as_slice() {
        [id] => Ok(id.clone()),
        ids => bail!("not one task: {ids:?}"),
    }
}

async fn a_prompt_leads_to_an_archived_video(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let prompt = server.unique_name("kite");
    let arguments = ["--model", MODEL, "--prompt", &prompt, "--output", "json"];
    let output = fixture
        .with_worker(&server, async {
            Ok(generate(&server, &fixture, &arguments).output().await?)
        })
        .await?;
    ensure!(output.status.success(), "{}", describe(&output));
    let id = only_task(&fixture)?;
    let content = fixture.simulator.request_field(&id, "content");
    ensure!(content == Some(json!([{"type": "text", "text": prompt}])));

    let document: Value = serde_json::from_slice(&output.stdout)?;
    ensure!(document["learned_from"] == "answer", "{document:#}");
    ensure!(document["videos"][0]["task_id"] == id, "{document:#}");
    ensure!(
        document["videos"][0]["outcome"] == "archived",
        "{document:#}"
    );
    let url = document["videos"][0]["manifest_url"].as_str();
    let manifest: Manifest = serde_json::from_slice(&read_local(url.unwrap_or_default())?)?;
    fixture.assert_archived(&id, &manifest)?;

    let submission = document["submission_id"].as_str().context("no id")?;
    let progress = stderr(&output);
    for line in [
        format!("Submission: {submission}"),
        format!("{id}  archived"),
    ] {
        ensure!(progress.lines().any(|it| it == line), "{progress}");
    }
    ensure!(!progress.contains(&prompt), "the prompt is in {progress}");
    Ok(())
}
register!(a_prompt_leads_to_an_archived_video);

/// The default submission id follows from the request, however it is formatted.
async fn the_same_request_is_paid_for_once(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let directory = tempfile::tempdir()?;
    let prompt = server.unique_name("kite");
    let body = json!({
        "model": MODEL,
        "content": [{"type": "text", "text": prompt}],
        "of_the_future": {"seed": 7},
    });
    std::fs::write(directory.path().join("request.json"), body.to_string())?;
    let reordered = format!(
        "\u{feff}{{\"of_the_future\": {{\"seed\": 7}}, \"model\": \"{MODEL}\",\n\
         \"content\": [{{\"text\": \"{prompt}\", \"type\": \"text\"}}]}}\n"
    );
    let outputs = fixture
        .with_worker(&server, async {
            let mut first = generate(&server, &fixture, &["request.json"]);
            let first = first.current_dir(&directory).output().await?;
            let mut second = generate(&server, &fixture, &["-"]);
            Ok([first, run_with_stdin(&mut second, &reordered).await?])
        })
        .await?;
    let id = only_task(&fixture)?;
    let field = fixture.simulator.request_field(&id, "of_the_future");
    ensure!(field == Some(json!({"seed": 7})), "{field:?}");
    for output in &outputs {
        ensure!(output.status.success(), "{}", describe(output));
        let table = String::from_utf8_lossy(&output.stdout);
        let row = table.lines().find(|line| line.contains(&id));
        ensure!(row.is_some_and(|row| row.contains("archived")), "{table}");
    }
    let [first, second] = outputs.map(|output| stderr(&output));
    ensure!(!first.contains("sent before"), "{first}");
    ensure!(second.contains(", sent before; no second task"), "{second}");
    Ok(())
}
register!(the_same_request_is_paid_for_once);

async fn a_submission_id_is_paid_for_once_and_another_one_again(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let [order, other] = ["order", "other"].map(|name| server.unique_name(name));
    let (fixture, server) = (&fixture, &server);
    let run = async |id: &str| {
        let arguments = a_kite(id);
        let output = generate(server, fixture, &arguments).output().await?;
        ensure!(output.status.success(), "{}", describe(&output));
        Ok(fixture.simulator.task_ids().len())
    };
    let tasks = fixture.with_worker(server, async {
        Ok([run(&order).await?, run(&order).await?, run(&other).await?])
    });
    let tasks = tasks.await?;
    ensure!(tasks == [1, 1, 2], "{tasks:?}");
    Ok(())
}
register!(a_submission_id_is_paid_for_once_and_another_one_again);

async fn an_interrupted_command_can_be_repeated(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let prompt = format!("{} --simulate running=3600", server.unique_name("kite"));
    let arguments = ["--model", MODEL, "--prompt", &prompt];
    let output = fixture
        .with_worker(&server, async {
            let mut first = generate(&server, &fixture, &arguments).spawn()?;
            let mut lines = BufReader::new(first.stderr.take().context("no stderr")?);
            line_after(&mut lines, "cgt-").await?;
            interrupt(&first)?;
            let status = first.wait().await?;
            ensure!(status.code() == Some(130), "{status}");
            let mut rest = String::new();
            lines.read_to_string(&mut rest).await?;
            ensure!(rest.contains("run the same command again"), "{rest}");
            fixture.advance_clock(HOUR).await;
            Ok(generate(&server, &fixture, &arguments).output().await?)
        })
        .await?;
    ensure!(output.status.success(), "{}", describe(&output));
    only_task(&fixture)?;
    Ok(())
}
register!(an_interrupted_command_can_be_repeated);

async fn detached_it_starts_the_workflow_and_exits(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = server.unique_name("order");
    let arguments = [
        "--model",
        MODEL,
        "--prompt",
        "a kite",
        "--submission-id",
        &id,
        "--detach",
    ];
    // No worker runs.
    let text = generate(&server, &fixture, &arguments).output().await?;
    ensure!(text.status.success(), "{}", describe(&text));
    let workflow_id = names::generate_workflow_id("", &id);
    let line = String::from_utf8_lossy(&text.stdout).into_owned();
    ensure!(line == format!("{id}  {workflow_id}\n"), "{line}");
    let mut json = generate(&server, &fixture, &arguments);
    let json = json.args(["--output", "json"]).output().await?;
    let started: Value = serde_json::from_slice(&json.stdout)?;
    ensure!(started["submission_id"] == id, "{started}");
    ensure!(started["workflow_id"] == workflow_id, "{started}");
    let ended = async { result(&latest(&server, &workflow_id)).await };
    let ended = fixture.with_worker(&server, ended).await?;
    ensure!(ended.outcome == "archived", "{ended:?}");
    ensure!(ended.task_id == only_task(&fixture)?, "{ended:?}");
    Ok(())
}
register!(detached_it_starts_the_workflow_and_exits);
