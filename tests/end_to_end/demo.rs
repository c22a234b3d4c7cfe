//! The commands that `demo` prints at its end.

use std::{process::Stdio, sync::Arc};

use anyhow::{Context, bail, ensure};
use rustix::process::Signal;
use tempfile::TempDir;
use temporalio_client::{UntypedWorkflow, WorkflowDescribeOptions, WorkflowExecutionStatus};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStderr, Command},
};

use crate::harness::{Server, command, existing_server, register, send_signal, shell, until_async};

/// The commands are copied to a terminal that is in another directory.
async fn every_printed_command_works(_: Arc<Server>) -> anyhow::Result<()> {
    let directory = tempfile::Builder::new().prefix("Bob's $1 ").tempdir()?;
    let elsewhere = tempfile::tempdir()?;
    let mut demo = Demo::start(command().arg("demo"), &directory)?;
    let commands = demo.printed_commands(3).await?;
    let status = demo.process.wait().await?;
    ensure!(status.success(), "{status}");
    let [gallery, receipts, stay] = commands.as_slice() else {
        bail!("{commands:?}");
    };
    let page = output(gallery, &elsewhere).await?;
    ensure!(page.contains("gallery/index.html: 5 videos"), "{page}");
    let table = output(receipts, &elsewhere).await?;
    ensure!(table.matches("cgt-").count() == 5, "{table}");

    let mut demo = Demo::start(&mut shell(&format!("exec {stay}")), &directory)?;
    let caller = demo
        .printed_after("A workflow that waited with Nexus: ")
        .await?;
    let generation = demo
        .printed_after("A workflow that created its task: ")
        .await?;
    let commands = demo.printed_commands(6).await?;
    let [status, list, generate, audit, gallery, receipts] = commands.as_slice() else {
        bail!("{commands:?}");
    };
    check_that_it_completed(&caller, status).await?;
    check_that_it_completed(&generation, status).await?;
    let status = output(status, &elsewhere).await?;
    ensure!(status.contains("outcome         archived"), "{status}");
    let list = output(list, &elsewhere).await?;
    ensure!(list.matches("cgt-").count() == 8, "{list}");
    let table = output(generate, &elsewhere).await?;
    ensure!(table.contains("archived"), "{table}");
    let audit = output(audit, &elsewhere).await?;
    ensure!(audit.contains("audit-archive/default created"), "{audit}");
    let page = output(gallery, &elsewhere).await?;
    ensure!(page.contains("gallery/index.html: 11 videos"), "{page}");
    let table = output(receipts, &elsewhere).await?;
    ensure!(table.matches("cgt-").count() == 11, "{table}");
    demo.interrupt().await
}
register!(every_printed_command_works, takes_long);

/// Waits until the workflow at a URL of the Web UI has completed, on the server that a printed command names.
async fn check_that_it_completed(url: &str, line: &str) -> anyhow::Result<()> {
    let address = line.split(['=', ' ']).nth(1).context("no address")?;
    let client = existing_server::connect_to(address, "default".to_owned()).await?;
    let id = url.rsplit('/').next().context("no workflow id")?;
    let workflow = client.get_workflow_handle::<UntypedWorkflow>(id.replace("%2F", "/"));
    until_async("the workflow has its result", || async {
        let described = workflow.describe(WorkflowDescribeOptions::default());
        Ok(described.await?.status() == WorkflowExecutionStatus::Completed)
    })
    .await
}

/// Runs a printed command, and returns its standard output.
async fn output(line: &str, directory: &TempDir) -> anyhow::Result<String> {
    let output = shell(line).current_dir(directory).output().await?;
    ensure!(output.status.success(), "{line}: {output:?}");
    Ok(String::from_utf8(output.stdout)?)
}

/// A running demo.
struct Demo {
    process: Child,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Demo {
    fn start(command: &mut Command, directory: &TempDir) -> anyhow::Result<Self> {
        let command = command.current_dir(directory).stdin(Stdio::null());
        let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.kill_on_drop(true).spawn()?;
        let stderr = BufReader::new(process.stderr.take().context("no stderr")?).lines();
        Ok(Self { process, stderr })
    }

    /// Waits for this number of commands: indented lines.
    async fn printed_commands(&mut self, count: usize) -> anyhow::Result<Vec<String>> {
        let mut commands = Vec::new();
        while commands.len() < count {
            let line = self.stderr.next_line().await?;
            let line = line.with_context(|| format!("only {commands:?}"))?;
            commands.extend(line.strip_prefix("  ").map(str::to_owned));
        }
        Ok(commands)
    }

    /// Waits for the line with this prefix, and returns the rest of the line.
    async fn printed_after(&mut self, prefix: &str) -> anyhow::Result<String> {
        loop {
            let line = self.stderr.next_line().await?;
            let line = line.with_context(|| format!("no line `{prefix}`"))?;
            if let Some(rest) = line.strip_prefix(prefix) {
                return Ok(rest.to_owned());
            }
        }
    }

    async fn interrupt(mut self) -> anyhow::Result<()> {
        send_signal(&self.process, Signal::INT)?;
        let status = self.process.wait().await?;
        ensure!(status.success(), "{status}");
        Ok(())
    }
}
