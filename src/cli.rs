//! The command line of the binary: a module for each subcommand, and shared ones.
//!
//! Results go to stdout, progress and logs to stderr. With `--output json`, stdout is one JSON document.
//!
//! - [`parse`]: reads the command line.
//! - [`run`]: runs the subcommand and returns its exit code.

mod archive;
mod audit;
mod batch;
mod clean;
mod completions;
mod config;
#[cfg(feature = "simulator")]
mod demo;
mod doctor;
mod erase;
mod exit_code;
mod findings;
mod follow;
mod gallery;
mod generate;
mod health;
mod list;
mod output;
mod progress;
mod query;
mod receipts;
mod report;
mod rescue;
mod session;
mod setup;
mod shutdown;
#[cfg(feature = "simulator")]
mod simulator;
mod status;
mod sweep;
mod table;
mod task_args;
mod task_ids;
mod task_result;
mod text;
mod verify;
mod watcher;
mod worker;

use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::stdio;
use shutdown::{Interrupted, Shutdown};

/// Archive finished ByteDance Seedance videos into your own bucket before their URLs expire
#[derive(Debug, Parser)]
#[command(version, after_help = examples())]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

fn examples() -> String {
    let demo = match cfg!(feature = "simulator") {
        true => DEMO_EXAMPLE,
        false => "",
    };
    format!("Examples:\n{demo}{EXAMPLES}")
}

const DEMO_EXAMPLE: &str =
    "  seedance-archiver demo                       run everything locally, without an API key\n";
const EXAMPLES: &str =
    "  seedance-archiver setup                      prepare the Temporal namespace and the archive
  seedance-archiver worker                     run a worker
  seedance-archiver doctor                     check the configuration and the services
  seedance-archiver archive cgt-2026…-hj94q    archive a video through your workers
  seedance-archiver archive --dev cgt-2026…    archive a video with only an API key
  seedance-archiver archive - <ids.txt         archive the videos of many tasks
  seedance-archiver generate request.json      create a task and archive its video
  seedance-archiver rescue                     archive every video of the last 7 days
  seedance-archiver sweep --every 1h           archive new videos every hour
  seedance-archiver status cgt-2026…-hj94q     show the status of a task's lifecycle
  seedance-archiver list --before-deadline 6h  list lifecycles with at most 6 hours left
  seedance-archiver receipts --summary         show the tokens of archived videos
  seedance-archiver verify --since 7d          check archived objects against their receipts
  seedance-archiver audit --every 1d           read and check 1/30 of the archive every day
  seedance-archiver erase --user user-7        list what the archive has of a user, to delete it
  seedance-archiver gallery --out gallery      create an HTML page of the archived videos";

/// Help shows the examples before the options.
const HELP: &str = "{about-with-newline}\n{usage-heading} {usage}{after-help}\n\n{all-args}";
const MAIN_HELP: &str = "{about-with-newline}\n{usage-heading} {usage}{after-help}\n\n{all-args}

Exit codes:
  0    success
  1    failure, or not every video is archived
  2    invalid command line
  78   invalid configuration
  130  interrupted; lifecycles keep running in Temporal";

#[derive(Debug, Subcommand)]
enum Command {
    Worker(worker::Args),
    Archive(archive::Args),
    Generate(generate::Args),
    Sweep(sweep::Args),
    Rescue(rescue::Args),
    #[cfg(feature = "simulator")]
    Simulator(simulator::Args),
    #[cfg(feature = "simulator")]
    Demo(demo::Args),
    Query(query::Args),
    Status(status::Args),
    List(list::Args),
    Receipts(receipts::Args),
    Verify(verify::Args),
    Audit(audit::Args),
    Clean(clean::Args),
    Erase(erase::Args),
    Gallery(gallery::Args),
    Setup(setup::Args),
    Doctor(doctor::Args),
    Config(config::Args),
    Health(health::Args),
    Completions(completions::Args),
}

