//! `demo`, `archive` and `worker`, run as processes.

use std::{
    net::TcpStream,
    process::{Output, Stdio},
    sync::Arc,
};

use anyhow::{Context, ensure};
use rustix::process::Signal;
use seedance_archiver_simulator::{Ending, Script};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStderr},
};

use crate::harness::{Fixture, Server, command, read_local, register, send_signal, until};

async fn demo_shows_every_terminal_status(_: Arc<Server>) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let output = command()
        .args(["demo", "--output", "json"])
        .current_dir(&directory)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    ensure!(output.status.success(), "{}", describe(&output));
    let report: Value = serde_json::from_slice(&output.stdout).context("stdout is not JSON")?;
    let videos = report["videos"].as_array().context("no videos")?;
    ensure!(videos.len() == 8, "{report:#}");
    for (status, outcome, count) in [
        ("succeeded", "archived", 5),
        ("failed", "unsuccessful", 1),
        ("cancelled", "unsuccessful", 1),
        ("expired", "unsuccessful", 1),
    ] {
        let matches = |video: &&Value| video["status"] == status && video["outcome"] == outcome;
        let found = videos.iter().filter(matches).count();
        ensure!(
            found == count,
            "{found} tasks are {status} and {outcome}: {report:#}"
        );
    }
    let archive = report["archive_url"].as_str().context("no archive_url")?;
    for video in videos.iter().filter(|video| video["outcome"] == "archived") {
        let manifest = video["manifest_url"].as_str().context("no manifest_url")?;
        ensure!(
            manifest.starts_with(archive),
            "{manifest} is not in {archive}"
        );
        let manifest: Value = serde_json::from_slice(&read_local(manifest)?)?;
        ensure!(
            manifest["objects"][0]["sha256"] == video["sha256"],
            "{video:#}"
        );
        ensure!(
            manifest["objects"][0]["size_bytes"] == video["bytes"],
            "{video:#}"
        );
        // On a busy machine, a task may have finished before its first poll.
        ensure!(
            video["polls"].as_u64().is_some_and(|polls| polls > 0),
            "{video:#}"
        );
    }
    let has_history = |video: &Value| {
        video["history_events"]
            .as_u64()
            .is_some_and(|events| events > 0)
    };
    ensure!(videos.iter().all(has_history), "{report:#}");
    let ui = report["ui_url"].as_str().context("no ui_url")?;
    ensure!(!is_listening(ui), "the Web UI is still running at {ui}");
    Ok(())
}
register!(demo_shows_every_terminal_status, takes_long);

async fn ctrl_c_stops_demo_and_its_temporal_server(_: Arc<Server>) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let mut demo = command()
        .args(["demo", "--stay"])
        .current_dir(&directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut stderr = BufReader::new(demo.stderr.take().context("no stderr")?);
    let ui = line_after(&mut stderr, "Temporal UI: ").await?;
    until("the Web UI is running", || is_listening(&ui)).await?;
    line_after(&mut stderr, "cgt-").await?;

    interrupt(&demo)?;
    let status = demo.wait().await?;
    ensure!(status.code() == Some(130), "{status}");
    ensure!(!is_listening(&ui), "the Web UI is still running at {ui}");
    Ok(())
}
register!(ctrl_c_stops_demo_and_its_temporal_server);

async fn archive_uses_a_running_temporal_server_and_worker(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let video = fixture.simulator.create(Script::default());
    let failed = fixture.simulator.create(Script {
        ending: Ending::Failed,
        ..Script::default()
    });
    let archive = |ids: Vec<String>| {
        command()
            .arg("archive")
            .args(ids)
            .args(["--output", "json"])
            .envs(server.environment())
            .env("TEMPORAL_TASK_QUEUE", &fixture.config.task_queue)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
    };
    let (all, one) = fixture
        .with_worker(&server, async {
            let all = archive(vec![video.clone(), failed]).await?;
            Ok((all, archive(vec![video.clone()]).await?))
        })
        .await?;
    ensure!(all.status.code() == Some(1), "{}", describe(&all));
    ensure!(one.status.success(), "{}", describe(&one));
    let report: Value = serde_json::from_slice(&all.stdout)?;
    ensure!(report["videos"][0]["outcome"] == "archived", "{report:#}");
    ensure!(
        report["videos"][1]["outcome"] == "unsuccessful",
        "{report:#}"
    );
    let again: Value = serde_json::from_slice(&one.stdout)?;
    ensure!(
        again["videos"][0]["sha256"] == report["videos"][0]["sha256"],
        "{again:#}"
    );
    ensure!(
        fixture.simulator.stats(&video).downloads == 1,
        "the video was downloaded again"
    );
    Ok(())
}
register!(archive_uses_a_running_temporal_server_and_worker);

