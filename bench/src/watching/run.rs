//! Measures one system with one number of tasks in flight.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver_simulator::Simulator;
use tempfile::TempDir;

use super::{
    arrivals::{self, Arrivals},
    counters::Counters,
    histories::{self, Facts},
    lags::Lags,
    load::{self, Load, Task},
    options::Options,
    row::{ProcessResults, Results, Row},
    shared_actions,
    system::System,
    worker::Worker,
};
use crate::{
    server::Server,
    usage::{MemorySamples, Usage},
};

/// How long after the measurement workflows may take to close.
const PATIENCE: Duration = Duration::from_secs(60);
const MEMORY_INTERVAL: Duration = Duration::from_secs(1);

/// What a run starts. It is stopped in this order.
pub(super) struct Bench {
    pub(super) load: Load,
    pub(super) workers: Vec<Worker>,
    pub(super) server: Server,
    pub(super) simulator: Arc<Simulator>,
    _directory: TempDir,
}

impl Bench {
    /// Starts everything, and waits until as many tasks as asked for are in flight and the warm-up has ended.
    pub(super) async fn start(
        options: &Options,
        system: System,
        in_flight: usize,
        workers: usize,
    ) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir().context("cannot create a directory")?;
        let simulator = Simulator::builder().enforce_rates().start().await?;
        let server = Server::start(options.server, directory.path()).await?;
        let mut started = Vec::new();
        for number in 0..workers {
            let path = directory.path();
            let worker = Worker::start(options, system, &server, &simulator, path, number);
            started.push(worker.await?);
        }
        let simulator = Arc::new(simulator);
        let arrivals = Arrivals::new(in_flight, options.median(in_flight), options.seed);
        let mut bench = Self {
            load: Load::start(system, &server.client, &simulator, arrivals),
            workers: started,
            server,
            simulator,
            _directory: directory,
        };
        tokio::time::sleep(arrivals::ramp(in_flight) + options.warm_up(in_flight)).await;
        bench.check()?;
        Ok(bench)
    }

    /// Returns an error if a process has exited, or a workflow could not be started.
    pub(super) fn check(&mut self) -> anyhow::Result<()> {
        self.server.process.check()?;
        for worker in &mut self.workers {
            worker.process.check()?;
        }
        self.load.tasks().map(drop)
    }
}

pub(super) async fn run(
    options: &Options,
    system: System,
    in_flight: usize,
) -> anyhow::Result<Row> {
    let mut bench = Bench::start(options, system, in_flight, 1).await?;
    let start = read_counters(&bench).await?;
    let mut worker = MemorySamples::default();
    let mut server = MemorySamples::default();
    let end = tokio::time::Instant::now() + options.measured_time();
    while tokio::time::Instant::now() < end {
        worker.add(Usage::of(&bench.workers[0].process));
        server.add(Usage::of(&bench.server.process));
        bench.check()?;
        tokio::time::sleep(MEMORY_INTERVAL).await;
    }
    let end = read_counters(&bench).await?;
    let time = start.at..end.at;
    let length = end.at.duration_since(start.at).unwrap_or_default();
    let ended = load::ended_during(&bench.load.tasks()?, start.at, length);
    ensure!(!ended.is_empty(), "no task ended; fix: --seconds");
    let videos = ended.len();
    let ended = sample(ended, options.sample);
    let sampled = ended.len();
    let client = &bench.server.client;
    let facts = histories::read(client, system, ended, PATIENCE).await?;
    let shared = shared_actions::count(client, &time).await?;
    let heartbeats = end.heartbeats - start.heartbeats;
    let process = |cpu_seconds, memory: &MemorySamples| ProcessResults {
        cpu_seconds,
        mean_mebibytes: memory.mean_mebibytes(),
        peak_mebibytes: memory.peak_mebibytes(),
    };
    let results = Results {
        server: options.server.name(),
        server_version: bench.server.version.clone(),
        median_seconds: options.median(in_flight),
        measured_seconds: length.as_secs_f64(),
        videos,
        sampled,
        open: sampled - facts.len(),
        failed: facts.iter().filter(|it| !it.is_completed).count(),
        requests: end.requests - start.requests,
        lag_seconds: Lags::of(facts.iter().map(|it| it.lag)),
        actions: mean(&facts, |it| it.actions.values().sum()),
        actions_by_cause: by_cause(&facts),
        shared_actions: (shared + heartbeats) as f64 / videos as f64,
        heartbeats,
        history_events: mean(&facts, |it| it.events),
        worker: process(end.worker_cpu - start.worker_cpu, &worker),
        server_process: process(end.server_cpu - start.server_cpu, &server),
    };
    Ok(Row {
        system,
        in_flight,
        error: None,
        results: Some(results),
    })
}

async fn read_counters(bench: &Bench) -> anyhow::Result<Counters> {
    Counters::read(&bench.simulator, &bench.workers[0], &bench.server).await
}

/// Returns at most `count` of the tasks, evenly spaced.
fn sample(tasks: Vec<Task>, count: usize) -> Vec<Task> {
    let total = tasks.len();
    let is_chosen = |index: usize| index * count / total != (index + 1) * count / total;
    let tasks = tasks.into_iter().enumerate();
    tasks
        .filter(|(index, _)| count >= total || is_chosen(*index))
        .map(|(_, task)| task)
        .collect()
}

fn mean(facts: &[Facts], value: impl Fn(&Facts) -> u64) -> f64 {
    facts.iter().map(value).sum::<u64>() as f64 / facts.len().max(1) as f64
}

/// Returns the actions a video by what caused them.
fn by_cause(facts: &[Facts]) -> BTreeMap<String, f64> {
    let mut sums = BTreeMap::<String, f64>::new();
    for (cause, count) in facts.iter().flat_map(|it| &it.actions) {
        *sums.entry(cause.clone()).or_default() += *count as f64 / facts.len() as f64;
    }
    sums
}
