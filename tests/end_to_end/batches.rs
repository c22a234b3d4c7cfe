//! `archive` of many tasks: ids from standard input, one bar for all, stopped and run again.

use std::{
    process::{Output, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process};
use seedance_archiver_simulator::{Ending, Script};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::Child,
};

use crate::{
    Suite,
    wire::Wire,
    world::{Server, World, command, until, until_async},
};

/// More than have a bar each.
const MANY: usize = 30;

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test("batches::many_come_from_standard_input", from_stdin)
        .test("batches::stopped_and_run_again", stopped_and_run_again)
        .test("batches::a_cut_wire_is_told_and_waited_for", cut_wire)
        .test("batches::detached_ones_go_on", detached)
        .test("batches::a_wrong_list_starts_nothing", wrong_list)
}

async fn from_stdin(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let mut ids = create(&world, MANY);
    let failed = world.simulator.create(Script {
        ending: Ending::Failed,
        ..Script::default()
    });
    ids.push(failed.clone());
    let list = format!("# of today\n\n{}\r\n{}\n", ids.join("\n"), ids[0]);
    world
        .with_worker(&server, async {
            let output =
                ended(archive(&server, &world, &["--output", "json"], &list).await?).await?;
            ensure!(output.status.code() == Some(1), "{output:?}");
            let report: Value = serde_json::from_slice(&output.stdout)?;
            let videos = report["videos"].as_array().context("no videos")?;
            let told: Vec<_> = videos
                .iter()
                .map(|video| video["task_id"].as_str())
                .collect();
            let asked: Vec<_> = ids.iter().map(|id| Some(id.as_str())).collect();
            ensure!(told == asked, "another order: {told:?}");
            for video in videos {
                let is_failed = video["task_id"] == failed.as_str();
                let outcome = if is_failed {
                    "unsuccessful"
                } else {
                    "archived"
                };
                ensure!(video["outcome"] == outcome, "{video:#}");
            }

            let output = ended(archive(&server, &world, &[], &list).await?).await?;
            let table = String::from_utf8_lossy(&output.stdout);
            ensure!(
                table.contains(&failed),
                "the one that failed is not told: {table}"
            );
            ensure!(
                !table.contains(&ids[0]),
                "{MANY} archived ones have a line each: {table}"
            );
            ensure!(table.contains("30 archived"), "no sum: {table}");
            ensure!(table.contains("1 unsuccessful"), "no sum: {table}");
            Ok(())
        })
        .await?;
    downloaded_once(&world, &ids[..MANY])
}

async fn stopped_and_run_again(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::with(
        &server,
        |simulator| simulator.running(Duration::from_secs(3)),
        |_| {},
    )
    .await?;
    let ids = create(&world, MANY);
    let list = ids.join("\n");
    world
        .with_worker(&server, async {
            let first = archive(&server, &world, &[], &list).await?;
            until_async("the first one is there", || async {
                Ok(server.run_id(&ids[0]).await.is_ok())
            })
            .await?;
            let pid = i32::try_from(first.id().context("it has ended")?)?;
            kill_process(Pid::from_raw(pid).context("no process id")?, Signal::INT)?;
            let stopped = ended(first).await?;
            ensure!(stopped.status.code() == Some(130), "{stopped:?}");

            let again = ended(archive(&server, &world, &[], &list).await?).await?;
            ensure!(again.status.success(), "{again:?}");
            Ok(())
        })
        .await?;
    downloaded_once(&world, &ids)
}

async fn cut_wire(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let ids = create(&world, MANY);
    let wire = Wire::to(&server.address).await?;
    let mut child = archive_at(&wire.address.to_string(), &world, &[], &ids.join("\n")).await?;
    until_async("all are started", || async {
        let mut started = true;
        for id in &ids {
            started &= server.run_id(id).await.is_ok();
        }
        Ok(started)
    })
    .await?;
    wire.cut();
    let mut lines = BufReader::new(child.stderr.take().context("no stderr")?).lines();
    loop {
        let line = lines.next_line().await?.context("it ended")?;
        if line.contains("cannot check lifecycles, retrying") {
            break;
        }
    }
    wire.mend();
    world
        .with_worker(&server, async {
            let read_on = async { while let Ok(Some(_)) = lines.next_line().await {} };
            let (output, ()) = tokio::join!(ended(child), read_on);
            let output = output?;
            ensure!(output.status.success(), "{output:?}");
            let table = String::from_utf8_lossy(&output.stdout);
            ensure!(table.contains("30 archived"), "no sum: {table}");
            Ok(())
        })
        .await
}

async fn detached(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let ids = create(&world, 3);
    // Nobody serves them yet, and it returns all the same.
    let list = ids.join("\n");
    let output = ended(archive(&server, &world, &["--detach"], &list).await?).await?;
    ensure!(output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stdout)?;
    let expected: String = ids
        .iter()
        .map(|id| format!("{id}  video-task/default/{id}\n"))
        .collect();
    ensure!(told == expected, "{told}");

    let options = ["--detach", "--output", "json"];
    let output = ended(archive(&server, &world, &options, &list).await?).await?;
    let started: Value = serde_json::from_slice(&output.stdout)?;
    let run_id = server.run_id(&ids[0]).await?;
    ensure!(
        started[0]["run_id"] == run_id.as_str(),
        "another run: {started:#}"
    );
    world
        .with_worker(&server, async {
            until("all are archived", || {
                let receipt = |id: &String| world.receipt_of(id).is_some();
                ids.iter().all(receipt)
            })
            .await
        })
        .await
}

async fn wrong_list(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let ids = create(&world, 1);
    let list = format!("{}\na/b\n..\n", ids[0]);
    let output = ended(archive(&server, &world, &[], &list).await?).await?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    let errors = String::from_utf8_lossy(&output.stderr);
    for fault in ["line 2: \"a/b\"", "line 3: \"..\"", "nothing was started"] {
        ensure!(errors.contains(fault), "{fault} is missing in: {errors}");
    }
    ensure!(server.run_id(&ids[0]).await.is_err(), "one was started");

    let output = ended(archive(&server, &world, &[], "\n").await?).await?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(errors.contains("no task ids"), "{errors}");
    Ok(())
}

fn create(world: &World, tasks: usize) -> Vec<String> {
    let create = |_| world.simulator.create(Script::default());
    (0..tasks).map(create).collect()
}

/// `archive -`, with this on its standard input.
async fn archive(
    server: &Server,
    world: &World,
    options: &[&str],
    list: &str,
) -> anyhow::Result<Child> {
    archive_at(&server.address, world, options, list).await
}

async fn archive_at(
    address: &str,
    world: &World,
    options: &[&str],
    list: &str,
) -> anyhow::Result<Child> {
    let mut child = command()
        .args(["archive", "-"])
        .args(options)
        .env("TEMPORAL_ADDRESS", address)
        .env("TEMPORAL_TASK_QUEUE", &world.config.task_queue)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take().context("no stdin")?;
    stdin.write_all(list.as_bytes()).await?;
    Ok(child)
}

async fn ended(child: Child) -> anyhow::Result<Output> {
    let output = tokio::time::timeout(Duration::from_secs(120), child.wait_with_output());
    Ok(output.await.context("it does not end")??)
}

fn downloaded_once(world: &World, ids: &[String]) -> anyhow::Result<()> {
    for id in ids {
        let downloads = world.simulator.stats(id).downloads;
        ensure!(downloads == 1, "{id} was downloaded {downloads} times");
    }
    Ok(())
}