async fn archive_dev_needs_only_an_api_key(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let directory = tempfile::tempdir()?;
    let output = command()
        .args(["archive", "--dev", &id])
        .env("SEEDANCE_BASE_URL", fixture.simulator.base_url())
        .env("SEEDANCE_API_KEY", fixture.simulator.api_key())
        .current_dir(&directory)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    ensure!(output.status.success(), "{}", describe(&output));
    let table = String::from_utf8_lossy(&output.stdout);
    let row = table.lines().find(|line| line.contains(&id));
    let row = row.with_context(|| format!("no row for {id} in: {table}"))?;
    let name = row.split_whitespace().last().context("no directory")?;
    let task_directory = directory.path().join("seedance-archive").join(name);
    ensure!(
        task_directory.join("manifest.json").is_file(),
        "no receipt in {task_directory:?}"
    );
    ensure!(
        !describe(&output).contains("X-Tos"),
        "a signed URL was printed"
    );
    Ok(())
}
register!(archive_dev_needs_only_an_api_key);

async fn an_invalid_configuration_is_reported_at_startup(_: Arc<Server>) -> anyhow::Result<()> {
    let output = command()
        .arg("worker")
        .env("SEEDANCE_BASE_URL", "here")
        .output()
        .await?;
    ensure!(output.status.code() == Some(78), "{}", describe(&output));
    let stderr = String::from_utf8_lossy(&output.stderr);
    for name in [
        "SEEDANCE_API_KEY",
        "SEEDANCE_BASE_URL",
        "SEEDANCE_ARCHIVE_URL",
    ] {
        ensure!(stderr.contains(name), "no {name} in {stderr}");
    }
    Ok(())
}
register!(an_invalid_configuration_is_reported_at_startup);

async fn an_invalid_task_id_is_rejected_before_anything_starts(
    _: Arc<Server>,
) -> anyhow::Result<()> {
    let output = command()
        .args(["archive", "--dev", "a/b"])
        .env("SEEDANCE_TEMPORAL_CLI", "/nowhere/temporal")
        .output()
        .await?;
    ensure!(output.status.code() == Some(1), "{}", describe(&output));
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(stderr.contains("`task_id` contains a slash"), "{stderr}");
    Ok(())
}
register!(an_invalid_task_id_is_rejected_before_anything_starts);

async fn archive_dev_rejects_an_unknown_account_before_anything_starts(
    _: Arc<Server>,
) -> anyhow::Result<()> {
    let output = command()
        .args(["archive", "--dev", "--account", "typo", "cgt-1"])
        .env("SEEDANCE_API_KEY", "key")
        .env("SEEDANCE_TEMPORAL_CLI", "/nowhere/temporal")
        .output()
        .await?;
    ensure!(output.status.code() == Some(1), "{}", describe(&output));
    let stderr = String::from_utf8_lossy(&output.stderr);
    for part in ["typo", "which this worker does not serve"] {
        ensure!(stderr.contains(part), "no {part:?} in {stderr}");
    }
    Ok(())
}
register!(archive_dev_rejects_an_unknown_account_before_anything_starts);

pub(crate) fn describe(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    format!("{}: {text}", output.status)
}

/// Reads up to the first line with this beginning, and returns the rest of that line.
pub(crate) async fn line_after(
    lines: &mut BufReader<ChildStderr>,
    beginning: &str,
) -> anyhow::Result<String> {
    let mut line = String::new();
    loop {
        line.clear();
        let read = lines.read_line(&mut line).await?;
        ensure!(
            read > 0,
            "the process exited before it printed {beginning:?}"
        );
        if let Some(rest) = line.strip_prefix(beginning) {
            return Ok(rest.trim().to_owned());
        }
    }
}

/// Sends SIGINT, as Ctrl-C does.
pub(crate) fn interrupt(child: &Child) -> anyhow::Result<()> {
    send_signal(child, Signal::INT)
}

fn is_listening(url: &str) -> bool {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    TcpStream::connect(address).is_ok()
}
