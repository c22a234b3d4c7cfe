//! The program seedance-archiver.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use reqwest::Client;
use seedance_archiver_simulator::Simulator;

use crate::{
    free_address::free_address,
    output,
    process::Process,
    server::{NAMESPACE, Server},
    sources::{self, Age},
};

/// A path of tasks below which no list is known. It leads to the same tasks: URLs have no segment `.`.
pub(crate) const PATH_WITHOUT_LIST: &str = "contents/generations/tasks/{task_id}/.";
const READY_TIMEOUT: Duration = Duration::from_secs(60);

/// Checks that a program exists and is as new as its sources. Of a program without a list of them, a line says that its age is
/// not known.
pub(crate) fn check(program: &Path) -> anyhow::Result<()> {
    ensure_exists(program)?;
    let name = program.display();
    match sources::age(program)? {
        Age::Current => Ok(()),
        Age::Unknown => {
            let line =
                format!("{name} may be older than its sources: Cargo did not build it there\n");
            Ok(output::print(&line)?)
        }
        Age::OlderThan(source) => {
            let source = source.display();
            bail!("{name} is older than its source {source}; fix: build it again")
        }
    }
}

fn ensure_exists(program: &Path) -> anyhow::Result<()> {
    ensure!(
        program.exists(),
        "{} does not exist; fix: cargo build --release",
        program.display()
    );
    Ok(())
}

/// Returns a command of the program, without the settings in this environment.
pub(crate) fn command(program: &Path) -> anyhow::Result<Command> {
    ensure_exists(program)?;
    let mut command = Command::new(program);
    remove_variables(&mut command, "SEEDANCE_");
    Ok(command)
}

/// Removes the variables with a prefix from the environment of a command.
pub(crate) fn remove_variables(command: &mut Command, prefix: &str) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with(prefix) {
            command.env_remove(name);
        }
    }
}

/// Writes a file with one account, whose API is the simulator, and further settings of it. Returns its path.
pub(crate) fn write_accounts(
    directory: &Path,
    simulator: &Simulator,
    settings: &str,
) -> anyhow::Result<PathBuf> {
    let accounts = directory.join("accounts.toml");
    let account = format!(
        "[accounts.default]\nbase_url = \"{}\"\napi_key = \"{}\"\n{settings}",
        simulator.base_url(),
        simulator.api_key()
    );
    fs::write(&accounts, account).context("cannot write the accounts file")?;
    Ok(accounts)
}

/// Sets the Temporal server of a command.
pub(crate) fn set_temporal<'a>(command: &'a mut Command, server: &Server) -> &'a mut Command {
    remove_variables(command, "TEMPORAL_");
    command
        .env("TEMPORAL_CONFIG_FILE", "/dev/null")
        .env("TEMPORAL_ADDRESS", &server.address)
        .env("TEMPORAL_NAMESPACE", NAMESPACE)
}

/// Starts a worker, and waits until it is ready. Returns the URL of its metrics too.
pub(crate) async fn start_worker(
    mut command: Command,
    server: &Server,
    task_queue: &str,
    log: PathBuf,
) -> anyhow::Result<(Process, String)> {
    let address = free_address()?;
    set_temporal(&mut command, server)
        .env("TEMPORAL_TASK_QUEUE", task_queue)
        .env("SEEDANCE_ADMIN_ADDRESS", address.to_string())
        .env("SEEDANCE_GRACE_PERIOD", "1s")
        .stdout(Stdio::null());
    let mut process = Process::start("seedance-archiver", &mut command, log)?;
    let url = format!("http://{address}/readyz");
    process
        .wait_until_ready(&Client::new(), &url, READY_TIMEOUT)
        .await?;
    Ok((process, format!("http://{address}/metrics")))
}
