//! `seedance-archiver config`.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::{output::Output, session, table::table};
use crate::{
    config::{Reading, Setting},
    telemetry,
    temporal::connection,
};

/// Look at the configuration
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver config show                  every setting, and where it comes from
  seedance-archiver config show --output json | jq '.settings[] | select(.source != \"default\")'")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Show(Show),
}

/// Print the effective configuration without its secrets, and where each value comes from
///
/// A variable's name, a line of the accounts file, a preset, a profile of temporal.toml, or `default`.
/// What cannot be used is shown as that, and told in the end, with the exit code 78.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver config show
  seedance-archiver config show --output json")]
struct Show {
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// The document of `--output json`.
#[derive(Debug, Serialize)]
struct Shown {
    settings: Vec<Setting>,
    faults: Vec<String>,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    let Command::Show(args) = args.command;
    let reading = Reading::of(session::variable, None);
    let mut settings = Vec::new();
    let mut invalid = reading.invalid();
    match connection::settings(session::variable) {
        Ok(of_temporal) => settings.extend(of_temporal),
        Err(fault) => {
            let fault = format!("invalid Temporal configuration: {fault}");
            invalid.get_or_insert_default().0.push(fault);
        }
    }
    settings.extend(reading.settings());
    match args.output {
        Output::Json => {
            let faults = invalid.clone().unwrap_or_default().0;
            let shown = Shown { settings, faults };
            println!("{}", serde_json::to_string_pretty(&shown)?);
        }
        Output::Text => print(&settings),
    }
    invalid.map_or(Ok(ExitCode::SUCCESS), |invalid| Err(invalid.into()))
}

fn print(settings: &[Setting]) {
    let mut table = table(["setting", "value", "from"]);
    for setting in settings {
        table.add_row([
            setting.name.clone(),
            setting.value.clone(),
            setting.source.to_string(),
        ]);
    }
    println!("{}", table.trim_fmt());
}
