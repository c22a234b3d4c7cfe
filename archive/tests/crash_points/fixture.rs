//! One task's video, its host and its store.

mod assertions;
mod objects;
mod runs;

use std::sync::Arc;

use seedance_archiver_archive::{
    Archive, ArchiveState, Buffers, Progress, TransferResources,
    fetch::{UrlHosts, VideoClient},
    receipt::Tombstone,
};
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::v1::VideoTask;

use crate::{failing_store::FailingStore, host, host::Host, memory::Memory, video::video};

pub(crate) use runs::End;

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

    fn archive_in(&self, store: Arc<FailingStore>) -> Archive {
        let archive = Archive::from_store("memory:///".parse().unwrap(), store);
        match self.memory.has_conditional_complete {
            true => archive.with_conditional_complete(),
            false => archive,
        }
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
