//! One run: starts everything, breaks it, heals it, and checks what is left.

use std::path::Path;

use super::{
    checker::Report,
    faults::Carried,
    options::Options,
    parts::Disk,
    plan::Plan,
    results,
    rig::{Rig, Setup},
};
use crate::output;

pub(super) async fn run(options: &Options, seed: u64, plan: Plan) -> anyhow::Result<()> {
    let run = async |directory: &Path, disk| run_in(options, seed, plan, directory, disk).await;
    results::in_directory("chaos", &command_line(options, seed), run).await
}

fn command_line(options: &Options, seed: u64) -> String {
    let Options {
        videos,
        minutes,
        server,
        ..
    } = options;
    let server = server.name();
    format!("bench chaos --videos {videos} --minutes {minutes} --server {server} --seed {seed}")
}

async fn run_in(
    options: &Options,
    seed: u64,
    plan: Plan,
    directory: &Path,
    disk: Option<Disk>,
) -> anyhow::Result<Report> {
    // Version 0.1.0 rejects a directory as the destination of a video unless it is inside of its own archive.
    let disk = disk.filter(|_| options.other_worker.is_none());
    let setup = Setup {
        seed,
        server: options.server,
        archiver: &options.archiver,
        other_worker: options.other_worker.as_deref(),
        length: options.length(),
    };
    let rig = Rig::start(setup, directory, disk).await?;
    let carried = rig.carry_out(plan).await?;
    rig.settle().await?;
    let report = rig.check(&carried).await?;
    finish(options, seed, &report, &carried)?;
    Ok(report)
}

fn finish(options: &Options, seed: u64, report: &Report, carried: &Carried) -> anyhow::Result<()> {
    results::print(report, carried)?;
    let json = serde_json::json!({
        "options": options, "seed": seed, "rows": report.rows,
        "faults": carried.names(), "not_run": carried.skipped,
    });
    output::write(&options.out, &serde_json::to_string_pretty(&json)?)
}
