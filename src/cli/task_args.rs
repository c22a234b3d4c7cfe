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

/// Checks a task id before any request is sent.
pub(super) fn check_id(id: &str) -> anyhow::Result<()> {
    visible::check(id).map_err(|problem| anyhow!("invalid task id {id:?}: it {problem}"))?;
    task_id::check(id).map_err(|problem| anyhow!("invalid task id `{id}`: it {problem}"))
}
