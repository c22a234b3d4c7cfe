//! Runs archivals of one task's video, each as if in a separate process.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, path::Path};
use seedance_archiver_archive::{
    Archive, ArchiveState, AttemptKeys, Buffers, Error, KeyTemplate, Layout, Progress,
    TaskArchival, TransferResources,
    audit::{self, Finding},
    checks::Mismatch,
    erasure::Erasure,
    fetch::{UrlHosts, VideoClient},
    receipt::{self, Tombstone},
};
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::v1::{Manifest, OutcomeRecord, VideoTask};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    failing_store::FailingStore, host, host::Host, memory::Memory, one_url::OneUrl, video::video,
};

/// Size of a part. The video has five parts.
pub(crate) const PART_SIZE: usize = 64 * 1024;
const DIRECTORY: &str = "default/2025/07/18/cgt-1";

pub(crate) struct Fixture {
    pub(crate) memory: Arc<Memory>,
    pub(crate) host: Host,
    task: VideoTask,
    resources: TransferResources,
}

/// Returns the client and the buffers that all archivals of a test share, because creating a client takes
/// longer than an archival.
pub(crate) fn resources() -> TransferResources {
    let hosts = UrlHosts::parse(&["http://127.0.0.1"]).unwrap();
    TransferResources {
        client: VideoClient::new(hosts).unwrap(),
        buffers: Buffers::new(40, 400, PART_SIZE),
        clock: Clock::default(),
    }
}

/// Waits until the process crashes, and lets it handle what it was told before.
async fn crash(store: &FailingStore) {
    store.crashed().await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// The result of an archival.
pub(crate) enum End {
    Archived(Box<Manifest>),
    Failed(String),
    Crashed,
}

impl fmt::Debug for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archived(_) => f.write_str("archived"),
            Self::Failed(error) => write!(f, "failed: {error}"),
            Self::Crashed => f.write_str("crashed"),
        }
    }
}

impl Fixture {
    pub(crate) async fn new(has_conditional_complete: bool, resources: &TransferResources) -> Self {
        let fixture = Self::with_padding(
            4 * PART_SIZE as u32 + 1000,
            has_conditional_complete,
            resources,
        )
        .await;
        let chunks = fixture.host.video().len().div_ceil(host::CHUNK_SIZE);
        assert_eq!(chunks, host::CHUNKS);
        fixture
    }

    /// Sets the client and the buffers of the following archivals.
    pub(crate) fn set_resources(&mut self, resources: TransferResources) {
        self.resources = resources;
    }

    /// Returns a fixture with a video that is padded by a number of bytes.
    pub(crate) async fn with_padding(
        padding: u32,
        has_conditional_complete: bool,
        resources: &TransferResources,
    ) -> Self {
        let host = Host::start(video(padding)).await;
        Self {
            memory: Arc::new(Memory::new(has_conditional_complete)),
            host,
            resources: resources.clone(),
            task: task("cgt-1", 0),
        }
    }

    /// Archives the video as that of another task with an archive deadline, in Unix seconds.
    pub(crate) async fn archive_task(
        &self,
        store: Arc<FailingStore>,
        id: &str,
        deadline: i64,
    ) -> End {
        let task = task(id, deadline);
        let record = json!({ "id": id, "status": task.status });
        self.run(store, &Self::fresh(), &task, record, 1).await
    }

    /// Returns the progress of a process without a heartbeat.
    pub(crate) fn fresh() -> Progress {
        Progress::default()
    }

    /// Returns the progress of a process that received the last heartbeat of another process.
    pub(crate) fn resumed(before: &Progress) -> Progress {
        let heartbeat = serde_json::to_string(&before.state()).unwrap();
        let state: ArchiveState = serde_json::from_str(&heartbeat).unwrap();
        Progress::resume(state)
    }

    /// Archives the video.
    pub(crate) async fn archive(&self, store: Arc<FailingStore>, progress: &Progress) -> End {
        let record = json!({ "id": self.task.id, "status": self.task.status });
        self.archive_record(store, progress, record).await
    }

    /// Archives the video in a later attempt.
    pub(crate) async fn retry(&self, store: Arc<FailingStore>, progress: &Progress) -> End {
        let record = json!({ "id": self.task.id, "status": self.task.status });
        self.run(store, progress, &self.task, record, 2).await
    }

    /// Archives the video with a record of the task.
    pub(crate) async fn archive_record(
        &self,
        store: Arc<FailingStore>,
        progress: &Progress,
        record: Value,
    ) -> End {
        self.run(store, progress, &self.task, record, 1).await
    }

