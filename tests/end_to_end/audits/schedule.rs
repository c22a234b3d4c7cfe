//! The command `audit`, which creates, shows and deletes the schedule of an archive.

use std::{cell::RefCell, process::Output, sync::Arc};

use anyhow::ensure;
use seedance_archiver_proto::names;
use serde_json::{Value, json};
use temporalio_client::schedules::ScheduleOverlapPolicy;

use super::{document, write_videos};
use crate::harness::{
    Fixture, Server, command, register, restartable_server::RestartableServer, until_async,
};

async fn run(fixture: &Fixture, server: &Server, arguments: &[&str]) -> anyhow::Result<Output> {
    let output = command()
        .arg("audit")
        .args(arguments)
        .envs(server.environment())
        .env("TEMPORAL_TASK_QUEUE", &fixture.config.task_queue)
        .kill_on_drop(true)
        .output();
    Ok(output.await?)
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Uses its own Temporal server: on one with many namespaces, schedules of a new namespace may start nothing for minutes.
async fn a_schedule_audits_until_it_is_deleted(_: Arc<Server>) -> anyhow::Result<()> {
    let temporal = RestartableServer::start().await?;
    let server = Server::new(temporal.client().await?, temporal.address.clone(), None)?;
    let fixture = Fixture::new(&server).await?;
    let tasks = write_videos(&fixture, 12)?;
    let run = |arguments: &'static [&'static str]| run(&fixture, &server, arguments);

    let none = run(&[]).await?;
    ensure!(none.status.code() == Some(1), "{none:?}");
    ensure!(
        stderr(&none).contains("there is no schedule `audit-archive/default`"),
        "{none:?}"
    );
    let created = run(&["--every", "1d", "--share", "1/2"]).await?;
    let expected = "schedule audit-archive/default created: verifies 1/2 of the archive every 24h, all of it within 48h\n";
    ensure!(stdout(&created) == expected, "{created:?}");
    ensure!(
        stderr(&created).contains("seedance-archiver audit --off"),
        "{created:?}"
    );
    let same = run(&["--every", "1d", "--share", "1/2", "--output", "json"]).await?;
    let expected = json!({
        "schedule_id": "audit-archive/default", "every_seconds": 86_400, "share": "1/2", "done": "unchanged"
    });
    ensure!(document(&same)? == expected, "{same:?}");

    let first = fixture
        .with_worker(&server, ended_audit(&fixture, &server, &Value::Null))
        .await?;
    ensure!(
        first["running"] == Value::Null && first["share"] == "1/2",
        "{first}"
    );
    ensure!(
        first["next_at"].as_i64() > first["last"]["ended_at"].as_i64(),
        "{first}"
    );
    let report = &first["last"]["report"];
    ensure!(
        first["last"]["status"] == "completed" && report["finding_counts"] == Value::Null,
        "{first}"
    );
    let shown = run(&[]).await?;
    ensure!(shown.status.success(), "{shown:?}");
    let text = stdout(&shown);
    for part in [
        "schedule audit-archive/default: 1/2 of the archive every 24h, next at 20",
        "last audit: completed at ",
        "; no findings\na part of the archive was not verified yet\nreport: file://",
    ] {
        ensure!(text.contains(part), "no {part:?} in {text}");
    }

    for task in &tasks {
        std::fs::remove_file(fixture.video(task))?;
    }
    let updated = run(&["--every", "2d", "--share", "1", "--output", "json"]).await?;
    ensure!(document(&updated)?["done"] == "updated", "{updated:?}");
    let schedule = server
        .client
        .get_schedule_handle(names::audit_schedule_id(""));
    // The schedule may not have noticed yet that the first audit has ended, and would skip this one.
    schedule
        .trigger(ScheduleOverlapPolicy::AllowAll, Default::default())
        .await?;
    let second = fixture
        .with_worker(&server, ended_audit(&fixture, &server, &first["last"]))
        .await?;
    let report = &second["last"]["report"];
    ensure!(
        report["finding_counts"] == json!({"missing": 12}),
        "{second}"
    );
    ensure!(
        report["receipts"] == 12 && second["every_seconds"] == 172_800,
        "{second}"
    );
    let shown = run(&[]).await?;
    ensure!(shown.status.code() == Some(1), "{shown:?}");
    let text = stdout(&shown);
    ensure!(text.contains("; findings: 12 missing\n"), "{text}");
    ensure!(
        text.contains(&format!(
            "  {}/manifest.json: video.mp4 is missing\n",
            tasks[0]
        )),
        "{text}"
    );
    ensure!(
        text.contains("all of the archive was verified since 20"),
        "{text}"
    );

    for (expected, is_deleted) in [("deleted", true), ("missing", false)] {
        let off = run(&["--off", "--output", "json"]).await?;
        ensure!(document(&off)?["done"] == expected, "{off:?}");
        ensure!(off.status.success(), "deleted: {is_deleted}: {off:?}");
    }
    let none = run(&["--output", "json"]).await?;
    ensure!(none.status.code() == Some(1), "{none:?}");
    Ok(())
}
register!(a_schedule_audits_until_it_is_deleted);

