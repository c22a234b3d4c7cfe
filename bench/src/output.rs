//! Standard output, and files with results.

use std::{
    fs,
    io::{self, ErrorKind, Write},
    path::Path,
};

use anyhow::Context;

/// Prints a text. If nobody reads it, as after `| head`, it is discarded.
#[expect(clippy::disallowed_methods, reason = "the only place that prints")]
pub(crate) fn print(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Writes a file, and says so.
pub(crate) fn write(path: &Path, content: &str) -> anyhow::Result<()> {
    let failed = || format!("failed to write {}", path.display());
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).with_context(failed)?;
    }
    fs::write(path, content).with_context(failed)?;
    print(&format!("wrote {}\n", path.display()))?;
    Ok(())
}
