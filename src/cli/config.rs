//! `seedance-archiver config`.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::{
    output::{Output, print_json},
    session,
    table::{row, table},
};
use crate::{
    config::{LoadedConfig, Setting},
    telemetry,
    temporal::connection,
};

/// Show the effective configuration
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver config show                  every setting, its value and its source
  seedance-archiver config show --output json | jq '.settings[] | select(.source != \"default\")'")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Show(Show),
}

/// Show every setting, its value and its source
///
/// The source of a value is a variable, a line of the accounts file, a preset, a profile of temporal.toml, or
/// `default`. Secrets are not shown. Invalid values are shown as such, and the errors are printed at the end,
/// with exit code 78.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver config show
  seedance-archiver config show --output json")]
struct Show {
    /// Set the format of the result.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// The document of `--output json`.
#[derive(Debug, Serialize)]
struct Document {
    settings: Vec<Setting>,
    #[serde(rename = "faults")]
    errors: Vec<String>,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    let Command::Show(args) = args.command;
    let loaded = LoadedConfig::load(session::variable, None);
    let mut settings = Vec::new();
    let mut invalid = loaded.invalid();
    match connection::settings(session::variable) {
        Ok(temporal_settings) => settings.extend(temporal_settings),
        Err(error) => {
            let error = format!("invalid Temporal configuration: {error}");
            invalid.get_or_insert_default().0.push(error);
        }
    }
    settings.extend(loaded.settings);
    match args.output {
        Output::Json => {
            let errors = invalid.clone().unwrap_or_default().0;
            let document = Document { settings, errors };
            print_json(&document)?;
        }
        Output::Text => print(&settings),
    }
    invalid.map_or(Ok(ExitCode::SUCCESS), |invalid| Err(invalid.into()))
}

fn print(settings: &[Setting]) {
    let mut table = table(["setting", "value", "source"]);
    for setting in settings {
        table.add_row(row([
            setting.name.clone(),
            setting.value.clone(),
            setting.source.to_string(),
        ]));
    }
    outln!("{}", table.trim_fmt());
}