    async fn run(
        &self,
        store: Arc<FailingStore>,
        progress: &Progress,
        task: &VideoTask,
        record: Value,
        attempt: u32,
    ) -> End {
        let archive = self.archive_in(store.clone());
        let layout = layout(task);
        let archival = TaskArchival {
            archive: &archive,
            keys: AttemptKeys {
                layout: &layout,
                attempt_id: Uuid::new_v4(),
            },
            task,
            mismatch: Mismatch::Warn,
            attempt,
            resources: &self.resources,
            progress,
        };
        let manifest = Manifest {
            task_id: task.id.clone(),
            ..Manifest::default()
        };
        let source = OneUrl {
            url: self.host.url.clone(),
            record: record.to_string(),
        };
        tokio::select! {
            biased;
            result = archival.run(&source, manifest) => match result {
                Ok(manifest) => End::Archived(Box::new(manifest)),
                Err(error) => End::Failed(error.to_string()),
            },
            () = crash(&store) => End::Crashed,
        }
    }

    /// Records that the task ended without a video.
    pub(crate) async fn record_outcome(
        &self,
        store: Arc<FailingStore>,
        record: Value,
        outcome: &OutcomeRecord,
    ) -> Result<(), Error> {
        let archive = self.archive_in(store);
        receipt::write_outcome(
            &archive,
            &layout(&self.task),
            Some(&record.to_string()),
            outcome,
        )
        .await
    }

    /// Erases the task if there is a receipt.
    pub(crate) async fn erase(&self, store: Arc<FailingStore>) -> End {
        let archive = self.archive_in(store.clone());
        let erase = async {
            let receipts: Vec<_> = audit::read_receipts(&archive, None).try_collect().await?;
            for receipt in receipts {
                let receipt = receipt.map_err(|it| Error::InvalidRecord(it.problem))?;
                let tombstone = tombstone(&receipt.manifest.task_id);
                Erasure::new(&archive, &receipt).run(&tombstone).await?;
            }
            Ok::<_, Error>(())
        };
        tokio::select! {
            biased;
            result = erase => match result {
                Ok(()) => End::Archived(Box::default()),
                Err(error) => End::Failed(error.to_string()),
            },
            () = crash(&store) => End::Crashed,
        }
    }

    /// Puts a tombstone into the task's directory.
    pub(crate) async fn put_tombstone(&self) {
        let key = Path::from(format!("{DIRECTORY}/erased.json"));
        let json = serde_json::to_vec(&tombstone(&self.task.id)).unwrap();
        self.memory.objects.put(&key, json.into()).await.unwrap();
    }

    /// Asserts that the archive has the tombstone of the task, and nothing else.
    pub(crate) async fn assert_erased(&self, at: &str) {
        let keys = self.keys().await;
        assert_eq!(keys, [format!("{DIRECTORY}/erased.json")], "{at}");
        let json = String::from_utf8(self.read("erased.json").await).unwrap();
        assert!(json.contains("cgt-1"), "{at}: {json}");
        assert_eq!(self.all_findings().await, [], "{at}");
    }

    /// Returns the differences between the receipts, of which there may be none, and the objects.
    pub(crate) async fn all_findings(&self) -> Vec<Finding> {
        let archive = self.archive_in(FailingStore::never(&self.memory));
        let verified = audit::verify(&archive, None, true);
        let verified: Vec<_> = verified.try_collect().await.unwrap();
        verified.into_iter().flat_map(|it| it.findings).collect()
    }

    /// Returns the differences between the receipts and the objects.
    pub(crate) async fn findings(&self) -> Vec<Finding> {
        let archive = self.archive_in(FailingStore::never(&self.memory));
        let verified: Vec<_> = audit::verify(&archive, None, true)
            .try_collect()
            .await
            .unwrap();
        assert_eq!(verified.len(), 1, "{verified:?}");
        verified.into_iter().flat_map(|it| it.findings).collect()
    }

    fn archive_in(&self, store: Arc<FailingStore>) -> Archive {
        let archive = Archive::from_store("memory:///".parse().unwrap(), store);
        match self.memory.has_conditional_complete {
            true => archive.with_conditional_complete(),
            false => archive,
        }
    }

