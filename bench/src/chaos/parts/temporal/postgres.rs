//! The production server, with a PostgreSQL cluster of its own.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, ensure};

use super::running::Temporal;
use crate::{
    archiver::{self, remove_variables},
    chaos::{
        link::{Keepalive, Link},
        parts::Part,
    },
    free_address::free_address,
    process::Process,
    server::NAMESPACE,
};

/// How long the namespace and its search attributes may take.
const SETUP_TIMEOUT: Duration = Duration::from_secs(180);
const SETUP_INTERVAL: Duration = Duration::from_secs(1);
/// That of the server's connections to its database: without it, a server that starts while the link is half-open waits for
/// ever, and the run would end without one.
const SERVER_KEEPALIVE: Keepalive = Keepalive::Every(Duration::from_secs(15));
/// Ports of the server besides that of the frontend.
const PORTS: [&str; 8] = [
    "FRONTEND_HTTP_PORT",
    "FRONTEND_MEMBERSHIP_PORT",
    "HISTORY_PORT",
    "HISTORY_MEMBERSHIP_PORT",
    "MATCHING_PORT",
    "MATCHING_MEMBERSHIP_PORT",
    "WORKER_PORT",
    "WORKER_MEMBERSHIP_PORT",
];

/// What `bench/server/run prepare` made.
struct Prepared {
    /// PostgreSQL's programs.
    postgresql: PathBuf,
    server: PathBuf,
    cluster: PathBuf,
}

pub(super) async fn start(archiver: &Path, directory: &Path) -> anyhow::Result<(Temporal, Link)> {
    let prepared = prepare(directory).await?;
    let database_address = free_address()?;
    let link = Link::start(database_address, SERVER_KEEPALIVE).await?;
    let mut database = database(&prepared, database_address, directory);
    database.start()?;
    let address = free_address()?;
    let mut server = server(prepared.server, address, link.address, directory)?;
    server.start()?;
    let mut temporal = Temporal {
        server,
        database: Some(database),
        address,
    };
    set_up(&mut temporal, archiver, directory).await?;
    Ok((temporal, link))
}

/// Creates a cluster with the schema of the server.
async fn prepare(directory: &Path) -> anyhow::Result<Prepared> {
    let mut command = Command::new("bench/server/run");
    command.arg("prepare").env("TMPDIR", directory);
    let log = directory.join("prepare.log");
    let prepared = Process::start_until_ready("PostgreSQL", &mut command, log);
    let (_, line) = prepared.await?;
    let paths: Vec<_> = line.split_whitespace().map(PathBuf::from).collect();
    let [postgresql, server, cluster] =
        <[PathBuf; 3]>::try_from(paths).map_err(|_| anyhow::anyhow!("not three paths: {line}"))?;
    Ok(Prepared {
        postgresql,
        server,
        cluster,
    })
}

fn database(prepared: &Prepared, address: SocketAddr, directory: &Path) -> Part {
    let program = prepared.postgresql.join("postgres");
    let cluster = prepared.cluster.clone();
    Part::new("PostgreSQL", directory, move || {
        // PostgreSQL does not run as root.
        let is_root = rustix::process::geteuid().is_root();
        let mut command = match is_root {
            true => Command::new("setpriv"),
            false => Command::new(&program),
        };
        if is_root {
            command
                .args([
                    "--reuid",
                    "postgres",
                    "--regid",
                    "postgres",
                    "--init-groups",
                ])
                .arg(&program);
        }
        command
            .arg("-D")
            .arg(&cluster)
            .args(["-c", "listen_addresses=127.0.0.1"])
            .args(["-c", &format!("port={}", address.port())])
            .args([
                "-c",
                "unix_socket_directories=",
                "-c",
                "max_connections=200",
            ]);
        Ok(command)
    })
}

fn server(
    program: PathBuf,
    address: SocketAddr,
    database: SocketAddr,
    directory: &Path,
) -> anyhow::Result<Part> {
    let mut ports = Vec::new();
    for name in PORTS {
        ports.push((name, free_address()?.port().to_string()));
    }
    let build = move || {
        let mut command = Command::new(&program);
        remove_variables(&mut command, "TEMPORAL_");
        command
            .args([
                "--root",
                ".",
                "--config",
                "bench/server",
                "--env",
                "postgres",
            ])
            .args(["--allow-no-auth", "start"])
            .env("FRONTEND_PORT", address.port().to_string())
            .envs(ports.clone())
            .env("DATABASE_HOST", database.ip().to_string())
            .env("DATABASE_PORT", database.port().to_string());
        Ok(command)
    };
    Ok(Part::new("Temporal", directory, build))
}

/// Creates the namespace and the search attributes, as an operator does.
async fn set_up(temporal: &mut Temporal, archiver: &Path, directory: &Path) -> anyhow::Result<()> {
    let set_up = async {
        loop {
            temporal.keep();
            let result = run_setup(archiver, temporal.address, directory);
            if result.is_ok() {
                return;
            }
            tokio::time::sleep(SETUP_INTERVAL).await;
        }
    };
    let set_up = tokio::time::timeout(SETUP_TIMEOUT, set_up).await;
    set_up.context("cannot set up the namespace")
}

fn run_setup(archiver: &Path, address: SocketAddr, directory: &Path) -> anyhow::Result<()> {
    let mut command = archiver::command(archiver)?;
    remove_variables(&mut command, "TEMPORAL_");
    let archive = directory.join("setup");
    let output = command
        .arg("setup")
        .env("TEMPORAL_CONFIG_FILE", "/dev/null")
        .env("TEMPORAL_ADDRESS", address.to_string())
        .env("TEMPORAL_NAMESPACE", NAMESPACE)
        .env(
            "SEEDANCE_ARCHIVE_URL",
            format!("file://{}", archive.display()),
        )
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
