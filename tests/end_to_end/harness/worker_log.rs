//! What the worker processes of a test logged, for the report of its failure.

use std::{
    cell::RefCell,
    fs::{self, File},
    io,
    process::Stdio,
};

use tempfile::NamedTempFile;

const MAX_LINES: usize = 40;

thread_local! {
    /// The last lines of the processes of the test that runs on this thread.
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// The log of the worker processes of a fixture.
pub(crate) struct WorkerLog(NamedTempFile);

impl WorkerLog {
    pub(crate) fn new() -> io::Result<Self> {
        NamedTempFile::new().map(Self)
    }

    /// Returns where a process writes to.
    pub(crate) fn writer(&self) -> io::Result<Stdio> {
        let file = File::options().append(true).open(self.0.path())?;
        Ok(file.into())
    }
}

impl Drop for WorkerLog {
    fn drop(&mut self) {
        let text = fs::read(self.0.path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let all: Vec<_> = text.lines().collect();
        let last = &all[all.len().saturating_sub(MAX_LINES)..];
        LINES.with_borrow_mut(|lines| lines.extend(last.iter().map(|&line| line.to_owned())));
    }
}

/// Takes the last lines since the last call.
pub(crate) fn take() -> Vec<String> {
    LINES.take()
}
