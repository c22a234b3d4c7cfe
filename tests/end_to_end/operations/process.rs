//! A worker process, with access to its log and its admin port.

use std::{
    path::Path,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, anyhow};
use parking_lot::Mutex;
use rustix::process::Signal;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

use crate::harness::{Fixture, Server, command, command_of, send_signal, until, until_async};

/// Maximum time for a worker to exit.
const EXIT_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// A worker process with an admin port.
pub(crate) struct WorkerProcess {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    /// Completes at the end of the log.
    reader: JoinHandle<()>,
}

impl WorkerProcess {
    /// Starts a worker with additional environment variables.
    pub(crate) fn start(
        fixture: &Fixture,
        server: &Server,
        variables: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        Self::start_with(fixture, server, variables, &[])
    }

    /// Starts a worker of another version, with additional environment variables.
    pub(crate) fn start_program(
        program: &Path,
        fixture: &Fixture,
        server: &Server,
        variables: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        Self::spawn(command_of(program), fixture, server, variables, &[])
    }

    /// Starts a worker with additional environment variables and arguments.
    pub(crate) fn start_with(
        fixture: &Fixture,
        server: &Server,
        variables: &[(&str, &str)],
        arguments: &[&str],
    ) -> anyhow::Result<Self> {
        Self::spawn(command(), fixture, server, variables, arguments)
    }

    fn spawn(
        mut command: Command,
        fixture: &Fixture,
        server: &Server,
        variables: &[(&str, &str)],
        arguments: &[&str],
    ) -> anyhow::Result<Self> {
        let mut child = command
            .arg("worker")
            .args(arguments)
            .envs(server.environment())
            .env("TEMPORAL_TASK_QUEUE", &fixture.config.task_queue)
            .env("SEEDANCE_BASE_URL", fixture.simulator.base_url())
            .env("SEEDANCE_API_KEY", fixture.simulator.api_key())
            .env("SEEDANCE_ARCHIVE_URL", fixture.config.archive_url.as_str())
            .env("SEEDANCE_ADMIN_ADDRESS", "127.0.0.1:0")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the worker")?;
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let mut lines = BufReader::new(child.stderr.take().context("no stderr")?).lines();
        let writer = log.clone();
        let reader = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                writer.lock().push(line);
            }
        });
        Ok(Self { child, log, reader })
    }

    /// Returns the lines of the log so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().clone()
    }

    /// Returns the first log event with a message.
    pub(crate) fn log_event(&self, message: &str) -> Option<Value> {
        let events = self.log().into_iter();
        let mut events = events.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        events.find(|event| event["message"] == message)
    }

    /// Waits for a log event with a message.
    pub(crate) async fn wait_for_log(&self, message: &str) -> anyhow::Result<Value> {
        let logged = until(message, || self.log_event(message).is_some()).await;
        logged.with_context(|| self.log().join("\n"))?;
        self.log_event(message).context("no such log event")
    }

    /// Waits for a log event with a message and a field.
    pub(crate) async fn wait_for_log_with(
        &self,
        message: &str,
        field: &str,
        value: &str,
    ) -> anyhow::Result<()> {
        let is_logged = || {
            let events = self.log().into_iter();
            let mut events = events.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
            events.any(|event| event["message"] == message && event[field] == value)
        };
        let logged = until(&format!("{message}, {field}={value}"), is_logged).await;
        logged.with_context(|| self.log().join("\n"))
    }

    /// Waits until `/readyz` returns a response with this text.
    pub(crate) async fn wait_for_readiness(&self, text: &str) -> anyhow::Result<()> {
        let is_returned = || async { Ok(self.get("/readyz").await?.1 == format!("{text}\n")) };
        let returned = until_async(&format!("/readyz returns `{text}`"), is_returned).await;
        returned.with_context(|| self.log().join("\n"))
    }

    /// Returns the URL of the admin port.
    pub(crate) async fn admin_url(&self) -> anyhow::Result<String> {
        let event = self
            .wait_for_log("listening for health checks and metrics")
            .await?;
        let address = event["address"].as_str().context("no address")?;
        Ok(format!("http://{address}"))
    }

    /// Sends a request to the admin port, and returns the status and the body of the response.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let response = reqwest::get(format!("{}{path}", self.admin_url().await?)).await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    /// Returns the process id.
    pub(super) fn id(&self) -> anyhow::Result<u32> {
        self.child.id().context("the worker has exited")
    }

    pub(crate) fn send_signal(&self, signal: Signal) -> anyhow::Result<()> {
        send_signal(&self.child, signal)
    }

    /// Waits until the process has exited and its log is complete.
    pub(crate) async fn wait_for_exit(&mut self) -> anyhow::Result<ExitStatus> {
        let exited = async {
            let status = self.child.wait().await?;
            (&mut self.reader).await?;
            anyhow::Ok(status)
        };
        let exited = tokio::time::timeout(EXIT_TIMEOUT, exited).await;
        exited.map_err(|_| anyhow!("the worker did not exit: {}", self.log().join("\n")))?
    }

    /// Sends SIGTERM, and waits until the process has exited.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        self.send_signal(Signal::TERM)?;
        self.wait_for_exit().await
    }
}
