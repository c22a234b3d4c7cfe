//! The subcommands of the binary. Results go to stdout, progress and logs to stderr.

// This is the part that talks to a person.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod archive;
mod batch;
mod clean;
mod demo;
mod follow;
mod gallery;
mod report;
mod rescue;
mod session;
mod signals;
mod simulator;
mod sweep;
mod task_ids;
mod verify;
mod worker;

use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand, ValueEnum};

use crate::config::InvalidConfig;
use signals::{Interrupted, Stop};

/// Archives finished ByteDance Seedance videos into your own bucket before their URLs die.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  seedance-archiver demo                       everything on this machine, no key needed
  seedance-archiver worker                     serve the task queue of your Temporal
  seedance-archiver archive cgt-2026…-hj94q    archive a video through your worker
  seedance-archiver archive --dev cgt-2026…    archive a video with nothing but an API key
  seedance-archiver sweep --every 1h           archive whatever the account makes
  seedance-archiver rescue                     save every video of the last 7 days
  seedance-archiver verify --since 7d          check that the archive holds what its receipts say
  seedance-archiver gallery --out gallery      a page of the archive for the browser";

#[derive(Debug, Subcommand)]
enum Command {
    Worker(worker::Args),
    Archive(archive::Args),
    Sweep(sweep::Args),
    Rescue(rescue::Args),
    Simulator(simulator::Args),
    Demo(demo::Args),
    Verify(verify::Args),
    Clean(clean::Args),
    Gallery(gallery::Args),
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, ValueEnum)]
enum Output {
    /// A table for people.
    #[default]
    Text,
    /// One JSON document for programs.
    Json,
}

/// Exit code for configuration that cannot be used, as `sysexits.h` has it.
const EX_CONFIG: u8 = 78;
/// Exit code after Ctrl-C, as shells have it.
const EX_INTERRUPTED: u8 = 130;

/// Runs the command and tells how it went: 0 done, 1 failed, 2 wrong usage, 78 wrong configuration,
/// 130 interrupted.
pub async fn run(cli: Cli) -> ExitCode {
    run_command(cli.command).await.unwrap_or_else(|error| {
        if error.is::<Interrupted>() {
            eprintln!("{error}");
            return ExitCode::from(EX_INTERRUPTED);
        }
        complain(&error);
        if error.is::<InvalidConfig>() {
            ExitCode::from(EX_CONFIG)
        } else {
            ExitCode::FAILURE
        }
    })
}

/// Tells a person what went wrong.
pub fn complain(error: &impl std::fmt::Display) {
    eprintln!("error: {error:#}");
}

async fn run_command(command: Command) -> anyhow::Result<ExitCode> {
    let stop = Stop::listen().context("cannot listen for signals")?;
    match command {
        Command::Worker(args) => worker::run(args, &stop).await,
        Command::Archive(args) => archive::run(args, &stop).await,
        Command::Sweep(args) => sweep::run(args, &stop).await,
        Command::Rescue(args) => rescue::run(args, &stop).await,
        Command::Simulator(args) => simulator::run(args, &stop).await,
        Command::Demo(args) => demo::run(args, &stop).await,
        Command::Verify(args) => verify::run(args, &stop).await,
        Command::Clean(args) => clean::run(args, &stop).await,
        Command::Gallery(args) => gallery::run(args, &stop).await,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
