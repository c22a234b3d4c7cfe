//! `archive` with many tasks, whose ids are read from standard input.

use std::{
    process::{Output, Stdio},
    sync::Arc,
};

use anyhow::{Context, ensure};
use rustix::process::Signal;
use seedance_archiver_simulator::{Ending, Script};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::Child,
};

use crate::harness::{
    Fixture, HOUR, Server, command, register, send_signal, tcp_proxy::TcpProxy, until, until_async,
};

/// Number of tasks: too many for a progress bar each.
const TASKS: usize = 30;

async fn task_ids_are_read_from_standard_input(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let mut ids = create(&fixture, TASKS);
    let failed = fixture.simulator.create(Script {
        ending: Ending::Failed,
        ..Script::default()
    });
    ids.push(failed.clone());
    let list = format!("# today\n\n{}\r\n{}\n", ids.join("\n"), ids[0]);
    fixture
        .with_worker(&server, async {
            let output =
                finish(archive(&server, &fixture, &["--output", "json"], &list).await?).await?;
            ensure!(output.status.code() == Some(1), "{output:?}");
            let report: Value = serde_json::from_slice(&output.stdout)?;
            let videos = report["videos"].as_array().context("no videos")?;
            let reported: Vec<_> = videos
                .iter()
                .map(|video| video["task_id"].as_str())
                .collect();
            let expected: Vec<_> = ids.iter().map(|id| Some(id.as_str())).collect();
            ensure!(reported == expected, "{reported:?}");
            for video in videos {
                let is_failed = video["task_id"] == failed.as_str();
                let outcome = if is_failed {
                    "unsuccessful"
                } else {
                    "archived"
                };
                ensure!(video["outcome"] == outcome, "{video:#}");
            }

            let output = finish(archive(&server, &fixture, &[], &list).await?).await?;
            let table = String::from_utf8_lossy(&output.stdout);
            ensure!(
                table.contains(&failed),
                "the unsuccessful task is not in the table: {table}"
            );
            ensure!(
                !table.contains(&ids[0]),
                "the table has a row for each of {TASKS} archived tasks: {table}"
            );
            ensure!(table.contains("30 archived"), "no total: {table}");
            ensure!(table.contains("1 unsuccessful"), "no total: {table}");
            Ok(())
        })
        .await?;
    assert_downloaded_once(&fixture, &ids[..TASKS])
}
register!(task_ids_are_read_from_standard_input);

async fn an_interrupted_batch_can_be_run_again(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::with(&server, |simulator| simulator.running(HOUR), |_| {}).await?;
    let ids = create(&fixture, TASKS);
    let list = ids.join("\n");
    fixture
        .with_worker(&server, async {
            let first = archive(&server, &fixture, &[], &list).await?;
            until_async("the first lifecycle has started", || async {
                Ok(server.run_id(&ids[0]).await.is_ok())
            })
            .await?;
            send_signal(&first, Signal::INT)?;
            let stopped = finish(first).await?;
            ensure!(stopped.status.code() == Some(130), "{stopped:?}");
            fixture.advance_clock(HOUR).await;

            let again = finish(archive(&server, &fixture, &[], &list).await?).await?;
            ensure!(again.status.success(), "{again:?}");
            Ok(())
        })
        .await?;
    assert_downloaded_once(&fixture, &ids)
}
register!(an_interrupted_batch_can_be_run_again);

