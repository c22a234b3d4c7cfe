//! Small disks: memory file systems, which can be filled.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, ensure};
use reqwest::Url;
use rustix::fs::statvfs;
use tokio::time::sleep;

use super::directories::{STORE, create};

/// Room for the videos of a run. Memory is used only for those that are there.
const SIZE: u64 = 4 << 30;
/// Writes that may come between the look at the disk and the change of its size.
const ATTEMPTS: usize = 100;
/// Pause between two attempts, so that a burst of writes ends.
const PAUSE: Duration = Duration::from_millis(20);

/// The disks that this machine can have: they need root.
pub(in crate::chaos) struct Disks {
    /// The disk of a second archive, in a directory.
    pub(in crate::chaos) archive: Option<Disk>,
    /// The disk of MinIO.
    pub(in crate::chaos) store: Option<Disk>,
}

pub(in crate::chaos) struct Disk {
    pub(in crate::chaos) directory: PathBuf,
}

impl Disks {
    /// Mounts the disks in a directory, that of MinIO only if it is wanted. They are unmounted when the second value is dropped.
    pub(in crate::chaos) fn mount(directory: &Path, is_store_wanted: bool) -> (Self, Vec<Mounted>) {
        let mount = |name: &str| Disk::mount(directory.join(name)).ok().unzip();
        let (archive, first) = mount("disk");
        let (store, second) = match is_store_wanted {
            true => mount(STORE),
            false => (None, None),
        };
        let mounted = first.into_iter().chain(second).collect();
        (Self { archive, store }, mounted)
    }
}

impl Disk {
    fn mount(directory: PathBuf) -> anyhow::Result<(Self, Mounted)> {
        create(&directory)?;
        let disk = Self { directory };
        disk.mount_with(&format!("size={SIZE}"))?;
        let mounted = Mounted {
            directory: disk.directory.clone(),
        };
        Ok((disk, mounted))
    }

    /// Returns the URL of the directory.
    pub(in crate::chaos) fn url(&self) -> anyhow::Result<String> {
        let url = Url::from_file_path(&self.directory);
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

impl Mounted {
    /// Copies what is on the disk to a directory beside it.
    pub(in crate::chaos) fn keep(&self) -> anyhow::Result<()> {
        let mut command = Command::new("cp");
        command.arg("--archive").arg(&self.directory);
        let copy = self.directory.with_extension("kept");
        let status = command.arg(copy).status().context("cannot run cp")?;
        ensure!(status.success(), "cannot copy {}", self.directory.display());
        Ok(())
    }
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
