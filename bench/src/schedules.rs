//! Compares poll schedules in virtual time.

mod candidates;
mod limit;
mod mixes;
mod plot;
mod pollers;
mod report;
mod simulation;
mod truth;

use std::path::PathBuf;

use report::MixReport;

use crate::output;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Write the results to this file, as JSON
    #[arg(
        long,
        value_name = "FILE",
        default_value = "target/bench/schedules.json"
    )]
    out: PathBuf,
    /// Write a plot of requests against lag to this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let mut reports = Vec::new();
    for mix in mixes::all() {
        let report = MixReport::new(&mix);
        output::print(&report.table())?;
        reports.push(report);
    }
    output::print("*: no other schedule has both fewer requests and less lag\n")?;
    let json = serde_json::json!({ "mixes": reports });
    output::write(&options.out, &serde_json::to_string_pretty(&json)?)?;
    if let Some(path) = &options.svg {
        output::write(path, &plot::svg(&reports))?;
    }
    Ok(())
}
