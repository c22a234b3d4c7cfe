//! Audits of archives that a test has written by itself.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, path::Path};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use seedance_archiver_proto::v1::{AuditArchiveRequest, AuditReport, AuditState};
use seedance_archiver_workflows::{AuditArchive, reply::Reply};
use serde_json::json;
use sha2::{Digest, Sha256};
use temporalio_client::{
    Client, WorkflowDescribeOptions, WorkflowGetResultOptions, WorkflowHandle, WorkflowStartOptions,
};

use super::{fixture::Fixture, schemas, temporal_server::Server};

/// Name of the object of each receipt.
const VIDEO: &str = "video.mp4";

/// A running audit.
pub(crate) struct Audit(pub(crate) WorkflowHandle<Client, AuditArchive>);

impl Audit {
    /// Starts an audit of this share of the worker's archive.
    pub(crate) async fn start(
        server: &Server,
        fixture: &Fixture,
        share: &str,
    ) -> anyhow::Result<Self> {
        let request = AuditArchiveRequest {
            share: share.to_owned(),
            ..AuditArchiveRequest::default()
        };
        Self::start_with(server, fixture, request).await
    }

    /// Starts the audit that a request describes.
    pub(crate) async fn start_with(
        server: &Server,
        fixture: &Fixture,
        request: AuditArchiveRequest,
    ) -> anyhow::Result<Self> {
        let id = server.unique_name("audit");
        let options = WorkflowStartOptions::new(&fixture.config.task_queue, id).build();
        let handle = server
            .client
            .start_workflow(AuditArchive, request.into(), options);
        Ok(Self(handle.await?))
    }

    /// Waits for the report.
    pub(crate) async fn report(&self) -> anyhow::Result<AuditReport> {
        let report = self.0.get_result(WorkflowGetResultOptions::default());
        Ok(Reply::into_message(report.await?))
    }

    /// Returns the state in the last heartbeat, `None` if there is none.
    pub(crate) async fn heartbeat(&self) -> anyhow::Result<Option<AuditState>> {
        let description = self.0.describe(WorkflowDescribeOptions::default()).await?;
        let activity = description.raw().pending_activities.first();
        let details = activity.and_then(|activity| activity.heartbeat_details.as_ref());
        let Some(payload) = details.and_then(|details| details.payloads.first()) else {
            return Ok(None);
        };
        Ok(Some(serde_json::from_slice(&payload.data)?))
    }
}

impl Fixture {
    /// Starts an audit of this share, and waits for its report.
    pub(crate) async fn audit(&self, server: &Server, share: &str) -> anyhow::Result<AuditReport> {
        Audit::start(server, self, share).await?.report().await
    }

    /// Writes a video of a task with its receipt.
    pub(crate) fn write_video(&self, task: &str, video: &[u8]) -> anyhow::Result<()> {
        let path = self.video(task);
        std::fs::create_dir_all(path.parent().context("no parent directory")?)?;
        std::fs::write(&path, video)?;
        Ok(std::fs::write(
            path.with_file_name("manifest.json"),
            receipt(task, video),
        )?)
    }

    /// Returns the path of a task's video.
    pub(crate) fn video(&self, task: &str) -> PathBuf {
        self.directory.path().join(task).join(VIDEO)
    }

    /// Reads the report of an audit in the archive, and checks it.
    pub(crate) fn read_report(&self, report: &AuditReport) -> anyhow::Result<()> {
        let json = super::read_local(&report.report_url)?;
        schemas::check_audit(&json)?;
        let stored: AuditReport = serde_json::from_slice(&json)?;
        ensure!(stored == *report, "{stored:?} differs from {report:?}");
        Ok(())
    }

    /// Replaces a task's video by a pipe, reading which does not end.
    pub(crate) fn block(&self, task: &str) -> anyhow::Result<Blocked> {
        let path = self.video(task);
        let video = std::fs::read(&path)?;
        std::fs::remove_file(&path)?;
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        Ok(Blocked { path, video })
    }
}

/// A pipe in place of a video.
pub(crate) struct Blocked {
    path: PathBuf,
    video: Vec<u8>,
}

impl Blocked {
    /// Puts the video back. Returns the pipe, which the killed reader has left.
    pub(crate) fn restore(&self) -> anyhow::Result<PathBuf> {
        let pipe = self.path.with_file_name("pipe");
        std::fs::rename(&self.path, &pipe)?;
        std::fs::write(&self.path, &self.video)?;
        Ok(pipe)
    }

    /// Puts the video back, and ends the reading of the pipe.
    pub(crate) async fn release(&self) -> anyhow::Result<()> {
        let pipe = self.restore()?;
        // Waits for the reader.
        tokio::fs::OpenOptions::new()
            .write(true)
            .open(&pipe)
            .await?;
        Ok(tokio::fs::remove_file(pipe).await?)
    }
}

/// Puts a video of a task with its receipt into a bucket.
pub(crate) async fn put_video(
    store: &impl ObjectStore,
    task: &str,
    video: &'static [u8],
) -> anyhow::Result<()> {
    let key = |name: &str| Path::from(format!("{task}/{name}"));
    store
        .put(&key(VIDEO), PutPayload::from_static(video))
        .await?;
    let receipt = receipt(task, video).into_bytes();
    store.put(&key("manifest.json"), receipt.into()).await?;
    Ok(())
}

fn receipt(task: &str, video: &[u8]) -> String {
    let object = json!({
        "name": VIDEO,
        "size_bytes": video.len(),
        "sha256": hex::encode(Sha256::digest(video)),
    });
    let task_id = task.rsplit('/').next().unwrap_or_default();
    json!({"task_id": task_id, "objects": [object]}).to_string()
}
