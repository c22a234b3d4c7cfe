//! What an archive does, on every store: one behaviour after another, each on all that have it.
//!
//! Stores are configured by the environment of a process, so this program starts the servers and then
//! itself again, with all that their stores have to be told.

// This is a program of its own, and talks to whoever runs it.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod adopting;
mod arriving;
mod attributes;
mod auditing;
mod azurite;
mod host;
mod linking;
#[path = "../../../tests/support/minio.rs"]
mod minio;
mod naming;
#[path = "../support/origin.rs"]
mod origin;
mod outcomes;
mod racing;
mod requests;
mod resuming;
#[path = "../../../tests/support/server.rs"]
mod server;
mod servers;
#[path = "../support/serving.rs"]
mod serving;
mod store;
mod table;
mod tools;
#[path = "../../../tests/support/until.rs"]
mod until;
#[path = "../support/video.rs"]
mod video;
mod world;

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Error, anyhow};
use futures::future::BoxFuture;
use libtest_mimic::{Arguments, Trial};
use seedance_archiver_archive::fetch::{Downloads, UrlHosts};
use tokio::runtime::Runtime;

use store::Store;
use table::Table;
use world::World;

/// Longest time for one trial: a hang must not hang the run.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Trials mostly wait, so more of them run at once than there are cores.
const TEST_THREADS: usize = 8;

/// Something that an archive does.
#[derive(Clone, Copy)]
pub(crate) struct Behaviour {
    pub(crate) name: &'static str,
    /// Whether a store has what it takes.
    pub(crate) is_of: fn(Store) -> bool,
    pub(crate) run: fn(World) -> BoxFuture<'static, anyhow::Result<()>>,
}

fn behaviours() -> Vec<Behaviour> {
    let modules = [
        arriving::behaviours(),
        attributes::behaviours(),
        adopting::behaviours(),
        racing::behaviours(),
        resuming::behaviours(),
        outcomes::behaviours(),
        auditing::behaviours(),
        linking::behaviours(),
        naming::behaviours(),
    ];
    modules.into_iter().flatten().collect()
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(TEST_THREADS);
    let done = match servers::directory() {
        None if !arguments.list => servers::start_this_again(),
        _ => run(&arguments),
    };
    done.unwrap_or_else(|error| {
        eprintln!("cannot run the tests: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let runtime = Arc::new(Runtime::new()?);
    let hosts = UrlHosts::parse(&["http://127.0.0.1"]).map_err(Error::msg)?;
    let downloads = Downloads::new(hosts)?;
    let table = Arc::new(Table::default());
    let mut trials = Vec::new();
    for behaviour in behaviours() {
        table.add(behaviour);
        let has_it = |store: &Store| (behaviour.is_of)(*store);
        for store in Store::ALL.into_iter().filter(has_it) {
            let (runtime, downloads, table) = (runtime.clone(), downloads.clone(), table.clone());
            let missing = store.server().err();
            let is_skipped = missing.is_some() && !tools::all_are_required();
            let name = format!("{}::{}", behaviour.name, store.name());
            let trial = Trial::test(name, move || {
                let outcome = match missing {
                    Some(tool) => Err(anyhow!("{tool}")),
                    None => runtime.block_on(trial(behaviour, store, downloads)),
                };
                table.note(behaviour.name, store, outcome.is_ok());
                outcome.map_err(|error| format!("{error:#}").into())
            });
            trials.push(trial.with_ignored_flag(is_skipped));
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

async fn trial(behaviour: Behaviour, store: Store, downloads: Downloads) -> anyhow::Result<()> {
    let world = World::new(store, behaviour.name, downloads)?;
    tokio::time::timeout(TIMEOUT, (behaviour.run)(world))
        .await
        .map_err(|_| anyhow!("too slow"))?
}
