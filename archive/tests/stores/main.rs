//! Tests archives on every store: each scenario runs on each store that supports it.
//!
//! Stores are configured by environment variables. So this program starts the servers, and then starts itself
//! again with the environment variables of the servers.

// A test runner prints its results.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod archiving;
mod attributes;
mod audit;
mod azurite;
mod breaking_store;
mod broken_responses;
mod concurrency;
mod dialects;
mod erasing;
mod existing_objects;
mod failed_copies;
mod fixture;
#[path = "../../../tests/support/free_address.rs"]
mod free_address;
mod host;
mod invalid_receipts;
mod keys;
mod links;
mod lookup;
mod lost_responses;
#[path = "../../../tests/support/minio.rs"]
mod minio;
#[path = "../support/one_url.rs"]
mod one_url;
mod outcomes;
mod probes;
mod registry;
mod requests;
mod resumption;
#[allow(
    dead_code,
    reason = "other tests control the proxy in the same process"
)]
#[path = "../../../tests/support/s3_proxy/proxy.rs"]
mod s3_proxy;
#[path = "../../../tests/support/server.rs"]
mod server;
mod servers;
#[path = "../support/serving.rs"]
mod serving;
mod store;
mod support_table;
mod tools;
#[path = "../../../tests/support/until.rs"]
mod until;
#[path = "../support/video.rs"]
mod video;

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Error, anyhow};
use libtest_mimic::{Arguments, Trial};
use seedance_archiver_archive::fetch::{UrlHosts, VideoClient};
use tokio::runtime::Runtime;

use fixture::Fixture;
use registry::{Scenario, scenarios};
use store::Store;
use support_table::SupportTable;

/// Timeout of a scenario on one store.
const TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// Scenarios mostly wait, so more of them run concurrently than there are cores.
const TEST_THREADS: usize = 8;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(TEST_THREADS);
    let result = match servers::directory() {
        None if !arguments.list => servers::start_and_run_again(),
        _ => run(&arguments),
    };
    result.unwrap_or_else(|error| {
        eprintln!("cannot run the tests: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let runtime = Arc::new(Runtime::new()?);
    let hosts = UrlHosts::parse(&["http://127.0.0.1"]).map_err(Error::msg)?;
    let client = VideoClient::new(hosts)?;
    let table = Arc::new(SupportTable::default());
    let mut trials = Vec::new();
    for scenario in scenarios() {
        table.add(scenario);
        let is_supported = |store: &Store| (scenario.supports)(*store);
        for store in Store::ALL.into_iter().filter(is_supported) {
            let (runtime, client, table) = (runtime.clone(), client.clone(), table.clone());
            let missing = store.server().err();
            let is_ignored = missing.is_some() && !tools::all_are_required();
            let name = format!("{}::{}", scenario.name, store.name());
            let trial = Trial::test(name, move || {
                let result = match missing {
                    Some(tool) => Err(anyhow!("{tool}")),
                    None => runtime.block_on(run_scenario(scenario, store, client)),
                };
                table.set(scenario.name, store, result.is_ok());
                result.map_err(|error| format!("{error:#}").into())
            });
            trials.push(trial.with_ignored_flag(is_ignored));
        }
    }
    for store in Store::ALL {
        if let Err(tool) = store.server() {
            eprintln!("skipping {}: {tool}", store.name());
        }
    }
    let conclusion = libtest_mimic::run(arguments, trials);
    if !arguments.list {
        println!("{table}");
    }
    Ok(conclusion.exit_code())
}

async fn run_scenario(
    scenario: &Scenario,
    store: Store,
    client: VideoClient,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(store, scenario.name, client)?;
    tokio::time::timeout(TIMEOUT, (scenario.run)(fixture))
        .await
        .map_err(|_| anyhow!("no result within {} s", TIMEOUT.as_secs()))?
}