/// Reads the command line. Exits the process if it is invalid, or after printing help, for which clap ignores
/// errors of stdout and stderr.
pub fn parse() -> Cli {
    let matches = definition().get_matches();
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// Returns the definition of the command line.
fn definition() -> clap::Command {
    with_help_template(Cli::command()).help_template(MAIN_HELP)
}

fn with_help_template(command: clap::Command) -> clap::Command {
    command
        .help_template(HELP)
        .mut_subcommands(with_help_template)
}

/// Runs the subcommand and returns its exit code: 0 success, 1 failure, 78 invalid configuration,
/// 130 interrupted.
pub async fn run(cli: Cli) -> ExitCode {
    let done = run_command(cli.command).await.and_then(|code| {
        stdio::check_stdout().context("cannot write to stdout")?;
        Ok(code)
    });
    done.unwrap_or_else(|error| {
        if error.is::<Interrupted>() {
            errln!("{error}");
        } else {
            print_error(&error);
        }
        exit_code::from_error(&error)
    })
}

/// Prints an error with its causes to stderr. Further lines are indented, so that a text from outside cannot look like
/// another message.
pub fn print_error(error: &impl std::fmt::Display) {
    errln!("error: {}", indented(&format!("{error:#}")));
}

fn indented(text: &str) -> String {
    let mut lines = text.split('\n');
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |text, line| match line.starts_with("  ") {
        true => format!("{text}\n{line}"),
        false => format!("{text}\n  {line}"),
    })
}

async fn run_command(command: Command) -> anyhow::Result<ExitCode> {
    let shutdown = Shutdown::listen().context("cannot listen for signals")?;
    match command {
        Command::Worker(args) => worker::run(args, &shutdown).await,
        Command::Archive(args) => archive::run(args, &shutdown).await,
        Command::Generate(args) => generate::run(args, &shutdown).await,
        Command::Sweep(args) => sweep::run(args, &shutdown).await,
        Command::Rescue(args) => rescue::run(args, &shutdown).await,
        #[cfg(feature = "simulator")]
        Command::Simulator(args) => simulator::run(args, &shutdown).await,
        #[cfg(feature = "simulator")]
        Command::Demo(args) => demo::run(args, &shutdown).await,
        Command::Query(args) => query::run(args, &shutdown).await,
        Command::Status(args) => status::run(args, &shutdown).await,
        Command::List(args) => list::run(args, &shutdown).await,
        Command::Receipts(args) => receipts::run(args, &shutdown).await,
        Command::Verify(args) => verify::run(args, &shutdown).await,
        Command::Audit(args) => audit::run(args, &shutdown).await,
        Command::Clean(args) => clean::run(args, &shutdown).await,
        Command::Erase(args) => erase::run(args, &shutdown).await,
        Command::Gallery(args) => gallery::run(args, &shutdown).await,
        Command::Setup(args) => setup::run(args, &shutdown).await,
        Command::Doctor(args) => doctor::run(args, &shutdown).await,
        Command::Config(args) => config::run(args),
        Command::Health(args) => health::run(args).await,
        Command::Completions(args) => Ok(completions::run(&args, definition())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_cannot_look_like_two_messages() {
        assert_eq!(indented("one line"), "one line");
        assert_eq!(indented("ids:\n  a\nwarning: b"), "ids:\n  a\n  warning: b");
    }

    #[test]
    fn the_command_definition_is_valid() {
        definition().debug_assert();
    }

    /// Returns the help of every command.
    fn help() -> Vec<String> {
        let mut command = definition();
        command.build();
        let mut commands = vec![command];
        let mut help = Vec::new();
        while let Some(mut command) = commands.pop() {
            help.push(command.render_long_help().to_string());
            let subcommands = command.get_subcommands().cloned();
            commands.extend(subcommands.filter(|it| it.get_name() != "help"));
        }
        help
    }

    #[test]
    fn help_shows_examples_before_options() {
        for help in help() {
            let [usage, examples, options] =
                ["Usage:", "Examples:", "Options:"].map(|part| help.find(part));
            assert!(usage < examples && examples < options, "{help}");
        }
    }

    #[test]
    fn help_mentions_the_simulator_only_if_there_is_one() {
        for word in ["demo", "simulat"] {
            let is_mentioned = help().iter().any(|help| help.contains(word));
            assert_eq!(is_mentioned, cfg!(feature = "simulator"), "{word}");
        }
    }
}
