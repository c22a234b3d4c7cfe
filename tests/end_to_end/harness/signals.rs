//! Signals to processes that a test started.

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;

/// Sends a signal to a process that has not exited.
pub(crate) fn send_signal(child: &Child, signal: Signal) -> anyhow::Result<()> {
    let id = child.id().context("the process has exited")?;
    let pid = Pid::from_raw(i32::try_from(id)?).context("no process id")?;
    Ok(kill_process(pid, signal)?)
}
