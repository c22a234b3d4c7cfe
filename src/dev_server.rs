//! A local Temporal server for the demo, `--dev` and tests: the dev server of the Temporal CLI, on free
//! ports, stopped when dropped. Its process gets none of the variables with the worker's secrets.
//!
//! - [`locate()`]: finds or installs the Temporal CLI.
//! - [`start`]: starts a server and connects to it.

mod build;
mod child;
mod download;
mod install;
mod locate;
mod process;
mod release;

use std::{
    fs::File,
    io::{self, Read, Seek},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use backon::{ConstantBuilder, Retryable};
use reqwest::Url;
use temporalio_client::{Client, ClientOptions, Connection, ConnectionOptions};
use tokio::process::Command;

use crate::temporal::search_attributes;

pub use locate::{LocateError, locate};
use process::ProcessGroup;

/// Namespace of the dev server.
pub const NAMESPACE: &str = "default";

/// Interval and maximum number of connection retries after a server was started.
const CONNECT_INTERVAL: Duration = Duration::from_millis(100);
const MAX_CONNECT_RETRIES: usize = 600;
/// Maximum number of starts if the server exits by itself.
const MAX_STARTS: usize = 3;
/// Maximum number of lines of the server's output in an error.
const MAX_LOG_LINES: usize = 20;

/// A running dev server.
pub struct DevServer {
    /// `host:port` of the gRPC endpoint.
    pub address: String,
    /// URL of the Web UI, if the server has one.
    pub ui_url: Option<String>,
    /// A client of the namespace [`NAMESPACE`].
    pub client: Client,
    process: ProcessGroup,
}

/// Why a dev server could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The Temporal CLI was not found and could not be installed.
    #[error(transparent)]
    Locate(#[from] LocateError),
    /// The ports of the server could not be reserved.
    #[error("cannot reserve a port: {0}")]
    Port(io::Error),
    /// The temporary file for the server's output could not be created.
    #[error("cannot create a temporary file: {0}")]
    TemporaryFile(io::Error),
    /// The Temporal CLI could not be run.
    #[error("cannot run `{}`: {source}", .program.display())]
    Spawn {
        /// Path of the Temporal CLI.
        program: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The server exited by itself.
    #[error("no usable Temporal server at {address}: the server exited with {status}{}", output_suffix(.log))]
    Exited {
        /// Address that the server was to listen on.
        address: String,
        /// Exit status of the process.
        status: String,
        /// The end of the server's output.
        log: String,
    },
    /// The server does not respond.
    #[error("no usable Temporal server at {address}: {error}{}", output_suffix(.log))]
    Unreachable {
        /// Address that the server was to listen on.
        address: String,
        /// Error of the last connection attempt.
        error: String,
        /// The end of the server's output.
        log: String,
    },
}

fn output_suffix(log: &str) -> String {
    if log.is_empty() {
        String::new()
    } else {
        format!("; its output ends with:\n{log}")
    }
}

/// Starts a dev server without persistence. Calls `notify` before each step that can take long.
///
/// # Errors
///
/// Returns an error if the Temporal CLI cannot be located, or its server does not start.
pub async fn start(
    with_ui: bool,
    notify: &(dyn Fn(&str) + Send + Sync),
) -> Result<DevServer, StartError> {
    let program = locate(notify).await?;
    notify("starting a Temporal dev server");
    let mut starts = 1;
    loop {
        match start_on_free_ports(&program, with_ui).await {
            // Another process may occupy one of the ports by now.
            Err(StartError::Exited { .. }) if starts < MAX_STARTS => starts += 1,
            started => return started,
        }
    }
}

async fn start_on_free_ports(program: &Path, with_ui: bool) -> Result<DevServer, StartError> {
    let spawn_error = |source| StartError::Spawn {
        program: program.to_owned(),
        source,
    };
    let [port, ui_port] = free_ports().map_err(StartError::Port)?;
    let mut log = tempfile::tempfile().map_err(StartError::TemporaryFile)?;
    let mut command = command(program, port, ui_port, with_ui);
    command
        .stdout(log.try_clone().map_err(StartError::TemporaryFile)?)
        .stderr(log.try_clone().map_err(StartError::TemporaryFile)?);
    let mut process = ProcessGroup::spawn(command).map_err(spawn_error)?;

    let address = format!("127.0.0.1:{port}");
    match connect(&address, &mut process).await {
        Ok(client) => Ok(DevServer {
            ui_url: with_ui.then(|| format!("http://127.0.0.1:{ui_port}")),
            address,
            client,
            process,
        }),
        Err(ConnectError::Exited(status)) => Err(StartError::Exited {
            address,
            status,
            log: last_lines(&mut log),
        }),
        Err(ConnectError::Unreachable(error)) => {
            process.stop().await;
            Err(StartError::Unreachable {
                address,
                error,
                log: last_lines(&mut log),
            })
        }
    }
}

fn command(program: &Path, port: u16, ui_port: u16, with_ui: bool) -> Command {
    let mut command = child::command(program);
    command
        .args(["server", "start-dev", "--ip", "127.0.0.1"])
        .args(["--log-level", "error"])
        .args(["--namespace", NAMESPACE, "--port", &port.to_string()])
        .args(["--ui-port", &ui_port.to_string()])
        .arg(format!("--headless={}", !with_ui))
        // Enables task queue priority, so that the most urgent videos are archived first.
        .args(["--dynamic-config-value", "matching.useNewMatcher=true"])
        .args(search_attributes::ALL.iter().flat_map(|(name, kind)| {
            let kind = search_attributes::type_name(*kind);
            ["--search-attribute".to_owned(), format!("{name}={kind}")]
        }))
        .stdin(Stdio::null());
    command
}

impl DevServer {
    /// Stops the server and waits until its process has exited.
    pub async fn stop(mut self) {
        self.process.stop().await;
    }
}

enum ConnectError {
    Exited(String),
    Unreachable(String),
}

/// Connects to the server as soon as it responds.
async fn connect(address: &str, process: &mut ProcessGroup) -> Result<Client, ConnectError> {
    let target = Url::parse(&format!("http://{address}"));
    let target = target.map_err(|error| ConnectError::Unreachable(error.to_string()))?;
    let options = ConnectionOptions::new(target).build();
    let attempt = || async {
        let connection = Connection::connect(options.clone())
            .await
            .map_err(|error| error.to_string())?;
        Client::new(connection, ClientOptions::new(NAMESPACE).build())
            .map_err(|error| error.to_string())
    };
    let backoff = ConstantBuilder::default()
        .with_delay(CONNECT_INTERVAL)
        .with_max_times(MAX_CONNECT_RETRIES);
    tokio::select! {
        connected = attempt.retry(backoff) => connected.map_err(ConnectError::Unreachable),
        status = process.exited() => Err(ConnectError::Exited(status)),
    }
}

/// Returns two ports that are free now.
fn free_ports() -> io::Result<[u16; 2]> {
    let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    // Both sockets stay open until both ports are known, so the ports differ.
    let (first, second) = (listen()?, listen()?);
    Ok([first.local_addr()?.port(), second.local_addr()?.port()])
}

fn last_lines(log: &mut File) -> String {
    let mut text = String::new();
    let read = log.rewind().and_then(|()| log.read_to_string(&mut text));
    if read.is_err() {
        return String::new();
    }
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(MAX_LOG_LINES)..].join("\n")
}
