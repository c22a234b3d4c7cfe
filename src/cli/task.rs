//! The task that a command is about.

use anyhow::anyhow;
use seedance_archiver_proto::task_id;

use super::Output;

/// One task.
#[derive(Debug, clap::Args)]
pub(super) struct Task {
    /// Task id, `cgt-…`.
    pub(super) task_id: String,
    /// Account that the task belongs to.
    #[arg(long, default_value = "default")]
    pub(super) account: String,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Output,
}

impl Task {
    /// Before anybody is asked about what cannot be.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        task_id::check(&self.task_id).map_err(|problem| anyhow!("the task id {problem}"))
    }
}
