//! An archival whose process dies half-way, and the attempt of another process after it.

use anyhow::{Context, bail, ensure};
use seedance_archiver_archive::{ArchiveState, Buffers, PART_SIZE, Progress};
use seedance_archiver_proto::v1::Manifest;
use serde_json::Value;

use crate::{
    host::Host,
    registry::register,
    store::Store,
    until::{until, until_async},
    world::{LARGE, World},
};

/// An offset in the third of four parts.
const HALF_WAY: usize = 2 * PART_SIZE + PART_SIZE / 2;

async fn another_process_resumes_an_upload(world: World) -> anyhow::Result<()> {
    let dead = DeadProcess::half_way(world).await?;
    let offset = dead.offset()?;
    ensure!(offset > 0 && offset.is_multiple_of(PART_SIZE), "{offset}");
    let manifest = dead.followed_by_another(&[0, offset]).await?;
    let again = manifest.bytes_fetched_again as usize;
    ensure!(again == HALF_WAY - offset, "{again} after {offset}");
    Ok(())
}
register!(another_process_resumes_an_upload, Store::has_upload_ids);

/// Not on the memory store, which does not return the error of a missing upload.
async fn another_process_restarts_an_aborted_upload(world: World) -> anyhow::Result<()> {
    let dead = DeadProcess::half_way(world).await?;
    let offset = dead.offset()?;
    dead.world.abort_upload(&dead.progress()?).await;
    dead.world.assert_no_leftovers().await?;
    dead.followed_by_another(&[0, offset, 0]).await?;
    Ok(())
}
register!(another_process_restarts_an_aborted_upload, |store| store
    == Store::S3);

async fn another_process_starts_over(world: World) -> anyhow::Result<()> {
    let dead = DeadProcess::half_way(world).await?;
    ensure!(dead.offset().is_err(), "{}", dead.heartbeat);
    dead.followed_by_another(&[0, 0]).await?;
    Ok(())
}
register!(another_process_starts_over, |store| !store.has_upload_ids());

/// A process that died, and its last heartbeat.
struct DeadProcess {
    world: World,
    host: Host,
    heartbeat: String,
}

impl DeadProcess {
    /// Kills an archival half-way. The archive has no video then.
    async fn half_way(mut world: World) -> anyhow::Result<Self> {
        if world.store != Store::Memory {
            // With a single buffer, a part is stored before the next one is filled. The memory store keeps
            // the buffers of its parts, so it needs more.
            world.resources.buffers = Buffers::new(1, PART_SIZE);
        }
        let host = Host::new(LARGE).await?;
        host.pause_at(HALF_WAY);
        let progress = Progress::default();
        let is_half_way = || progress.state().bytes_done == HALF_WAY as u64;
        tokio::select! {
            ended = world.attempt(1, &host, &progress) => bail!("the archival has ended: {ended:?}"),
            waited = until("half of the video has arrived", is_half_way) => waited?,
        }
        let names = world.names().await?;
        ensure!(names == ["task.json"], "{names:?}");
        host.resume();
        Ok(Self {
            world,
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

    /// Runs the attempt of another process, which succeeds. The host serves from the offsets `offsets`, over both
    /// attempts.
    async fn followed_by_another(&self, offsets: &[usize]) -> anyhow::Result<Manifest> {
        let manifest = self.world.attempt(2, &self.host, &self.progress()?).await?;
        ensure!(self.host.offsets() == offsets, "{:?}", self.host.offsets());
        // A dropped local upload deletes its file in the background.
        until_async("no leftovers remain", async || {
            Ok(self.world.assert_no_leftovers().await.is_ok())
        })
        .await?;
        self.world.assert_archived(&manifest, &self.host).await?;
        Ok(manifest)
    }
}
