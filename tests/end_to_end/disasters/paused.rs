//! Transfers that are in progress when something happens.

use anyhow::{Context, ensure};
use seedance_archiver::temporal::lifecycles::Lifecycle;
use seedance_archiver_proto::v1::{Manifest, VideoTaskLifecycleRequest};
use seedance_archiver_simulator::Script;

use crate::harness::{Fixture, Server, heartbeat::heartbeat, until, until_async};

/// Size of the video: several parts of an upload.
const SIZE: u64 = 16 * 1024 * 1024;
/// Number of bytes after which the download pauses.
const HOLD_AT: u64 = SIZE - 1024 * 1024;

/// A transfer whose download pauses.
pub(super) struct PausedTransfer {
    pub(super) id: String,
    pub(super) lifecycle: Lifecycle,
}

impl PausedTransfer {
    /// Starts the lifecycle of a new task, and waits until the download pauses.
    pub(super) async fn start(fixture: &Fixture, server: &Server) -> anyhow::Result<Self> {
        Self::start_to(fixture, server, "").await
    }

    /// Does the same with a destination.
    pub(super) async fn start_to(
        fixture: &Fixture,
        server: &Server,
        destination: &str,
    ) -> anyhow::Result<Self> {
        let id = fixture.simulator.create(Script {
            bytes: Some(SIZE),
            hold_at: Some(HOLD_AT),
            ..Script::default()
        });
        let request = VideoTaskLifecycleRequest {
            task_id: id.clone(),
            destination: destination.to_owned(),
            ..VideoTaskLifecycleRequest::default()
        };
        let lifecycle = fixture.start_lifecycle_with(server, request).await?;
        let transfer = Self { id, lifecycle };
        transfer.continued(fixture, 0).await?;
        Ok(transfer)
    }

    /// Starts the same, and hides the task from the API: only the URL in Temporal's history is left.
    pub(super) async fn start_hidden(fixture: &Fixture, server: &Server) -> anyhow::Result<Self> {
        let transfer = Self::start(fixture, server).await?;
        fixture.simulator.set_hidden(&transfer.id, true);
        Ok(transfer)
    }

    /// Returns the number of downloads so far.
    pub(super) fn downloads(&self, fixture: &Fixture) -> u64 {
        fixture.simulator.stats(&self.id).downloads
    }

    /// Waits until there were more than this many downloads.
    pub(super) async fn continued(&self, fixture: &Fixture, downloads: u64) -> anyhow::Result<()> {
        until("the video is downloaded", || {
            self.downloads(fixture) > downloads
        })
        .await
    }

    /// Waits until a checkpoint names this many parts of the upload.
    pub(super) async fn until_stored(&self, server: &Server, parts: usize) -> anyhow::Result<()> {
        until_async("parts are stored", || async {
            let heartbeat = heartbeat(server, "", &self.id).await?;
            let stored = heartbeat["place"]["checkpoint"]["upload"]["parts"].as_array();
            Ok(stored.map_or(0, Vec::len) >= parts)
        })
        .await
    }

    /// Lets the download continue, and returns the receipt.
    pub(super) async fn finish(&self, fixture: &Fixture) -> anyhow::Result<Manifest> {
        fixture.simulator.release(&self.id);
        archived(&self.lifecycle).await
    }
}

/// Waits until a lifecycle has archived its video, and returns the receipt.
pub(super) async fn archived(lifecycle: &Lifecycle) -> anyhow::Result<Manifest> {
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    result.manifest.context("no receipt")
}

/// Archives a new video, and returns its task and its receipt.
pub(super) async fn archive_another(
    fixture: &Fixture,
    server: &Server,
) -> anyhow::Result<(String, Manifest)> {
    let id = fixture.simulator.create(Script::default());
    let lifecycle = fixture.start_lifecycle(server, &id).await?;
    let manifest = archived(&lifecycle).await?;
    Ok((id, manifest))
}
