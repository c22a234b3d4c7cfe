//! The binary as a worker, whose log is read.

use std::{
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, anyhow};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Child,
    task::JoinHandle,
};

use crate::world::{Server, World, command, until};

/// A worker process.
pub(super) struct Process {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    /// Ends with the log.
    reader: JoinHandle<()>,
}

impl Process {
    /// A worker of this world, with an admin port of its own.
    pub(super) fn worker(
        world: &World,
        server: &Server,
        variables: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        Self::worker_with(world, &server.address, variables, &[])
    }

    /// The same with a Temporal elsewhere, and with arguments.
    pub(super) fn worker_with(
        world: &World,
        temporal: &str,
        variables: &[(&str, &str)],
        arguments: &[&str],
    ) -> anyhow::Result<Self> {
        let mut child = command()
            .arg("worker")
            .args(arguments)
            .env("TEMPORAL_ADDRESS", temporal)
            .env("TEMPORAL_TASK_QUEUE", &world.config.task_queue)
            .env("SEEDANCE_BASE_URL", world.simulator.base_url())
            .env("SEEDANCE_API_KEY", world.simulator.api_key())
            .env("SEEDANCE_ARCHIVE_URL", world.config.archive_url.as_str())
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
                lock(&writer).push(line);
            }
        });
        Ok(Self { child, log, reader })
    }

    /// What it has written so far.
    pub(super) fn log(&self) -> Vec<String> {
        lock(&self.log).clone()
    }

    /// The first event with this message.
    pub(super) fn event(&self, message: &str) -> Option<Value> {
        let events = self.log().into_iter();
        let mut events = events.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        events.find(|event| event["message"] == message)
    }

    /// Waits until it has written an event with this message.
    pub(super) async fn says(&self, message: &str) -> anyhow::Result<Value> {
        let said = until(message, || self.event(message).is_some()).await;
        said.with_context(|| self.log().join("\n"))?;
        self.event(message).context("it was there")
    }

    /// The address of its admin port.
    pub(super) async fn admin(&self) -> anyhow::Result<String> {
        let event = self.says("listening for health checks and metrics").await?;
        let address = event["address"].as_str().context("no address")?;
        Ok(format!("http://{address}"))
    }

    /// What its admin port answers.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let answer = reqwest::get(format!("{}{path}", self.admin().await?)).await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    pub(super) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let id = self.child.id().context("it has ended")?;
        let pid = Pid::from_raw(i32::try_from(id)?).context("no process id")?;
        Ok(kill_process(pid, signal)?)
    }

    /// Waits until it has ended, and its log with it.
    pub(super) async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        let ended = async {
            let status = self.child.wait().await?;
            (&mut self.reader).await?;
            anyhow::Ok(status)
        };
        let ended = tokio::time::timeout(Duration::from_secs(60), ended).await;
        ended.map_err(|_| anyhow!("it goes on: {}", self.log().join("\n")))?
    }

    /// Asks it to stop, and waits until it has.
    pub(super) async fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.ended().await
    }
}

/// What a test that failed has left is told all the same.
pub(super) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