async fn a_lost_connection_is_reported_and_retried(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let ids = create(&fixture, TASKS);
    let proxy = TcpProxy::start(&server.address).await?;
    let proxied = server.at(proxy.address.to_string())?;
    let mut child = archive(&proxied, &fixture, &[], &ids.join("\n")).await?;
    until_async("all lifecycles have started", || async {
        let mut started = true;
        for id in &ids {
            started &= server.run_id(id).await.is_ok();
        }
        Ok(started)
    })
    .await?;
    proxy.disconnect();
    let mut lines = BufReader::new(child.stderr.take().context("no stderr")?).lines();
    loop {
        let line = lines.next_line().await?.context("the command exited")?;
        if line.contains("cannot check lifecycles, retrying") {
            break;
        }
    }
    proxy.reconnect();
    fixture
        .with_worker(&server, async {
            let drain_stderr = async { while let Ok(Some(_)) = lines.next_line().await {} };
            let (output, ()) = tokio::join!(finish(child), drain_stderr);
            let output = output?;
            ensure!(output.status.success(), "{output:?}");
            let table = String::from_utf8_lossy(&output.stdout);
            ensure!(table.contains("30 archived"), "no total: {table}");
            Ok(())
        })
        .await
}
register!(a_lost_connection_is_reported_and_retried, takes_long);

async fn detached_lifecycles_finish_without_the_command(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let ids = create(&fixture, 3);
    // The command returns although no worker runs yet.
    let list = ids.join("\n");
    let output = finish(archive(&server, &fixture, &["--detach"], &list).await?).await?;
    ensure!(output.status.success(), "{output:?}");
    let stdout = String::from_utf8(output.stdout)?;
    let expected: String = ids
        .iter()
        .map(|id| format!("{id}  video-task/default/{id}\n"))
        .collect();
    ensure!(stdout == expected, "{stdout}");

    let options = ["--detach", "--output", "json"];
    let output = finish(archive(&server, &fixture, &options, &list).await?).await?;
    let started: Value = serde_json::from_slice(&output.stdout)?;
    let run_id = server.run_id(&ids[0]).await?;
    ensure!(
        started[0]["run_id"] == run_id.as_str(),
        "a second run was started: {started:#}"
    );
    fixture
        .with_worker(&server, async {
            until("all videos are archived", || {
                let receipt = |id: &String| fixture.receipt_path(id).is_some();
                ids.iter().all(receipt)
            })
            .await
        })
        .await
}
register!(detached_lifecycles_finish_without_the_command);

async fn a_list_with_an_invalid_id_starts_nothing(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let ids = create(&fixture, 1);
    let list = format!("{}\na/b\n..\n", ids[0]);
    let output = finish(archive(&server, &fixture, &[], &list).await?).await?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    for part in ["line 2: \"a/b\"", "line 3: \"..\"", "nothing was started"] {
        ensure!(stderr.contains(part), "no {part:?} in {stderr}");
    }
    ensure!(
        server.run_id(&ids[0]).await.is_err(),
        "a lifecycle was started"
    );

    let output = finish(archive(&server, &fixture, &[], "\n").await?).await?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(stderr.contains("no task ids"), "{stderr}");
    Ok(())
}
register!(a_list_with_an_invalid_id_starts_nothing);

fn create(fixture: &Fixture, tasks: usize) -> Vec<String> {
    let create = |_| fixture.simulator.create(Script::default());
    (0..tasks).map(create).collect()
}

/// Starts `archive -` with a list on its standard input.
async fn archive(
    server: &Server,
    fixture: &Fixture,
    options: &[&str],
    list: &str,
) -> anyhow::Result<Child> {
    let mut child = command()
        .args(["archive", "-"])
        .args(options)
        .envs(server.environment())
        .env("TEMPORAL_TASK_QUEUE", &fixture.config.task_queue)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take().context("no stdin")?;
    stdin.write_all(list.as_bytes()).await?;
    Ok(child)
}

/// Waits until a command exits.
async fn finish(child: Child) -> anyhow::Result<Output> {
    Ok(child.wait_with_output().await?)
}

/// Checks that each video was downloaded exactly once.
fn assert_downloaded_once(fixture: &Fixture, ids: &[String]) -> anyhow::Result<()> {
    for id in ids {
        let downloads = fixture.simulator.stats(id).downloads;
        ensure!(downloads == 1, "{id} was downloaded {downloads} times");
    }
    Ok(())
}
