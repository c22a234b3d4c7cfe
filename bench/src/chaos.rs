//! Breaks everything that can break while videos are archived, and counts what was lost.

mod accounts;
mod callers;
mod checker;
mod cleaning;
mod counted;
mod crowd;
mod faults;
mod link;
mod load;
mod options;
mod parts;
mod pending;
mod plan;
mod rates;
mod results;
mod rig;
mod run;
mod scrapes;
mod settle;
pub(crate) mod soak;
mod windows;
mod world;

pub(crate) use options::Options;

use crate::{archiver, interrupt, output, server::ServerKind};
use plan::Plan;

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    interrupt::run(execute(options))
}

async fn execute(options: &Options) -> anyhow::Result<()> {
    archiver::check(&options.archiver)?;
    let seed = options.seed();
    output::print(&format!("seed {seed}\n"))?;
    let server = ServerKind::choose(options.server).await?;
    let mut plan = Plan::new(seed, options.videos, options.length());
    if options.no_faults {
        plan.faults.clear();
    }
    if options.other_worker.is_some() {
        plan.leave_out_mistakes_of_0_1_0();
    }
    run::run(options, server, seed, plan).await
}
