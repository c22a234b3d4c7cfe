//! Runs `clean` as an operator does, after planting leftovers that it has to remove.

use std::{fs, path::Path as FilePath};

use anyhow::{Context, ensure};
use object_store::{ObjectStoreExt, PutPayload, path::Path};

use super::{
    checker::Archive,
    parts::{Disk, Parts, Store},
};

const STAGING: &str = ".staging";
/// The directory of an attempt whose worker died.
const ATTEMPT: &str = "planted-8f14e45f-ceea-4a7b-9f2b-3d1c5d0e6a11";
const CONTENT: &[u8] = b"left behind";

/// Writes to each archive what a killed worker leaves behind. The checker finds what `clean` does not remove.
pub(super) async fn plant(archives: &[Archive]) -> anyhow::Result<()> {
    for archive in archives {
        let failed = || format!("cannot plant a leftover in the {}", archive.name);
        let key = Path::from(format!("{}/{STAGING}/{ATTEMPT}/video", archive.prefix));
        let put = archive.store.put(&key, PutPayload::from_static(CONTENT));
        put.await.with_context(failed)?;
        if let Some(directory) = &archive.directory {
            // An upload that was not completed.
            let attempt = directory.join(STAGING).join(ATTEMPT);
            fs::write(attempt.join("video#1"), CONTENT).with_context(failed)?;
        }
    }
    Ok(())
}

/// Removes what killed workers left behind. Returns what `clean` printed.
pub(super) async fn clean(archiver: &FilePath, parts: &Parts) -> anyhow::Result<Vec<u8>> {
    let settings = parts.workers[0].lock().await.settings.clone();
    let mut printed = Vec::new();
    let disk = parts.disks.archive.as_ref().map(Disk::url).transpose()?;
    for archive in [Some(Store::archive_url()), disk].into_iter().flatten() {
        let mut command = settings.tool(archiver)?;
        command
            .args(["clean", "--older-than", "0s", "--remove"])
            .env("SEEDANCE_ARCHIVE_URL", &archive);
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        ensure!(
            output.status.success(),
            "`clean` of {archive} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        printed.extend([output.stdout, output.stderr].concat());
    }
    Ok(printed)
}