/// Waits until an audit other than `before` has ended, and returns the document of `audit`. Audits that were triggered in the
/// same second have the same workflow id.
async fn ended_audit(fixture: &Fixture, server: &Server, before: &Value) -> anyhow::Result<Value> {
    let last = RefCell::new(Value::Null);
    until_async("an audit has ended", || async {
        let shown = run(fixture, server, &["--output", "json"]).await?;
        // A busy server does not answer in time.
        let Ok(status) = document(&shown) else {
            return Ok(false);
        };
        let has_ended = !status["last"].is_null() && status["last"] != *before;
        last.replace(status);
        Ok(has_ended)
    })
    .await?;
    Ok(last.into_inner())
}

async fn a_paused_schedule_stays_paused(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let url = fixture.config.archive_url.as_str();
    let run = async |arguments: &[&str]| {
        let arguments = [arguments, &["--destination", url]].concat();
        run(&fixture, &server, &arguments).await
    };
    run(&["--every", "1h"]).await?;
    let id = names::audit_schedule_id(url);
    let schedule = server.client.get_schedule_handle(id.as_str());
    schedule.pause(None::<&str>, Default::default()).await?;
    let updated = run(&["--every", "3h"]).await?;
    let expected = format!(
        "schedule {id} updated: verifies 1/30 of the archive every 3h, all of it within 90h\n"
    );
    ensure!(stdout(&updated) == expected, "{updated:?}");
    let shown = run(&[]).await?;
    let expected = format!("schedule {id}: 1/30 of the archive every 3h, paused\n");
    ensure!(stdout(&shown).starts_with(&expected), "{shown:?}");
    let off = run(&["--off"]).await?;
    ensure!(off.status.success(), "{off:?}");
    Ok(())
}
register!(a_paused_schedule_stays_paused);

async fn invalid_arguments_are_rejected(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    for (arguments, flag, problem) in [
        (
            &["--every", "1d", "--share", "0"][..],
            "--share",
            "must be a fraction",
        ),
        (
            &["--every", "1d", "--share", "2"],
            "--share",
            "from `1/1000` to `1`",
        ),
        (
            &["--every", "1d", "--share", "0.1"],
            "--share",
            "such as `1/30`",
        ),
        (
            &["--every", "1d", "--share", "1/5000"],
            "--share",
            "must be a fraction",
        ),
        (&["--every", "1d", "--share", "-1/2"], "--share", ""),
        (&["--every", "5m"], "--every", "must be at least 1h"),
        (&["--every", "soon"], "--every", "must be a duration"),
        (
            &["--every", "3600.5s"],
            "--every",
            "whole number of seconds",
        ),
        (&["--share", "1/2"], "--every", "required"),
        (&["--off", "--every", "1d"], "--off", "cannot be used with"),
        (
            &["--destination", "https://a.example/x"],
            "--destination",
            "must be an archive URL",
        ),
    ] {
        let output = run(&fixture, &server, arguments).await?;
        ensure!(output.status.code() == Some(2), "{arguments:?}: {output:?}");
        let error = stderr(&output);
        ensure!(
            error.contains(flag) && error.contains(problem),
            "{arguments:?}: {error}"
        );
    }
    Ok(())
}
register!(invalid_arguments_are_rejected);
