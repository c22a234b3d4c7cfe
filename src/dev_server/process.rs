//! A child process with its children. In a group of its own, it does not get the terminal's Ctrl-C:
//! whoever started it stops it, in order, and leaves nothing behind.

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

pub(super) struct ProcessGroup {
    child: Child,
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

    /// Resolves when the process ends by itself.
    pub(super) async fn exited(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => {
                self.group = None;
                status.to_string()
            }
            Err(error) => error.to_string(),
        }
    }

    /// Kills the group and waits until the process is gone.
    pub(super) async fn stop(&mut self) {
        self.kill();
        // An error here means that it is gone already.
        let _ = self.child.wait().await;
    }

    fn kill(&mut self) {
        if let Some(group) = self.group.take() {
            // Fails only where the group is gone already.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.kill();
    }
}
