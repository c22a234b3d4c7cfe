//! What `generate` prints if there is no video.

use std::sync::Arc;

use anyhow::{Context, ensure};
use seedance_archiver_proto::names;
use seedance_archiver_simulator::CreateFault;
use serde_json::{Value, json};

use super::{MODEL, a_kite, generate, only_task, stderr};
use crate::{
    command_line::describe,
    generating::{call::latest, lost_answers::until_unanswered},
    harness::{Fixture, HOUR, Server, register, until},
};

async fn a_rejected_request_is_an_error_and_may_be_repeated(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let overdue = [Some(CreateFault::Overdue), Some(CreateFault::Overdue)];
    fixture.simulator.add_create_faults(overdue);
    let prompt = server.unique_name("kite");
    let arguments = ["--model", MODEL, "--prompt", &prompt];
    let json = ["--model", MODEL, "--prompt", &prompt, "--output", "json"];
    let [text, json, again] = fixture
        .with_worker(&server, async {
            Ok([
                generate(&server, &fixture, &arguments).output().await?,
                generate(&server, &fixture, &json).output().await?,
                generate(&server, &fixture, &arguments).output().await?,
            ])
        })
        .await?;
    for output in [&text, &json] {
        ensure!(output.status.code() == Some(1), "{}", describe(output));
        let stderr = stderr(output);
        let error = stderr.lines().find(|line| line.starts_with("error: "));
        let error = error.with_context(|| stderr.clone())?;
        for part in [
            "error: the service rejected the request: ",
            "AccountOverdueError",
            "; no task was created",
        ] {
            ensure!(error.contains(part), "no {part} in {error}");
        }
        ensure!(!stderr.contains(&prompt), "{stderr}");
    }
    ensure!(text.stdout.is_empty(), "{text:?}");
    let document: Value = serde_json::from_slice(&json.stdout)?;
    let message = document["videos"][0]["message"].as_str();
    let has_code = message.is_some_and(|it| it.contains("AccountOverdueError"));
    ensure!(has_code, "{document:#}");
    ensure!(again.status.success(), "{}", describe(&again));
    only_task(&fixture)?;
    Ok(())
}
register!(a_rejected_request_is_an_error_and_may_be_repeated);

/// One of two submissions has a task, and the list cannot tell which.
async fn an_ambiguous_submission_names_its_candidates(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let faults = [CreateFault::LostAnswer, CreateFault::LostRequest];
    fixture.simulator.add_create_faults(faults.map(Some));
    let [text, json] = fixture
        .with_worker(&server, async {
            for id in ["order-7", "order-8"] {
                let mut detached = generate(&server, &fixture, &a_kite(id));
                let output = detached.arg("--detach").output().await?;
                ensure!(output.status.success(), "{}", describe(&output));
            }
            for id in ["order-7", "order-8"] {
                let workflow_id = names::generate_workflow_id("", id);
                until_unanswered(&latest(&server, &workflow_id)).await?;
            }
            fixture.advance_clock(HOUR).await;
            let mut json = generate(&server, &fixture, &a_kite("order-8"));
            Ok([
                generate(&server, &fixture, &a_kite("order-7"))
                    .output()
                    .await?,
                json.args(["--output", "json"]).output().await?,
            ])
        })
        .await?;
    let task = only_task(&fixture)?;
    for output in [&text, &json] {
        ensure!(output.status.code() == Some(1), "{}", describe(output));
        let stderr = stderr(output);
        for part in [
            "It is not known whether the request created a task: ".to_owned(),
            format!("Candidates: {task}\n"),
            format!("\n  seedance-archiver archive {task}\n"),
            "another --submission-id".to_owned(),
        ] {
            ensure!(stderr.contains(&part), "no {part:?} in {stderr}");
        }
    }
    ensure!(text.stdout.is_empty(), "{text:?}");
    let document: Value = serde_json::from_slice(&json.stdout)?;
    ensure!(document["candidates"] == json!([task]), "{document:#}");
    let reason = &document["videos"][0]["reason"];
    ensure!(*reason == "submission_ambiguous", "{document:#}");
    Ok(())
}
register!(an_ambiguous_submission_names_its_candidates);

