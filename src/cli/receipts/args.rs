//! The arguments of `receipts`.

use std::time::Duration;

use clap::ValueEnum;

use crate::config;

/// Print all receipts as a table, CSV or JSON lines
///
/// Prints one row for each receipt, in the order of their keys, or with --summary the tokens of each day, account, model
/// and service tier. Exits with 1 if a receipt cannot be read; the others are printed anyway. Reads
/// SEEDANCE_ARCHIVE_URL and the store's environment variables.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver receipts                                 all receipts
  seedance-archiver receipts --output csv >receipts.csv      every field, for spreadsheets and databases
  seedance-archiver receipts --output jsonl >receipts.jsonl  the receipts themselves, one a line
  seedance-archiver receipts --summary --since 30d           tokens of the last 30 days")]
pub(crate) struct Args {
    /// Print tokens and numbers of videos by day, account, model and service tier instead of receipts.
    #[arg(long)]
    pub(super) summary: bool,
    /// Only videos that were archived within this time, e.g. `7d`.
    #[arg(long, value_name = "TIME", value_parser = config::duration)]
    pub(super) since: Option<Duration>,
    /// Only videos of this account.
    #[arg(long, value_name = "NAME")]
    pub(super) account: Option<String>,
    /// Only videos of this model, with its version.
    #[arg(long)]
    pub(super) model: Option<String>,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Format,
}

/// The format of the receipts.
#[derive(Clone, Copy, Debug, Default, PartialEq, ValueEnum)]
pub(super) enum Format {
    /// The most important fields, for people.
    #[default]
    Table,
    /// Every field, with a header.
    Csv,
    /// One JSON object a line.
    Jsonl,
}
