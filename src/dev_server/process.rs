//! A child process in its own process group. Ctrl-C in the terminal does not reach the group, so the parent can
//! shut down cleanly before it kills the group.

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

/// A process and its children. They are killed when dropped.
pub(super) struct ProcessGroup {
    child: Child,
    /// `None` after the process exited.
    group: Option<Pid>,
}

impl ProcessGroup {
    pub(super) fn spawn(mut command: Command) -> std::io::Result<Self> {
        let child = command.process_group(0).kill_on_drop(true).spawn()?;
        let group = child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Ok(Self { child, group })
    }

    /// Waits until the process exits by itself and returns its exit status.
    pub(super) async fn exited(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => {
                self.group = None;
                status.to_string()
            }
            Err(error) => error.to_string(),
        }
    }

    /// Kills the group and waits until the process exited.
    pub(super) async fn stop(&mut self) {
        self.kill();
        // An error means that the process exited already.
        let _ = self.child.wait().await;
    }

    fn kill(&mut self) {
        if let Some(group) = self.group.take() {
            // An error means that the group no longer exists.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.kill();
    }
}