/// The request was lost, or its task is not in the list.
async fn an_ambiguous_submission_may_have_no_candidates(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let lost = [Some(CreateFault::LostRequest)];
    fixture.simulator.add_create_faults(lost);
    let arguments = a_kite("order-7");
    let output = fixture
        .with_worker(&server, async {
            let mut detached = generate(&server, &fixture, &arguments);
            let started = detached.arg("--detach").output().await?;
            ensure!(started.status.success(), "{}", describe(&started));
            let workflow_id = names::generate_workflow_id("", "order-7");
            until_unanswered(&latest(&server, &workflow_id)).await?;
            fixture.advance_clock(HOUR).await;
            Ok(generate(&server, &fixture, &arguments).output().await?)
        })
        .await?;
    ensure!(output.status.code() == Some(1), "{}", describe(&output));
    let stderr = stderr(&output);
    ensure!(stderr.contains("\nCandidates: none. "), "{stderr}");
    ensure!(!stderr.contains("seedance-archiver archive"), "{stderr}");
    ensure!(fixture.simulator.task_ids().is_empty());
    Ok(())
}
register!(an_ambiguous_submission_may_have_no_candidates);

async fn a_lost_video_is_shown_with_its_reason(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let prompt = format!("{} --simulate running=2592000", server.unique_name("kite"));
    let arguments = ["--model", MODEL, "--prompt", &prompt, "--output", "json"];
    let output = fixture
        .with_worker(&server, async {
            let command = generate(&server, &fixture, &arguments).spawn()?;
            until("the task was created", || {
                !fixture.simulator.task_ids().is_empty()
            })
            .await?;
            let id = only_task(&fixture)?;
            until("the task was returned", || {
                fixture.simulator.was_returned(&id)
            })
            .await?;
            fixture.polled(&id, 1).await?;
            fixture.close_query_window().await;
            Ok(command.wait_with_output().await?)
        })
        .await?;
    ensure!(output.status.code() == Some(1), "{}", describe(&output));
    let document: Value = serde_json::from_slice(&output.stdout)?;
    ensure!(document["videos"][0]["outcome"] == "lost", "{document:#}");
    let reason = &document["videos"][0]["reason"];
    ensure!(*reason == "query_window_closed", "{document:#}");
    Ok(())
}
register!(a_lost_video_is_shown_with_its_reason);

async fn an_invalid_request_is_reported_before_anything_starts(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let directory = tempfile::tempdir()?;
    for (name, text) in [
        ("cut.json", "{\"model\": \"m\", \"prompt\": \"a secret kite"),
        ("no-model.json", "{\"content\": [{}]}"),
        ("empty.json", "\n"),
        ("valid.json", "{\"model\": \"m\", \"content\": [{}]}"),
    ] {
        std::fs::write(directory.path().join(name), text)?;
    }
    let cases: [(&[&str], i32, &str); _] = [
        (
            &["cut.json"],
            1,
            "error: `cut.json` is not JSON, at line 1, column ",
        ),
        (
            &["no-model.json"],
            1,
            "error: `no-model.json`: `model` is missing; ",
        ),
        (&["empty.json"], 1, "error: `empty.json` is empty; "),
        (&["-"], 1, "error: standard input is empty; "),
        (
            &["none.json"],
            1,
            "error: cannot read the request from `none.json`: No such file or directory",
        ),
        (
            &["valid.json", "--submission-id", "a/b"],
            1,
            "error: --submission-id may contain only letters, ",
        ),
        (&["valid.json", "--account", "a/b"], 1, "error: --account "),
        (
            &["valid.json", "--destination", "here"],
            1,
            "error: --destination ",
        ),
        (&["--model", "m"], 2, "--prompt <TEXT>"),
        (&["--prompt", "p"], 2, "--model <MODEL>"),
        (&["valid.json", "--prompt", "p"], 2, "cannot be used with"),
        (
            &["valid.json", "--dev", "--submission-id", "a"],
            2,
            "cannot be used with",
        ),
        (&[], 2, "<FILE>"),
    ];
    for (arguments, code, problem) in cases {
        let mut command = generate(&server, &fixture, arguments);
        let command = command.current_dir(&directory);
        // Nothing is there.
        let output = command
            .env("TEMPORAL_ADDRESS", "127.0.0.1:1")
            .output()
            .await?;
        let stderr = stderr(&output);
        ensure!(
            output.status.code() == Some(code),
            "{arguments:?}: {stderr}"
        );
        ensure!(stderr.contains(problem), "{arguments:?}: {stderr}");
        ensure!(!stderr.contains("secret"), "{arguments:?}: {stderr}");
    }
    Ok(())
}
register!(an_invalid_request_is_reported_before_anything_starts);
