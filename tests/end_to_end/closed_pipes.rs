//! Commands whose stdout or stderr is a pipe that nobody reads, as after `| head`.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, pipe},
    net::{SocketAddr, TcpStream},
    process::{Output, Stdio},
    sync::Arc,
};

use anyhow::{Context, ensure};
use rustix::process::Signal;
use seedance_archiver_simulator::Script;
use tempfile::TempDir;
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
};

use crate::{
    free_address::free_address,
    harness::{Fixture, Server, command, register, send_signal, until},
};

/// Returns a pipe that nobody reads.
fn closed_pipe() -> io::Result<Stdio> {
    let (reader, writer) = pipe()?;
    drop(reader);
    Ok(writer.into())
}

/// Commands that run until they receive a signal. Other tests cover them.
const SERVERS: [&str; 3] = ["demo", "simulator", "worker"];

/// Runs each command three times, and checks that a closed pipe does not change its exit code. The worker that
/// serves the commands has a closed stderr too.
async fn a_closed_pipe_changes_no_exit_code(server: Arc<Server>) -> anyhow::Result<()> {
    let machine = Machine::new(&server.with_new_namespace().await?).await?;
    let worker = machine.start_worker().await?;
    let id = machine.fixture.simulator.create(Script::default());
    let id = id.as_str();
    let commands: [&[&str]; _] = [
        &["--help"],
        &["--version"],
        &["no-such-command"],
        &["setup"],
        &["archive", id],
        &["archive", id, "--output", "json"],
        &["archive", "a/b"],
        &["archive", "--detach", id],
        &["generate", "--model", "m", "--prompt", "a kite"],
        &["generate", "none.json"],
        &["sweep"],
        &["sweep", "--every", "1h"],
        &["rescue", "--dry-run"],
        &["query", id],
        &["status", id],
        &["status", "cgt-unknown"],
        &["list"],
        &["list", "--status", "unknown"],
        &["receipts"],
        &["receipts", "--summary"],
        &["verify"],
        &["audit", "--off"],
        &["audit"],
        &["erase", "--user", "user-7"],
        &["clean"],
        &["gallery", "--out", "gallery"],
        &["doctor"],
        &["config", "show"],
        &["health"],
        &["completions", "bash"],
        &["help", "list"],
    ];
    let tested = commands.iter().map(|arguments| arguments[0]).chain(SERVERS);
    assert_contains_every_subcommand(&tested.collect()).await?;
    for arguments in commands {
        let mut commands = [(); 3].map(|()| machine.command(arguments));
        let [open, without_stdout, without_stderr] = &mut commands;
        let open = finish(open).await?;
        let without_stdout = finish(without_stdout.stdout(closed_pipe()?)).await?;
        let without_stderr = finish(without_stderr.stderr(closed_pipe()?)).await?;
        for output in [open.clone(), without_stdout, without_stderr] {
            assert_quiet(&output).with_context(|| format!("{arguments:?}"))?;
            ensure!(
                output.status == open.status,
                "{arguments:?}: {output:?}, expected {open:?}"
            );
        }
    }
    let status = stop(worker, Signal::TERM).await?;
    ensure!(status.success(), "worker: {status}");
    Ok(())
}
register!(a_closed_pipe_changes_no_exit_code);

async fn assert_contains_every_subcommand(tested: &BTreeSet<&str>) -> anyhow::Result<()> {
    let help = command().arg("--help").output().await?;
    let help = String::from_utf8(help.stdout)?;
    let (_, list) = help.split_once("Commands:\n").context("no commands")?;
    let names = list
        .lines()
        .map_while(|line| line.split_whitespace().next());
    let names: Vec<_> = names.collect();
    ensure!(names.len() > SERVERS.len(), "{help}");
    for name in names {
        ensure!(tested.contains(name), "`{name}` is not tested");
    }
    Ok(())
}

fn assert_quiet(output: &Output) -> anyhow::Result<()> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(!stderr.contains("panicked"), "{stderr}");
    ensure!(output.status.code() != Some(101), "{output:?}");
    Ok(())
}

