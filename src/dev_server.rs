//! A Temporal server for trying things out and for tests: Temporal's own dev server, found or
//! fetched, started on free ports and stopped when dropped.

mod locate;
mod process;

use std::{
    io::{Read, Seek},
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::Stdio,
    time::Duration,
};

use backon::{ConstantBuilder, Retryable};
use reqwest::Url;
use temporalio_client::{Client, ClientOptions, Connection, ConnectionOptions};

use crate::temporal::search_attributes;

pub use locate::{CannotLocate, locate};
use process::ProcessGroup;

/// Namespace of the dev server.
pub const NAMESPACE: &str = "default";

/// How often and how long to try to reach a server that was just started.
const READY_INTERVAL: Duration = Duration::from_millis(100);
const READY_ATTEMPTS: usize = 600;
/// How often a server that exits at once is started.
const TRIES: usize = 3;

/// A running dev server.
pub struct DevServer {
    /// `host:port` of its gRPC endpoint.
    pub address: String,
    /// Address of its Web UI, where one was asked for.
    pub ui_url: Option<String>,
    /// A client of its namespace.
    pub client: Client,
    process: ProcessGroup,
}

/// Why there is no dev server.
#[derive(Debug, thiserror::Error)]
pub enum CannotStart {
    /// No Temporal server could be found or fetched.
    #[error(transparent)]
    Locate(#[from] CannotLocate),
    /// The program was found but does not start.
    #[error("cannot start {program}: {source}")]
    Spawn {
        /// The program.
        program: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// It started and ended at once.
    #[error("the Temporal server at {address} exited with {status}{}", tail(.log))]
    Exited {
        /// Where it should listen.
        address: String,
        /// How it ended.
        status: String,
        /// The end of what it printed.
        log: String,
    },
    /// It started but cannot be reached.
    #[error("the Temporal server at {address} cannot be reached: {fault}{}", tail(.log))]
    Unreachable {
        /// Where it should listen.
        address: String,
        /// The last fault.
        fault: String,
        /// The end of what it printed.
        log: String,
    },
}

fn tail(log: &str) -> String {
    if log.is_empty() {
        String::new()
    } else {
        format!("\nIt printed:\n{log}")
    }
}

/// Starts a dev server that forgets everything when it stops. `notify` is told of each step that
/// takes a while.
pub async fn start(
    with_ui: bool,
    notify: &(dyn Fn(&str) + Send + Sync),
) -> Result<DevServer, CannotStart> {
    let program = locate(notify).await?;
    notify("starting the Temporal server");
    let mut tries = 1;
    loop {
        match start_on_free_ports(&program, with_ui).await {
            // Ports that were free a moment ago may be somebody else's by now.
            Err(CannotStart::Exited { .. }) if tries < TRIES => tries += 1,
            started => return started,
        }
    }
}

async fn start_on_free_ports(program: &Path, with_ui: bool) -> Result<DevServer, CannotStart> {
    let spawned = |source| CannotStart::Spawn {
        program: program.display().to_string(),
        source,
    };
    let [port, ui_port] = free_ports().map_err(spawned)?;
    let mut log = tempfile::tempfile().map_err(spawned)?;
    let mut command = tokio::process::Command::new(program);
    command
        .args([
            "server",
            "start-dev",
            "--ip",
            "127.0.0.1",
            "--log-level",
            "error",
        ])
        .args(["--namespace", NAMESPACE, "--port", &port.to_string()])
        // Priorities: what expires soonest is archived first.
        .args(["--dynamic-config-value", "matching.useNewMatcher=true"])
        .args([
            "--ui-port",
            &ui_port.to_string(),
            &format!("--headless={}", !with_ui),
        ])
        .args(search_attributes::ALL.iter().flat_map(|(name, kind)| {
            let kind = search_attributes::type_name(*kind);
            ["--search-attribute".to_owned(), format!("{name}={kind}")]
        }))
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(spawned)?)
        .stderr(log.try_clone().map_err(spawned)?);
    let mut process = ProcessGroup::spawn(command).map_err(spawned)?;

    let address = format!("127.0.0.1:{port}");
    match connect(&address, &mut process).await {
        Ok(client) => Ok(DevServer {
            ui_url: with_ui.then(|| format!("http://127.0.0.1:{ui_port}")),
            address,
            client,
            process,
        }),
        Err(NotThere::Exited(status)) => Err(CannotStart::Exited {
            address,
            status,
            log: read_end(&mut log),
        }),
        Err(NotThere::Unreachable(fault)) => {
            process.stop().await;
            Err(CannotStart::Unreachable {
                address,
                fault,
                log: read_end(&mut log),
            })
        }
    }
}

impl DevServer {
    /// Stops the server and waits until it is gone.
    pub async fn stop(mut self) {
        self.process.stop().await;
    }
}

/// Why nobody is reached.
enum NotThere {
    Exited(String),
    Unreachable(String),
}

async fn connect(address: &str, process: &mut ProcessGroup) -> Result<Client, NotThere> {
    let target = Url::parse(&format!("http://{address}"));
    let target = target.map_err(|error| NotThere::Unreachable(error.to_string()))?;
    let options = ConnectionOptions::new(target).build();
    let attempt = || async {
        let connection = Connection::connect(options.clone())
            .await
            .map_err(|error| error.to_string())?;
        Client::new(connection, ClientOptions::new(NAMESPACE).build())
            .map_err(|error| error.to_string())
    };
    let patience = ConstantBuilder::default()
        .with_delay(READY_INTERVAL)
        .with_max_times(READY_ATTEMPTS);
    tokio::select! {
        connected = attempt.retry(patience) => connected.map_err(NotThere::Unreachable),
        status = process.exited() => Err(NotThere::Exited(status)),
    }
}

/// Two different ports that are free now.
fn free_ports() -> std::io::Result<[u16; 2]> {
    let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let (one, other) = (listen()?, listen()?);
    Ok([one.local_addr()?.port(), other.local_addr()?.port()])
}

/// The last lines of the log.
fn read_end(log: &mut std::fs::File) -> String {
    let mut text = String::new();
    let read = log.rewind().and_then(|()| log.read_to_string(&mut text));
    if read.is_err() {
        return String::new();
    }
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
