//! The arguments of `verify`.

use std::time::Duration;

use object_store::path::Path;

use super::position;
use crate::{cli::output::Output, config};

/// Check archived objects against their receipts
///
/// Exits with 1 if an object is missing, truncated, changed or unreadable. An object that cannot be read does not
/// end the command. If it is interrupted, it prints the command that continues. Reads SEEDANCE_ARCHIVE_URL and the
/// store's environment variables.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver verify               compare the sizes of all objects
  seedance-archiver verify --since 7d    only objects archived in the last week
  seedance-archiver verify --deep        read all objects and compare SHA-256 digests")]
pub(crate) struct Args {
    /// Read all objects and compare their SHA-256 digests.
    #[arg(long)]
    pub(super) deep: bool,
    /// Maximum age of receipts, e.g. `7d`.
    #[arg(long, value_name = "TIME", value_parser = config::duration)]
    pub(super) since: Option<Duration>,
    /// Verify only receipts whose keys come after this one: continues an interrupted verification.
    #[arg(long, value_name = "KEY", value_parser = position::parse, allow_hyphen_values = true)]
    pub(super) after: Option<Path>,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Output,
}