async fn archive_starts_every_task_although_nobody_reads(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let machine = Machine::new(&server).await?;
    let create = |_| machine.fixture.simulator.create(Script::default());
    let ids: Vec<_> = (0..39).map(create).collect();
    let mut archive = machine
        .command(&["archive", "--detach", "-"])
        .stdin(Stdio::piped())
        .stdout(closed_pipe()?)
        .spawn()?;
    let mut stdin = archive.stdin.take().context("no stdin")?;
    stdin.write_all(ids.join("\n").as_bytes()).await?;
    drop(stdin);
    let output = archive.wait_with_output().await?;
    ensure!(output.status.success(), "{output:?}");
    for id in ids {
        server.run_id(&id).await.context("not started")?;
    }
    Ok(())
}
register!(archive_starts_every_task_although_nobody_reads);

async fn demo_and_simulator_run_although_nobody_reads(server: Arc<Server>) -> anyhow::Result<()> {
    let machine = Machine::new(&server).await?;
    let mut demo = machine.command(&["demo"]);
    let demo = demo.stdout(closed_pipe()?).stderr(closed_pipe()?).status();
    let status = demo.await?;
    ensure!(status.success(), "demo: {status}");

    let address = free_address()?;
    let mut simulator = machine.command(&["simulator", "--address", &address.to_string()]);
    let simulator = simulator.stderr(closed_pipe()?).spawn()?;
    until("the simulator listens", || {
        TcpStream::connect(address).is_ok()
    })
    .await?;
    let status = stop(simulator, Signal::INT).await?;
    ensure!(status.success(), "simulator: {status}");
    Ok(())
}
register!(demo_and_simulator_run_although_nobody_reads, takes_long);

/// Unlike a closed pipe, a full disk loses output that somebody wants.
#[cfg(target_os = "linux")]
async fn a_full_disk_is_reported(_: Arc<Server>) -> anyhow::Result<()> {
    let full = File::options().write(true).open("/dev/full")?;
    let mut command = command();
    command.args(["completions", "bash"]).stdout(full);
    let output = finish(command.stderr(Stdio::piped())).await?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(
        stderr.starts_with("error: cannot write to stdout: No space left on device"),
        "{stderr}"
    );
    Ok(())
}
#[cfg(target_os = "linux")]
register!(a_full_disk_is_reported);

/// A directory and the environment in which commands run.
struct Machine {
    fixture: Fixture,
    directory: TempDir,
    temporal: [(&'static str, String); 2],
    /// Where the worker serves health checks.
    admin_address: SocketAddr,
}

impl Machine {
    async fn new(server: &Server) -> anyhow::Result<Self> {
        Ok(Self {
            // Each command has its own share of the rate limit.
            fixture: Fixture::with(server, |it| it.list_rate(1_000.0), |_| {}).await?,
            directory: tempfile::tempdir()?,
            temporal: server.environment(),
            admin_address: free_address()?,
        })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let Fixture {
            config, simulator, ..
        } = &self.fixture;
        let mut command = command();
        command
            .args(arguments)
            .envs(self.temporal.clone())
            .env("TEMPORAL_TASK_QUEUE", &config.task_queue)
            .env("SEEDANCE_BASE_URL", simulator.base_url())
            .env("SEEDANCE_API_KEY", simulator.api_key())
            .env("SEEDANCE_ARCHIVE_URL", config.archive_url.as_str())
            .env("SEEDANCE_ADMIN_ADDRESS", self.admin_address.to_string())
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Starts a worker with a closed stderr, and waits until it listens.
    async fn start_worker(&self) -> anyhow::Result<Child> {
        let mut worker = self.command(&["worker"]);
        let worker = worker.stderr(closed_pipe()?).spawn()?;
        until("the worker listens", || {
            TcpStream::connect(self.admin_address).is_ok()
        })
        .await?;
        Ok(worker)
    }
}

/// Runs a command to its end. `Command::output` would replace its stdout and stderr.
async fn finish(command: &mut Command) -> anyhow::Result<Output> {
    Ok(command.spawn()?.wait_with_output().await?)
}

async fn stop(mut child: Child, signal: Signal) -> anyhow::Result<std::process::ExitStatus> {
    send_signal(&child, signal)?;
    Ok(child.wait().await?)
}
