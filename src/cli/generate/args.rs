//! The arguments of `generate`.

use std::path::PathBuf;

use seedance_archiver_proto::names;

use crate::cli::output::Output;

/// Create a task and archive its video
///
/// Sends the request of a file, or a prompt, and waits until the video is archived. Exits with 0 if it is.
///
/// The same command creates one task, however often it is repeated, and so does every command with the same
/// --submission-id: after Ctrl-C or a lost connection, run it again. That holds as long as Temporal retains the workflow of
/// the submission.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// File with the body of the API's create request, as JSON; `-` reads standard input.
    #[arg(value_name = "FILE", required_unless_present_any = ["model", "prompt"])]
    #[arg(conflicts_with_all = ["model", "prompt"])]
    pub(super) request: Option<PathBuf>,
    /// Model, for a request without a file.
    #[arg(long, requires = "prompt")]
    pub(super) model: Option<String>,
    /// Prompt, for a request without a file.
    #[arg(long, value_name = "TEXT", requires = "model")]
    pub(super) prompt: Option<String>,
    /// Account that creates the task.
    #[arg(long, default_value = names::DEFAULT_ACCOUNT)]
    pub(super) account: String,
    /// Id of the submission, such as that of an order: at most one task is created for each id of an account. Up to 128
    /// letters, digits and `-_.~`. The default follows from the account and the request. Set an id to get another video of
    /// the same request.
    #[arg(long, value_name = "ID", conflicts_with = "dev")]
    pub(super) submission_id: Option<String>,
    /// Archive URL, which the account has to allow. Default: that of the worker.
    #[arg(long, value_name = "URL")]
    pub(super) destination: Option<String>,
    /// Run a Temporal server and a worker in this process. Requires only SEEDANCE_API_KEY, and archives
    /// into ./seedance-archive unless SEEDANCE_ARCHIVE_URL is set. The submission is known only until the command ends:
    /// running it again creates another task.
    #[arg(long)]
    pub(super) dev: bool,
    /// Start the workflow and exit without waiting for the video.
    #[arg(long, conflicts_with = "dev")]
    pub(super) detach: bool,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Output,
}

const EXAMPLES: &str = "Examples:
  seedance-archiver generate --model seedance-1-0-pro-250528 --prompt \"a kite over the sea\"
  seedance-archiver generate request.json                            with any field of the API
  seedance-archiver generate request.json --submission-id order-7    at most one task for the order
  seedance-archiver generate --detach - <request.json                start the workflow and exit
  seedance-archiver generate --dev request.json                      with only an API key";
