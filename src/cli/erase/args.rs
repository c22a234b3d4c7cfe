//! The arguments of `erase`.

use crate::cli::output::Output;

/// Delete everything of a user from the archive
///
/// Finds the receipts whose `safety_identifier` is exactly the ID, and lists their tasks. With --confirm, deletes every
/// object of these tasks, the receipt last, and leaves `erased.json`, so that they are never archived again. An interrupted
/// erasure is completed by the same command. Exits with 1 if an object cannot be deleted, or if a receipt cannot be read,
/// because it may be the user's; the others are erased anyway. Old versions of objects, backups, and the records at the
/// service stay. Reads SEEDANCE_ARCHIVE_URL and the store's environment variables.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver erase --user user-7              list what would be deleted
  seedance-archiver erase --user user-7 --confirm    delete it")]
pub(crate) struct Args {
    /// The user: the `safety_identifier` of the tasks, exactly.
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub(super) user: String,
    /// Only tasks of this account.
    #[arg(long, value_name = "NAME")]
    pub(super) account: Option<String>,
    /// Delete the objects.
    #[arg(long)]
    pub(super) confirm: bool,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Output,
}
