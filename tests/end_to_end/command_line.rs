//! The binary, as a person or a script runs it.

use std::{
    fs::Permissions,
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    process::{Output, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use seedance_archiver_simulator::{Ending, Script};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStderr, Command},
};

use crate::{
    Suite,
    world::{Server, World, command, read_local, until},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test(
            "command_line::demo_shows_every_ending",
            demo_shows_every_ending,
        )
        .test(
            "command_line::ctrl_c_leaves_nothing_behind",
            ctrl_c_leaves_nothing_behind,
        )
        .test(
            "command_line::archive_joins_your_temporal",
            archive_joins_your_temporal,
        )
        .test("command_line::archive_dev_needs_a_key_only", archive_dev)
        .test(
            "command_line::wrong_configuration_is_told_at_once",
            wrong_configuration,
        )
        .test(
            "command_line::a_wrong_task_id_is_told_before_anything_starts",
            wrong_task_id,
        )
        .test(
            "command_line::no_temporal_server_says_what_was_tried",
            no_temporal_server,
        )
        .test("command_line::ctrl_c_stops_a_build", ctrl_c_stops_a_build)
}

async fn demo_shows_every_ending(_: Arc<Server>) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let output = command()
        .args(["demo", "--output", "json"])
        .current_dir(&directory)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    ensure!(output.status.success(), "{}", describe(&output));
    let report: Value = serde_json::from_slice(&output.stdout).context("stdout is no JSON")?;
    let videos = report["videos"].as_array().context("no videos")?;
    ensure!(videos.len() == 8, "{report:#}");
    for (status, outcome, count) in [
        ("succeeded", "archived", 5),
        ("failed", "unsuccessful", 1),
        ("cancelled", "unsuccessful", 1),
        ("expired", "unsuccessful", 1),
    ] {
        let is_so = |video: &&Value| video["status"] == status && video["outcome"] == outcome;
        let found = videos.iter().filter(is_so).count();
        ensure!(found == count, "{found} {status} are {outcome}: {report:#}");
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
        ensure!(
            video["polls"].as_u64().is_some_and(|polls| polls > 1),
            "{video:#}"
        );
        let events = video["history_events"].as_u64();
        ensure!(events.is_some_and(|events| events <= 26), "{video:#}");
    }
    let ui = report["ui_url"].as_str().context("no ui_url")?;
    ensure!(!answers(ui), "the Web UI is still up at {ui}");
    Ok(())
}

async fn ctrl_c_leaves_nothing_behind(_: Arc<Server>) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let mut demo = command()
        .args(["demo", "--stay"])
        .current_dir(&directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut errors = BufReader::new(demo.stderr.take().context("no stderr")?);
    let ui = line_after(&mut errors, "Temporal UI: ").await?;
    until("the Web UI answers", || answers(&ui)).await?;
    line_after(&mut errors, "cgt-").await?;

    interrupt(&demo)?;
    let status = tokio::time::timeout(Duration::from_secs(60), demo.wait()).await??;
    ensure!(status.code() == Some(130), "it ended with {status}");
    ensure!(!answers(&ui), "the Web UI is still up at {ui}");
    Ok(())
}

async fn archive_joins_your_temporal(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let video = world.simulator.create(Script::default());
    let failed = world.simulator.create(Script {
        ending: Ending::Failed,
        ..Script::default()
    });
    let archive = |ids: Vec<String>| {
        command()
            .arg("archive")
            .args(ids)
            .args(["--output", "json"])
            .env("TEMPORAL_ADDRESS", &server.address)
            .env("TEMPORAL_TASK_QUEUE", &world.config.task_queue)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
    };
    let (all, one) = world
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
        world.simulator.stats(&video).downloads == 1,
        "it was downloaded again"
    );
    Ok(())
}

async fn archive_dev(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script::default());
    let directory = tempfile::tempdir()?;
    let output = command()
        .args(["archive", "--dev", &id])
        .env("SEEDANCE_BASE_URL", world.simulator.base_url())
        .env("SEEDANCE_API_KEY", world.simulator.api_key())
        .current_dir(&directory)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    ensure!(output.status.success(), "{}", describe(&output));
    let table = String::from_utf8_lossy(&output.stdout);
    let row = table.lines().find(|line| line.contains(&id));
    let row = row.with_context(|| format!("no row for {id} in: {table}"))?;
    let folder = row.split_whitespace().last().context("no folder")?;
    let folder = directory.path().join("seedance-archive").join(folder);
    ensure!(
        folder.join("manifest.json").is_file(),
        "no receipt in {folder:?}"
    );
    ensure!(
        !describe(&output).contains("X-Tos"),
        "a signed URL is shown"
    );
    Ok(())
}

