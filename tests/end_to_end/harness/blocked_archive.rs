//! An archive that cannot be written to for a while.

use std::{fs, path::PathBuf};

use super::fixture::Fixture;

/// A file in place of the directory of an empty archive.
pub(crate) struct BlockedArchive(PathBuf);

impl Fixture {
    /// Makes writes to the archive fail. The archive must be empty.
    pub(crate) fn block_archive(&self) -> anyhow::Result<BlockedArchive> {
        let path = self.directory.path().to_owned();
        fs::remove_dir(&path)?;
        fs::write(&path, "not a directory")?;
        Ok(BlockedArchive(path))
    }
}

impl BlockedArchive {
    /// Makes the archive writable again.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        fs::remove_file(&self.0)?;
        fs::create_dir(&self.0)?;
        Ok(())
    }
}
