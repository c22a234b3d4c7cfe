//! The subcommands of the binary. Results go to stdout, progress and logs to stderr.

// This is the part that talks to a person.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod archive;
mod batch;
mod clean;
mod completions;
mod config;
mod demo;
mod doctor;
mod findings;
mod follow;
mod gallery;
mod health;
mod list;
mod query;
mod report;
mod rescue;
mod session;
mod setup;
mod signals;
mod simulator;
mod status;
mod sweep;
mod task;
mod task_ids;
mod verify;
mod words;
mod worker;

use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::{
    activities::ServeError, config::InvalidConfig, temporal::connection::ConnectError,
    worker::WorkerError,
};
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
  seedance-archiver setup                      make what workers need in your Temporal
  seedance-archiver worker                     serve the task queue of your Temporal
  seedance-archiver doctor                     find out what is wrong, and how to mend it
  seedance-archiver archive cgt-2026…-hj94q    archive a video through your worker
  seedance-archiver archive --dev cgt-2026…    archive a video with nothing but an API key
  seedance-archiver archive - <ids.txt         archive as many as you like
  seedance-archiver rescue                     save every video of the last 7 days
  seedance-archiver sweep --every 1h           archive whatever the account makes
  seedance-archiver status cgt-2026…-hj94q     what becomes of a task
  seedance-archiver list --before-deadline 6h  what has no more than 6 hours left
  seedance-archiver verify --since 7d          check that the archive holds what its receipts say
  seedance-archiver gallery --out gallery      a page of the archive for the browser";

/// Help leads with examples, because they are what people look for.
const HELP: &str = "{about-with-newline}\n{usage-heading} {usage}{after-help}\n\n{all-args}";
const MAIN_HELP: &str = "{about-with-newline}\n{usage-heading} {usage}{after-help}\n\n{all-args}

Exit codes:
  0    done
  1    failed, or not every video is where it should be
  2    the command line is wrong
  78   the configuration is wrong: stderr says where
  130  interrupted; lifecycles go on in Temporal";

#[derive(Debug, Subcommand)]
enum Command {
    Worker(worker::Args),
    Archive(archive::Args),
    Sweep(sweep::Args),
    Rescue(rescue::Args),
    Simulator(simulator::Args),
    Demo(demo::Args),
    Query(query::Args),
    Status(status::Args),
    List(list::Args),
    Verify(verify::Args),
    Clean(clean::Args),
    Gallery(gallery::Args),
    Setup(setup::Args),
    Doctor(doctor::Args),
    Config(config::Args),
    Health(health::Args),
    Completions(completions::Args),
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

/// Reads the command line. Where it is wrong or asks for help, the process ends here.
pub fn parse() -> Cli {
    let matches = command().get_matches();
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

fn command() -> clap::Command {
    examples_first(Cli::command()).help_template(MAIN_HELP)
}

fn examples_first(command: clap::Command) -> clap::Command {
    command.help_template(HELP).mut_subcommands(examples_first)
}

/// Runs the command and tells how it went: 0 done, 1 failed, 2 wrong usage, 78 wrong configuration,
/// 130 interrupted.
pub async fn run(cli: Cli) -> ExitCode {
    run_command(cli.command).await.unwrap_or_else(|error| {
        if error.is::<Interrupted>() {
            eprintln!("{error}");
        } else {
            complain(&error);
        }
        exit_code(&error)
    })
}

fn exit_code(error: &anyhow::Error) -> ExitCode {
    if error.is::<Interrupted>() {
        ExitCode::from(EX_INTERRUPTED)
    } else if is_configuration(error) {
        ExitCode::from(EX_CONFIG)
    } else {
        ExitCode::FAILURE
    }
}

/// Whether another configuration would mend it.
fn is_configuration(error: &anyhow::Error) -> bool {
    let of_temporal = error.downcast_ref::<ConnectError>();
    let of_worker = error.downcast_ref::<WorkerError>();
    error.is::<InvalidConfig>()
        || error.is::<worker::NoNamespace>()
        || matches!(
            of_worker,
            Some(WorkerError::Accounts(ServeError::Archive(_)))
        )
        || matches!(of_temporal, Some(ConnectError::Configuration(_)))
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
        Command::Query(args) => query::run(args, &stop).await,
        Command::Status(args) => status::run(args, &stop).await,
        Command::List(args) => list::run(args, &stop).await,
        Command::Verify(args) => verify::run(args, &stop).await,
        Command::Clean(args) => clean::run(args, &stop).await,
        Command::Gallery(args) => gallery::run(args, &stop).await,
        Command::Setup(args) => setup::run(args, &stop).await,
        Command::Doctor(args) => doctor::run(args, &stop).await,
        Command::Config(args) => config::run(args),
        Command::Health(args) => health::run(args).await,
        Command::Completions(args) => Ok(completions::run(&args)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn the_help_of_every_command_leads_with_examples() {
        let mut command = command();
        command.build();
        let mut commands = vec![command];
        while let Some(mut command) = commands.pop() {
            let help = command.render_long_help().to_string();
            let [usage, examples, options] =
                ["Usage:", "Examples:", "Options:"].map(|part| help.find(part));
            assert!(usage < examples && examples < options, "{help}");
            let subcommands = command.get_subcommands().cloned();
            commands.extend(subcommands.filter(|it| it.get_name() != "help"));
        }
    }
}
