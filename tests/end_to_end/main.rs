//! End-to-end tests against a real Temporal server and the Seedance simulator.
//!
//! All tests share one Temporal server: a dev server that they start, or one that already runs (see
//! [`harness::existing_server`]). Each test has its own simulator, archive, task queues and workers.
//! The name of a test is the path of its function; see [`harness::registry`].

// A test program reports to the terminal.
#![allow(clippy::print_stderr)]

mod accounts;
mod activity_calls;
mod archiving;
mod auditing;
mod audits;
mod await_video_task;
mod batches;
mod callbacks;
mod closed_pipes;
mod command_line;
mod completion_times;
mod corruption;
mod crashes;
mod deaths;
mod demo;
mod destinations;
mod dialects;
mod disasters {
    mod buckets;
    mod key_rotation;
    mod lost_history;
    mod moved_bucket;
    mod not_executed;
    mod outage;
    mod partial_outage;
    mod paused;
    mod procedure;
    mod region_of_api;
    mod region_of_bucket;
    mod region_of_workers;
    mod sweeps;
    mod temporal_keys;
    mod terminal;
}
mod doctor {
    mod checks;
    mod findings;
    mod network;
    mod setup;
    mod stores;
}
mod drafts;
mod encodings;
mod erasing {
    mod command;
    mod lifecycles;
    mod listing;
}
mod events {
    mod delivery;
    mod endings;
    mod notifications;
    mod page;
    mod plugin;
    mod settings;
    mod undelivered;
}
mod examples {
    mod create_to_archive;
    mod languages;
    mod process;
}
mod gallery {
    mod bucket;
    pub(crate) mod generate;
    mod many_videos;
    mod page;
    mod receipts;
}
#[path = "../support/free_address.rs"]
mod free_address;
mod generating;
mod harness;
mod hosts;
mod inspection;
mod interoperability;
mod invalid_requests;
mod messages;
mod nexus;
mod operations {
    mod capacity;
    mod cloud;
    mod codec;
    mod drafts;
    mod events;
    mod fleet_upgrade;
    mod long_errors;
    pub(crate) mod metrics;
    mod nexus;
    mod outages;
    pub(crate) mod process;
    mod rate_limits;
    mod shutdown;
    mod startup;
    mod temporal_outages;
    mod traces;
    mod upgrades;
}
mod outcomes;
mod reasons;
mod receipts {
    mod archive;
    mod errors;
    mod formats;
    mod recipe;
    mod selection;
}
mod replay;
mod rescue;
mod retries;
mod scheduling;
mod schemas;
mod sealed_urls;
#[path = "../support/server.rs"]
mod server;
mod setup_commands;
mod signals;
mod strict_json;
mod sweeping;
mod task_records;
mod temporal_cli {
    mod download_site;
    mod downloads;
    mod machine;
    mod missing;
}
mod terminal;
mod unsafe_stores;
#[path = "../support/until.rs"]
mod until;
mod verifying;
mod visibility;
mod waiting;
mod watching;
mod web_ui;
mod windows;
#[path = "../support/workflow_path.rs"]
mod workflow_path;

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, anyhow};
use libtest_mimic::{Arguments, Trial};
use seedance_archiver::{
    dev_server::{self, DevServer},
    temporal::server_version,
};
use seedance_archiver_clock::Clock;
use temporalio_client::NamespacedClient;
use tokio::{runtime::Runtime, sync::Mutex};

use crate::harness::{
    Server, conduct, existing_server,
    registry::{self, Test},
    tools, worker_log,
};

/// Maximum duration of one test, so that a test that hangs does not hang the run. Far longer than any test takes on a
/// busy machine.
const TEST_TIMEOUT: Duration = Duration::from_secs(20 * 60);
/// Number of tests that run concurrently: more than there are cores, because tests mostly wait.
const TEST_CONCURRENCY: usize = 24;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(TEST_CONCURRENCY);
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cannot run the tests: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if arguments.list {
        let trials = registry::tests().into_iter();
        let trials = trials.map(|test| Trial::test(test.name(), || Ok(())));
        return Ok(libtest_mimic::run(arguments, trials.collect()).exit_code());
    }
    let runtime = Arc::new(Runtime::new()?);
    let _in_runtime = runtime.enter();
    let (server, dev_server) = runtime.block_on(connect_or_start())?;
    let server = Arc::new(server);
    let trials = registry::tests()
        .into_iter()
        .map(|test| trial(test, runtime.clone(), server.clone()))
        .collect();
    let dev_server = Arc::new(Mutex::new(dev_server));
    runtime.spawn(stop_on_ctrl_c(dev_server.clone()));
    let started_at = Clock::default().now();
    let conclusion = libtest_mimic::run(arguments, trials);
    let is_replayed = arguments.filter.is_none() || replay::is_recording();
    let replayed = match is_replayed && !conclusion.has_failed() {
        true => runtime.block_on(replay::replay_all(&server, started_at)),
        false => Ok(0),
    };
    runtime.block_on(stop(&dev_server));
    match replayed {
        Ok(count) => eprintln!("{count} histories of this run replay"),
        Err(error) => {
            eprintln!("the histories of this run: {error:#}");
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(conclusion.exit_code())
}

/// Connects to the server that the environment names, or starts a dev server.
async fn connect_or_start() -> anyhow::Result<(Server, Option<DevServer>)> {
    let (server, dev_server) = match existing_server::connect().await? {
        Some(server) => (server, None),
        None => {
            let dev_server = dev_server::start(true, &|step| eprintln!("{step}")).await;
            let dev_server = dev_server.context("cannot start a Temporal server")?;
            let (address, ui_url) = (dev_server.address.clone(), dev_server.ui_url.clone());
            let server = Server::new(dev_server.client.clone(), address, ui_url)?;
            (server, Some(dev_server))
        }
    };
    let version = server_version(&server.client).await?;
    let (address, namespace) = (&server.address, server.client.namespace());
    eprintln!("Temporal server {version} at {address}, namespace `{namespace}`");
    Ok((server, dev_server))
}

/// Makes a test runnable. If a tool that the test needs is missing, the test is reported as ignored, or as
/// failed if all tools are required.
fn trial(test: &'static Test, runtime: Arc<Runtime>, server: Arc<Server>) -> Trial {
    let missing = (test.check_tools)().err();
    let is_ignored = missing.is_some() && !tools::all_are_required();
    if let Some(tool) = missing.as_ref().filter(|_| is_ignored) {
        eprintln!("ignoring {}: {tool}", test.name());
    }
    let trial = Trial::test(test.name(), move || {
        if let Some(tool) = missing {
            return Err(tool.to_string().into());
        }
        let result = runtime.block_on(async {
            tokio::time::timeout(TEST_TIMEOUT, (test.run)(server))
                .await
                .map_err(|_| anyhow!("timed out after {} s", TEST_TIMEOUT.as_secs()))?
        });
        // Taken in any case, because the next test runs on the same thread.
        let (conduct, worker_log) = (conduct::check(), worker_log::take());
        result.and(conduct).map_err(|error| {
            // The report with all failures is printed only after the last test.
            eprintln!("{} failed: {error:#}", test.name());
            failure(&error, &worker_log).into()
        })
    });
    trial.with_ignored_flag(is_ignored)
}

fn failure(error: &anyhow::Error, worker_log: &[String]) -> String {
    match worker_log {
        [] => format!("{error:#}"),
        lines => format!(
            "{error:#}\n\nlast lines of worker processes:\n{}",
            lines.join("\n")
        ),
    }
}

/// Stops the dev server on Ctrl-C. The server does not receive the terminal's signal itself.
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
