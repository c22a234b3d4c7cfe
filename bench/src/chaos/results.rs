//! Where the data of a run is, and what is printed in the end.

use std::path::Path;

use anyhow::{Context, ensure};

use super::{
    checker::Report,
    faults::Carried,
    parts::{Disks, Mounted},
};
use crate::output;

/// Makes a directory with small disks and calls `run` with them. MinIO has one of the disks only if `is_store_wanted`. If a
/// target is missed, the directory and what is on the disks are kept.
pub(super) async fn in_directory(
    name: &str,
    command_line: &str,
    is_store_wanted: bool,
    run: impl AsyncFnOnce(&Path, Disks) -> anyhow::Result<Report>,
) -> anyhow::Result<()> {
    let directory = tempfile::Builder::new()
        .prefix(&format!("{name}-"))
        .tempdir()
        .context("cannot create a directory")?;
    // Unmounted before the directory is removed.
    let (disks, mounted) = Disks::mount(directory.path(), is_store_wanted);
    let result = run(directory.path(), disks).await;
    let is_met = result.as_ref().is_ok_and(Report::is_met);
    let copied = mounted
        .iter()
        .filter(|_| !is_met)
        .try_for_each(Mounted::keep);
    drop(mounted);
    if !is_met {
        let kept = directory.keep();
        output::print(&format!("logs and data: {}\n", kept.display()))?;
    }
    output::print(&format!("to run it again: {command_line}\n"))?;
    let report = result?;
    copied?;
    ensure!(report.is_met(), "a target was missed");
    Ok(())
}

/// Prints the table, and what did not happen.
pub(super) fn print(report: &Report, carried: &Carried) -> anyhow::Result<()> {
    output::print(&format!("\n{}\n", report.text()))?;
    for (why, names) in &carried.not_run {
        let names = names.join(", ");
        output::print(&format!("not run ({why}): {names}\n"))?;
    }
    Ok(())
}
