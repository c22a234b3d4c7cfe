//! The output formats of commands.

use clap::ValueEnum;
use serde::Serialize;

use crate::stdio;

/// The format of a command's result.
#[derive(Clone, Copy, Debug, Default, PartialEq, ValueEnum)]
pub(super) enum Output {
    /// Human-readable text.
    #[default]
    Text,
    /// One JSON document.
    Json,
}

/// Prints the document of `--output json`.
pub(super) fn print_json(document: &impl Serialize) -> anyhow::Result<()> {
    stdio::print_json(&serde_json::to_string_pretty(document)?);
    Ok(())
}
