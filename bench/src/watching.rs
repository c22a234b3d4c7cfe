//! Measures what watching tasks costs, in real time: seedance-archiver and the loops that people write, each with a worker
//! process, a Temporal server and a simulated API that enforces its rate limits.

mod actions;
mod arrivals;
mod counters;
mod histories;
mod kill;
mod lags;
mod load;
mod options;
mod row;
mod run;
mod shared_actions;
mod system;
mod table;
mod worker;

pub(crate) use options::Options;

use crate::{archiver, interrupt, output};
use row::Row;
use system::System;

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    interrupt::run(measure(options))
}

async fn measure(options: &Options) -> anyhow::Result<()> {
    let mut systems = options.systems().into_iter();
    if options.kill_watcher || systems.any(|it| matches!(it, System::Archiver(_))) {
        archiver::check(&options.archiver)?;
    }
    if options.kill_watcher {
        return kill::run(options).await;
    }
    let mut rows: Vec<Row> = Vec::new();
    for in_flight in &options.in_flight {
        for system in options.systems() {
            output::print(&format!("{system}, {in_flight} in flight\n"))?;
            let row = match run::run(options, system, *in_flight).await {
                Ok(row) => row,
                Err(error) => {
                    output::print(&format!("failed: {error:#}\n"))?;
                    Row::failed(system, *in_flight, &error)
                }
            };
            rows.push(row);
            // What was measured is kept if a later run is interrupted.
            let json = serde_json::json!({ "options": options, "rows": rows });
            output::write(&options.out, &serde_json::to_string_pretty(&json)?)?;
        }
    }
    output::print(&table::markdown(&rows))?;
    let is_complete = rows.iter().all(|row| row.error.is_none());
    anyhow::ensure!(is_complete, "some runs failed");
    Ok(())
}
