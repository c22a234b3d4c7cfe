//! The arguments of commands about one task.

use anyhow::anyhow;
use seedance_archiver_proto::{names, task_id, visible};

use super::output::Output;

#[derive(Debug, clap::Args)]
pub(super) struct TaskArgs {
    /// Task id, `cgt-…`.
    pub(super) task_id: String,
    /// Account of the task.
    #[arg(long, default_value = names::DEFAULT_ACCOUNT)]
    pub(super) account: String,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Output,
}

impl TaskArgs {
    /// Checks the task id before any request is sent.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        visible::check(&self.task_id)
            .map_err(|problem| anyhow!("invalid task id {:?}: it {problem}", self.task_id))?;
        task_id::check(&self.task_id)
            .map_err(|problem| anyhow!("invalid task id `{}`: it {problem}", self.task_id))
    }
}
