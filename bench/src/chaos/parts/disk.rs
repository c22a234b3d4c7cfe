//! A small disk: a memory file system with an archive, which can be filled.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, ensure};
use reqwest::Url;
use rustix::fs::statvfs;
use tokio::time::sleep;

use super::directories::create;

/// Room for the videos of a run. Memory is used only for those that are there.
const SIZE: u64 = 4 << 30;
/// Writes that may come between the look at the disk and the change of its size.
const ATTEMPTS: usize = 20;
/// Pause between two attempts, so that a burst of writes ends.
const PAUSE: Duration = Duration::from_millis(20);

pub(in crate::chaos) struct Disk {
    directory: PathBuf,
}

impl Disk {
    /// Mounts a disk, which needs root. It is unmounted when the second value is dropped.
    pub(in crate::chaos) fn mount(directory: &Path) -> anyhow::Result<(Self, Mounted)> {
        let directory = directory.join("disk");
        create(&directory)?;
        let disk = Self { directory };
        disk.mount_with(&format!("size={SIZE}"))?;
        let mounted = Mounted {
            directory: disk.directory.clone(),
        };
        create(&disk.archive())?;
        Ok((disk, mounted))
    }

    /// Returns the directory of the archive.
    pub(in crate::chaos) fn archive(&self) -> PathBuf {
        self.directory.join("archive")
    }

    /// Returns the URL of the archive.
    pub(in crate::chaos) fn archive_url(&self) -> anyhow::Result<String> {
        let url = Url::from_file_path(self.archive());
        let url = url.map_err(|()| anyhow::anyhow!("the directory has no URL"))?;
        Ok(url.into())
    }

    /// Takes all free space.
    pub(in crate::chaos) async fn fill(&self) -> anyhow::Result<()> {
        let mut result = self.try_fill();
        for _ in 1..ATTEMPTS {
            if result.is_ok() {
                break;
            }
            sleep(PAUSE).await;
            result = self.try_fill();
        }
        result
    }

    fn try_fill(&self) -> anyhow::Result<()> {
        let disk = statvfs(&self.directory)?;
        // No size would be no limit.
        let used = (disk.f_blocks - disk.f_bfree).max(1) * disk.f_frsize;
        self.mount_with(&format!("remount,size={used}"))
    }

    /// Gives all space back.
    pub(in crate::chaos) fn empty(&self) -> anyhow::Result<()> {
        self.mount_with(&format!("remount,size={SIZE}"))
    }

    fn mount_with(&self, options: &str) -> anyhow::Result<()> {
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", options, "tmpfs"]);
        let output = command.arg(&self.directory).output();
        let output = output.context("cannot run mount")?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}", error.trim());
        Ok(())
    }
}

/// Unmounts the disk when dropped.
pub(in crate::chaos) struct Mounted {
    directory: PathBuf,
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: a process may still have a file open.
        let _ = Command::new("umount")
            .arg("-l")
            .arg(&self.directory)
            .status();
    }
}
