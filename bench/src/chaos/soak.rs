//! Runs for long under a steady load with faults that worker processes survive: what a worker holds must not grow.

mod options;
mod plot;
mod points;
mod rule;
mod sampler;
mod samples;
mod series;
mod verdict;

use std::{path::Path, time::Duration};

use tokio::time::sleep;

pub(crate) use options::Options;

use super::{
    checker::Report,
    options::seed_or_new,
    parts::Disks,
    plan::Plan,
    results,
    rig::{Rig, Setup},
};
use crate::{archiver, interrupt, output};
use sampler::Sampler;
use samples::{Phases, Samples};

/// How long workers are idle before the load.
const BEFORE: Duration = Duration::from_secs(40);
/// How long they are idle after it: pooled connections are closed after 90 s, and the number of open lifecycles is read
/// once a minute.
const AFTER: Duration = Duration::from_secs(150);

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    interrupt::run(execute(options))
}

async fn execute(options: &Options) -> anyhow::Result<()> {
    archiver::check(&options.archiver)?;
    let seed = seed_or_new(options.seed);
    output::print(&format!("seed {seed}\n"))?;
    let (minutes, server) = (options.minutes, options.server.name());
    let archiver = options.archiver.display();
    let command = format!(
        "bench soak --minutes {minutes} --server {server} --seed {seed} --archiver {archiver}"
    );
    let run = async |directory: &Path, disks| run_in(options, seed, directory, disks).await;
    // All videos of half an hour would need 4 GB of memory.
    results::in_directory("soak", &command, false, run).await
}

async fn run_in(
    options: &Options,
    seed: u64,
    directory: &Path,
    disks: Disks,
) -> anyhow::Result<Report> {
    let length = options.length();
    let setup = Setup {
        seed,
        server: options.server,
        archiver: &options.archiver,
        other_worker: None,
        length,
    };
    let rig = Rig::start(setup, directory, disks).await?;
    let sampler = Sampler::start(&rig.parts.workers, rig.scrapes.pages.clone());
    sleep(BEFORE).await;
    let load_start = sampler.elapsed();
    let plan = Plan::steady(seed, options.videos(), length);
    let carried = rig.carry_out(plan).await?;
    rig.settle().await?;
    let settled = sampler.elapsed();
    sleep(AFTER).await;
    let samples = Samples {
        all: sampler.samples(),
        phases: Phases {
            load_start,
            load_end: load_start + length,
            settled,
        },
    };
    // Written before anything else can fail.
    output::write(&options.out, &samples.csv())?;
    output::write(&options.svg(), &plot::svg(&samples))?;
    let mut report = rig.check(&carried).await?;
    let verdict = verdict::of(&samples);
    output::print(&format!("\n{}", verdict.text()))?;
    report.add_all(verdict.rows());
    results::print(&report, &carried)?;
    Ok(report)
}