async fn wrong_configuration(_: Arc<Server>) -> anyhow::Result<()> {
    let output = command()
        .arg("worker")
        .env("SEEDANCE_BASE_URL", "here")
        .output()
        .await?;
    ensure!(output.status.code() == Some(78), "{}", describe(&output));
    let errors = String::from_utf8_lossy(&output.stderr);
    for name in [
        "SEEDANCE_API_KEY",
        "SEEDANCE_BASE_URL",
        "SEEDANCE_ARCHIVE_URL",
    ] {
        ensure!(errors.contains(name), "{name} is missing in: {errors}");
    }
    Ok(())
}

async fn wrong_task_id(_: Arc<Server>) -> anyhow::Result<()> {
    let output = command()
        .args(["archive", "--dev", "a/b"])
        .env("SEEDANCE_TEMPORAL_CLI", "/nowhere/temporal")
        .output()
        .await?;
    ensure!(output.status.code() == Some(1), "{}", describe(&output));
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(errors.contains("`task_id` contains a slash"), "{errors}");
    Ok(())
}

async fn no_temporal_server(_: Arc<Server>) -> anyhow::Result<()> {
    let output = command()
        .arg("demo")
        .env("SEEDANCE_TEMPORAL_CLI", "/nowhere/temporal")
        .output()
        .await?;
    ensure!(output.status.code() == Some(1), "{}", describe(&output));
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        errors.contains("SEEDANCE_TEMPORAL_CLI: no such file: `/nowhere/temporal`"),
        "{errors}"
    );

    let bare = Bare::new("echo 'no such module' >&2; exit 1")?;
    let output = bare.command().arg("demo").output().await?;
    ensure!(output.status.code() == Some(1), "{}", describe(&output));
    let errors = String::from_utf8_lossy(&output.stderr);
    for tried in [
        "`temporal` on PATH",
        "download: ",
        "`go install`: ",
        "no such module",
        "fix: one of",
    ] {
        ensure!(errors.contains(tried), "{tried} is missing in: {errors}");
    }
    Ok(())
}

async fn ctrl_c_stops_a_build(_: Arc<Server>) -> anyhow::Result<()> {
    let bare = Bare::new("echo $$ > \"$GOBIN/../pid\"; exec /bin/sleep 3600")?;
    let mut demo = bare
        .command()
        .arg("demo")
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut errors = BufReader::new(demo.stderr.take().context("no stderr")?);
    line_after(&mut errors, "building the Temporal CLI with Go").await?;
    let pid_file = bare.directory.path().join("cache/seedance-archiver/pid");
    let pid = || std::fs::read_to_string(&pid_file).ok()?.trim().parse().ok();
    until("the build has begun", || pid().is_some()).await?;
    let pid = pid().and_then(Pid::from_raw).context("no process id")?;

    interrupt(&demo)?;
    let status = tokio::time::timeout(Duration::from_secs(60), demo.wait()).await??;
    ensure!(status.code() == Some(130), "it ended with {status}");
    until("the build is gone", || test_kill_process(pid).is_err()).await
}

/// A machine that has nothing but a `go` that does what a shell script says: no `temporal`, no
/// cache, no network.
struct Bare {
    directory: TempDir,
}

impl Bare {
    fn new(go: &str) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let bin = directory.path().join("bin");
        std::fs::create_dir(&bin)?;
        std::fs::write(bin.join("go"), format!("#!/bin/sh\n{go}\n"))?;
        std::fs::set_permissions(bin.join("go"), Permissions::from_mode(0o755))?;
        Ok(Self { directory })
    }

    fn command(&self) -> Command {
        let mut command = command();
        command
            .env_remove("SEEDANCE_TEMPORAL_CLI")
            .env("PATH", self.directory.path().join("bin"))
            .env("XDG_CACHE_HOME", self.directory.path().join("cache"))
            .env("HTTPS_PROXY", "http://127.0.0.1:1")
            .current_dir(&self.directory);
        command
    }
}

fn describe(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    format!("{}: {text}", output.status)
}

/// The rest of the first line that begins so.
async fn line_after(lines: &mut BufReader<ChildStderr>, beginning: &str) -> anyhow::Result<String> {
    let mut line = String::new();
    loop {
        line.clear();
        let read = tokio::time::timeout(Duration::from_secs(60), lines.read_line(&mut line));
        ensure!(read.await?? > 0, "it ended before it printed {beginning:?}");
        if let Some(rest) = line.strip_prefix(beginning) {
            return Ok(rest.trim().to_owned());
        }
    }
}

fn interrupt(child: &Child) -> anyhow::Result<()> {
    let id = child.id().context("it has ended")?;
    let pid = Pid::from_raw(i32::try_from(id)?).context("no process id")?;
    Ok(kill_process(pid, Signal::INT)?)
}

fn answers(url: &str) -> bool {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    TcpStream::connect(address).is_ok()
}
