//! Archivals whose process dies halfway, and the next attempt by another process.

use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use object_store::ObjectStoreExt;
use seedance_archiver_archive::{ArchiveState, Buffers, Error, PART_SIZE, Progress};
use seedance_archiver_proto::v1::Manifest;
use serde_json::Value;

use crate::{
    breaking_store::BreakingStore,
    fixture::{Fixture, LARGE, SMALL},
    host::Host,
    registry::register,
    store::Store,
    until::{until, until_async},
};

/// An offset in the third of four parts.
const HALFWAY: usize = 2 * PART_SIZE + PART_SIZE / 2;

async fn another_process_resumes_an_upload(fixture: Fixture) -> anyhow::Result<()> {
    let dead = DeadProcess::halfway(fixture).await?;
    let offset = dead.offset()?;
    ensure!(offset > 0 && offset.is_multiple_of(PART_SIZE), "{offset}");
    let manifest = dead.resume_in_another_process(&[0, offset]).await?;
    let again = manifest.bytes_fetched_again as usize;
    ensure!(again == HALFWAY - offset, "{again} after {offset}");
    Ok(())
}
register!(another_process_resumes_an_upload, Store::has_upload_ids);

/// The memory store is excluded, because it does not report that an upload is missing.
async fn another_process_restarts_an_aborted_upload(fixture: Fixture) -> anyhow::Result<()> {
    let dead = DeadProcess::halfway(fixture).await?;
    let offset = dead.offset()?;
    dead.fixture.abort_upload(&dead.progress()?).await;
    dead.fixture.assert_no_leftovers().await?;
    dead.resume_in_another_process(&[0, offset, 0]).await?;
    Ok(())
}
register!(another_process_restarts_an_aborted_upload, |store| store
    == Store::S3);

async fn without_upload_ids_another_process_restarts_the_transfer(
    fixture: Fixture,
) -> anyhow::Result<()> {
    let dead = DeadProcess::halfway(fixture).await?;
    ensure!(dead.offset().is_err(), "{}", dead.heartbeat);
    dead.resume_in_another_process(&[0, 0]).await?;
    Ok(())
}
register!(
    without_upload_ids_another_process_restarts_the_transfer,
    |store| !store.has_upload_ids()
);

/// A store without ETags shows only by the size whether an object is the one that was archived.
async fn an_object_that_was_deleted_since_is_archived_again(
    mut fixture: Fixture,
) -> anyhow::Result<()> {
    let store = BreakingStore::new(fixture.archive.store.clone(), &[]);
    fixture.archive.store = Arc::new(store.without_etags());
    let host = Host::start(SMALL).await?;
    let progress = Progress::default();
    fixture.attempt(1, &host, &progress).await?;
    // As if the first attempt had not come to its receipt.
    for key in [fixture.layout().manifest(), fixture.video_key()] {
        fixture.archive.store.delete(&key).await?;
    }
    let progress = Progress::resume(progress.state());
    fixture.attempt(2, &host, &progress).await?;
    let video = fixture.read("video.mp4").await?;
    ensure!(video == host.video(), "another video was archived");
    Ok(())
}
register!(
    an_object_that_was_deleted_since_is_archived_again,
    |store| store == Store::Memory
);

/// Another ETag shows it, or another size.
async fn an_object_that_changed_since_is_a_conflict(mut fixture: Fixture) -> anyhow::Result<()> {
    let inner = fixture.archive.store.clone();
    for has_etags in [true, false] {
        fixture.set_task(&format!("cgt-{has_etags}"));
        let store = BreakingStore::new(inner.clone(), &[]);
        fixture.archive.store = Arc::new(match has_etags {
            true => store,
            false => store.without_etags(),
        });
        let host = Host::start(SMALL).await?;
        let progress = Progress::default();
        fixture.attempt(1, &host, &progress).await?;
        // As if the first attempt had not come to its receipt.
        let receipt = fixture.layout().manifest();
        fixture.archive.store.delete(&receipt).await?;
        let mut changed = host.video().to_vec();
        match has_etags {
            true => changed.reverse(),
            false => changed.push(0),
        }
        fixture.put(&changed.into()).await?;
        let progress = Progress::resume(progress.state());
        let ended = fixture.attempt(2, &host, &progress).await;
        ensure!(matches!(ended, Err(Error::Conflict { .. })), "{ended:?}");
        let names = fixture.names().await?;
        ensure!(names == ["task.json", "video.mp4"], "{names:?}");
    }
    Ok(())
}
register!(an_object_that_changed_since_is_a_conflict, |store| store
    == Store::Memory);

/// A process that died, and its last heartbeat.
struct DeadProcess {
    fixture: Fixture,
    host: Host,
    heartbeat: String,
}

impl DeadProcess {
    /// Drops an archival halfway through the video, and asserts that the archive has no video yet.
    async fn halfway(mut fixture: Fixture) -> anyhow::Result<Self> {
        if fixture.store != Store::Memory {
            // With a single buffer, a part is stored before the next part is filled. The memory store keeps the
            // buffers of its parts, so it needs more buffers.
            fixture.resources.buffers = Buffers::new(1, 0, PART_SIZE);
        }
        let host = Host::start(LARGE).await?;
        host.pause_at(HALFWAY);
        let progress = Progress::default();
        let is_halfway = || progress.state().bytes_done == HALFWAY as u64;
        tokio::select! {
            ended = fixture.attempt(1, &host, &progress) => bail!("the archival ended: {ended:?}"),
            waited = until("half of the video is downloaded", is_halfway) => waited?,
        }
        let names = fixture.names().await?;
        ensure!(names == ["task.json"], "{names:?}");
        host.resume();
        Ok(Self {
            fixture,
            host,
            heartbeat: serde_json::to_string(&progress.state())?,
        })
    }

    /// Returns the progress in the last heartbeat.
    fn progress(&self) -> anyhow::Result<Progress> {
        let state: ArchiveState = serde_json::from_str(&self.heartbeat)?;
        Ok(Progress::resume(state))
    }

    /// Returns the offset from which another process can resume.
    fn offset(&self) -> anyhow::Result<usize> {
        let state: Value = serde_json::from_str(&self.heartbeat)?;
        let offset = state["checkpoint"]["source"]["offset"].as_u64();
        Ok(offset.context("no checkpoint")?.try_into()?)
    }

    /// Runs an attempt in another process, and asserts that it succeeds. `offsets` are the expected offsets of the
    /// requests of both attempts.
    async fn resume_in_another_process(&self, offsets: &[usize]) -> anyhow::Result<Manifest> {
        let manifest = self
            .fixture
            .attempt(2, &self.host, &self.progress()?)
            .await?;
        ensure!(self.host.offsets() == offsets, "{:?}", self.host.offsets());
        // When a local upload is dropped, its file is deleted in the background.
        until_async("no leftovers remain", async || {
            Ok(self.fixture.assert_no_leftovers().await.is_ok())
        })
        .await?;
        self.fixture.assert_archived(&manifest, &self.host).await?;
        Ok(manifest)
    }
}
