//! An archive that cannot be read or written for a while.

use std::{fs, path::PathBuf};

use tempfile::TempDir;

use super::fixture::Fixture;

const ARCHIVE: &str = "archive";

/// A file in place of the directory of an archive.
pub(crate) struct BlockedArchive {
    path: PathBuf,
    /// Contains the directory.
    hidden: TempDir,
}

impl Fixture {
    /// Makes reads and writes of the archive fail.
    pub(crate) fn block_archive(&self) -> anyhow::Result<BlockedArchive> {
        let path = self.directory.path().to_owned();
        let hidden = tempfile::tempdir()?;
        fs::rename(&path, hidden.path().join(ARCHIVE))?;
        fs::write(&path, "not a directory")?;
        Ok(BlockedArchive { path, hidden })
    }
}

impl BlockedArchive {
    /// Makes the archive readable and writable again.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        fs::remove_file(&self.path)?;
        fs::rename(self.hidden.path().join(ARCHIVE), &self.path)?;
        Ok(())
    }
}