    /// Replaces the staged object by one of the same size, as another attempt may do.
    pub(crate) async fn replace_staged(&self) {
        let keys = self.keys().await;
        let staged = keys.iter().find(|key| key.starts_with(".staging/"));
        let staged = Path::from(staged.unwrap().as_str());
        let mut bytes = self.memory.bytes(&staged).await;
        bytes[1000] ^= 1;
        let objects = &self.memory.objects;
        objects.put(&staged, bytes.into()).await.unwrap();
    }

    /// Lets another attempt complete the upload of a progress to its staging key, with these bytes.
    pub(crate) async fn stage_in_another_attempt(&self, progress: &Progress, bytes: Bytes) {
        let state = serde_json::to_value(progress.state()).unwrap();
        let upload = &state["upload"];
        self.memory.abort(upload["id"].as_str().unwrap()).unwrap();
        let staged = Path::from(upload["key"].as_str().unwrap());
        let objects = &self.memory.objects;
        objects.put(&staged, bytes.into()).await.unwrap();
    }

    /// Puts an object into the task's directory.
    pub(crate) async fn put(&self, name: &str, bytes: &'static [u8]) {
        let key = Path::from(format!("{DIRECTORY}/{name}"));
        self.memory.objects.put(&key, bytes.into()).await.unwrap();
    }

    pub(crate) async fn has_receipt(&self) -> bool {
        let keys = self.keys().await;
        keys.contains(&format!("{DIRECTORY}/manifest.json"))
    }

    /// Asserts that an archived video has the served bytes, and that a receipt names only objects that exist.
    pub(crate) async fn assert_consistent(&self) {
        let keys = self.keys().await;
        if keys.contains(&format!("{DIRECTORY}/video.mp4")) {
            let video = self.read("video.mp4").await;
            assert_eq!(
                video,
                self.host.video(),
                "the object under a final key has different bytes"
            );
        }
        if keys.contains(&format!("{DIRECTORY}/manifest.json")) {
            self.assert_receipt_is_valid().await;
        }
    }

    /// Asserts that the video is archived, and that there is at most one leftover: an object or upload whose
    /// creation a crash hid from every process.
    pub(crate) async fn assert_archived_once(&self, at: &str) {
        self.assert_archived(at).await;
        let staged = self.keys().await.len() - 3; // without receipt, record and video
        let uploads = self.memory.incomplete_uploads();
        assert!(
            staged + uploads <= 1,
            "{at}: {staged} staged objects, {uploads} incomplete uploads"
        );
    }

    pub(crate) async fn assert_archived(&self, at: &str) {
        let mut keys = self.keys().await;
        keys.retain(|key| !key.starts_with(".staging/"));
        let expected = ["manifest.json", "task.json", "video.mp4"];
        assert_eq!(
            keys,
            expected.map(|name| format!("{DIRECTORY}/{name}")),
            "{at}"
        );
        assert_eq!(self.read("video.mp4").await, self.host.video(), "{at}");
        self.assert_receipt_is_valid().await;
    }

    async fn assert_receipt_is_valid(&self) {
        let manifest: Manifest = serde_json::from_slice(&self.read("manifest.json").await).unwrap();
        assert_eq!(manifest.objects.len(), 2, "{manifest:?}");
        for object in manifest.objects {
            let bytes = self.read(&object.name).await;
            assert_eq!(object.size_bytes, bytes.len() as i64, "{object:?}");
            assert_eq!(
                object.sha256,
                hex::encode(Sha256::digest(&bytes)),
                "{object:?}"
            );
        }
    }

    pub(crate) async fn read(&self, name: &str) -> Vec<u8> {
        self.memory
            .bytes(&Path::from(format!("{DIRECTORY}/{name}")))
            .await
    }

    pub(crate) async fn keys(&self) -> Vec<String> {
        let objects = self.memory.objects.list(None);
        let mut keys: Vec<_> = objects
            .map_ok(|object| object.location.to_string())
            .try_collect()
            .await
            .unwrap();
        keys.sort();
        keys
    }
}

fn task(id: &str, archive_deadline: i64) -> VideoTask {
    VideoTask {
        id: id.into(),
        status: "succeeded".into(),
        created_at: 1_752_850_104,
        archive_deadline,
        ..VideoTask::default()
    }
}

fn tombstone(task_id: &str) -> Tombstone {
    Tombstone {
        task_id: task_id.into(),
        erased_at: 1_752_850_200,
        ..Tombstone::default()
    }
}

fn layout(task: &VideoTask) -> Layout {
    let template = KeyTemplate::default();
    Layout::new(&Path::default(), &template, "default", task)
}
