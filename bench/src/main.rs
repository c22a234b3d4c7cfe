//! Benchmarks of seedance-archiver. See `bench/README.md`.

mod archiver;
mod chaos;
mod descriptors;
#[path = "../../tests/support/free_address.rs"]
mod free_address;
mod history;
mod interrupt;
mod minio;
mod output;
mod plot;
mod process;
mod programs;
mod random;
mod schedules;
mod server;
mod sources;
mod transfers;
mod usage;
mod watching;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "bench", about, version)]
struct Cli {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// Compare poll schedules in virtual time: requests against lag
    Schedules(schedules::Options),
    /// Transfer videos, beside curl and rclone: speed, CPU and memory
    Transfers(transfers::Options),
    /// Watch tasks in real time, beside the loops that people write: requests, lag, actions, CPU and memory
    Watching(watching::Options),
    /// Break everything that can break while videos are archived, and count what was lost
    Chaos(chaos::Options),
    /// Run for long under a steady load with faults: what a worker holds must not grow
    Soak(chaos::soak::Options),
    /// Run `schedules`, `transfers` and `watching` with their default options
    All,
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().bench {
        Bench::Schedules(options) => schedules::run(&options),
        Bench::Transfers(options) => transfers::run(&options),
        Bench::Watching(options) => watching::run(&options),
        Bench::Chaos(options) => chaos::run(&options),
        Bench::Soak(options) => chaos::soak::run(&options),
        Bench::All => {
            schedules::run(&defaults())?;
            transfers::run(&defaults())?;
            watching::run(&defaults())
        }
    }
}

/// Returns the options of a benchmark without arguments.
fn defaults<T: clap::Args + clap::FromArgMatches>() -> T {
    let command = T::augment_args(clap::Command::new("bench"));
    let matches = command.get_matches_from(["bench"]);
    T::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_benchmark_runs_without_arguments() {
        Cli::command().debug_assert();
        let _: schedules::Options = defaults();
        let transfers: transfers::Options = defaults();
        assert!(serde_json::to_string(&transfers).is_ok());
        let watching: watching::Options = defaults();
        let _: chaos::Options = defaults();
        let _: chaos::soak::Options = defaults();
        assert!(serde_json::to_string(&watching).is_ok());
    }
}
