//! End to end, against a real Temporal server and the simulator. One server serves the whole run;
//! each test has a simulator, an archive, task queues and workers of its own.

// This is a program of its own, and talks to whoever runs it.
#![allow(clippy::print_stderr)]

mod accounts;
mod archiving;
mod auditing;
mod awaiting;
mod batches;
mod browser;
mod callbacks;
mod callers;
mod clients;
mod command_line;
mod corruption;
mod crashes;
mod doctor;
mod encodings;
mod endings;
mod examples;
mod gallery;
mod looking;
mod messages;
mod minio;
mod operations;
mod relay;
mod replay;
mod requests;
mod rescue;
mod scheduling;
mod schema;
mod secrets;
#[path = "../support/server.rs"]
mod server;
mod server_process;
mod setting_up;
mod strict;
mod sweeping;
mod tools;
#[path = "../support/until.rs"]
mod until;
mod verdicts;
mod visibility;
mod waiting;
mod web_ui;
mod wire;
mod world;

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, anyhow};
use libtest_mimic::{Arguments, Trial};
use seedance_archiver::dev_server::{self, DevServer};
use tokio::{runtime::Runtime, sync::Mutex};

use world::Server;

/// Longest time for one test: a hang must not hang the run.
const TIMEOUT: Duration = Duration::from_secs(240);
/// Tests mostly wait, so more of them run at once than there are cores.
const TEST_THREADS: usize = 6;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(TEST_THREADS);
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cannot run the tests: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let runtime = Arc::new(Runtime::new()?);
    if arguments.list {
        return Ok(libtest_mimic::run(arguments, Vec::new()).exit_code());
    }
    let _in_runtime = runtime.enter();
    let dev_server = runtime
        .block_on(dev_server::start(true, &|step| eprintln!("{step}")))
        .context("no Temporal server")?;
    let server = Server::new(&dev_server)?;
    let suite = Suite {
        runtime: runtime.clone(),
        server: Arc::new(server),
        trials: Vec::new(),
    };
    let suite = [
        endings::tests,
        verdicts::tests,
        archiving::tests,
        corruption::tests,
        auditing::tests,
        waiting::tests,
        messages::tests,
        replay::tests,
        requests::tests,
        callers::tests,
        awaiting::tests,
        batches::tests,
        encodings::tests,
        secrets::tests,
        callbacks::tests,
        visibility::tests,
        accounts::tests,
        crashes::tests,
        command_line::tests,
        rescue::tests,
        sweeping::tests,
        scheduling::tests,
        looking::tests,
        setting_up::tests,
        doctor::tests,
        clients::tests,
        examples::tests,
        strict::tests,
        web_ui::tests,
        gallery::tests,
        operations::tests,
    ]
    .into_iter()
    .fold(suite, |suite, module| module(suite));
    let dev_server = Arc::new(Mutex::new(Some(dev_server)));
    runtime.spawn(stop_on_ctrl_c(dev_server.clone()));
    let conclusion = libtest_mimic::run(arguments, suite.trials);
    runtime.block_on(stop(&dev_server));
    Ok(conclusion.exit_code())
}

/// The server does not get the terminal's Ctrl-C: without this it would stay.
async fn stop_on_ctrl_c(server: Arc<Mutex<Option<DevServer>>>) {
    if tokio::signal::ctrl_c().await.is_ok() {
        stop(&server).await;
        std::process::exit(130);
    }
}

async fn stop(server: &Mutex<Option<DevServer>>) {
    if let Some(server) = server.lock().await.take() {
        server.stop().await;
    }
}

/// Collects the tests.
pub(crate) struct Suite {
    runtime: Arc<Runtime>,
    server: Arc<Server>,
    trials: Vec<Trial>,
}

impl Suite {
    /// Adds a test.
    fn test<F>(self, name: &str, test: impl FnOnce(Arc<Server>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = anyhow::Result<()>>,
    {
        self.test_with(name, Ok(()), test)
    }

    /// Adds a test that needs a tool. Where it is missing, the test is reported as ignored, or fails
    /// where all tools are required.
    fn test_with<F>(
        mut self,
        name: &str,
        tool: Result<(), tools::Missing>,
        test: impl FnOnce(Arc<Server>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = anyhow::Result<()>>,
    {
        let (runtime, server) = (self.runtime.clone(), self.server.clone());
        let missing = tool.err();
        let is_skipped = missing.is_some() && !tools::all_are_required();
        if let Some(tool) = missing.as_ref().filter(|_| is_skipped) {
            eprintln!("skipping {name}: {tool}");
        }
        let trial = Trial::test(name, move || {
            if let Some(tool) = missing {
                return Err(tool.to_string().into());
            }
            let outcome = runtime.block_on(async {
                tokio::time::timeout(TIMEOUT, test(server))
                    .await
                    .map_err(|_| anyhow!("too slow"))?
            });
            outcome.map_err(|error| format!("{error:#}").into())
        });
        self.trials.push(trial.with_ignored_flag(is_skipped));
        self
    }
}
