//! Archives an object that a video host serves in any way.

use std::{fmt, sync::Arc};

use futures::executor::block_on;
use object_store::{ObjectStoreExt, memory::InMemory, path::Path};
use secrecy::SecretString;
use seedance_archiver_archive::{
    Archive, ArchiveState, AttemptKeys, Buffers, Error, KeyTemplate, Layout, ObjectKind, Progress,
    TaskArchival, TaskSource, TransferResources, UrlSource,
    checks::Mismatch,
    fetch::{UrlHosts, VideoClient},
};
use seedance_archiver_proto::v1::{Manifest, VideoContent, VideoTask};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::loopback::{self, Reply, Request};

/// Maximum number of parts of all attempts at an object.
const MAX_PARTS: usize = 10_000;
/// How often an attempt requests another URL.
const MAX_URLS: u32 = 3;

thread_local! {
    static CLIENT: VideoClient =
        VideoClient::new(UrlHosts::parse(&["http://127.0.0.1"]).unwrap()).unwrap();
}

/// An archival of one object, in several attempts that resume from each other.
pub(crate) struct Archival {
    task: VideoTask,
    store: Arc<InMemory>,
    resources: TransferResources,
    state: ArchiveState,
    attempts: u32,
}

/// What an attempt archived, apart from what differs between attempts.
#[derive(PartialEq)]
pub(crate) struct Archived {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// Name, result, expectation and finding of each check.
    pub(crate) checks: Vec<[String; 4]>,
}

/// Omits the bytes, which are many.
impl fmt::Debug for Archived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, checks, .. } = self;
        write!(f, "{name} {checks:?}")
    }
}

impl Archival {
    /// Returns an archival that uploads parts of this size.
    pub(crate) fn new(kind: ObjectKind, part_size: usize) -> Self {
        let url = "sealed".to_owned();
        let mut content = VideoContent::default();
        match kind {
            ObjectKind::Video => content.video_url = url,
            ObjectKind::LastFrame => content.last_frame_url = url,
            ObjectKind::File => content.file_url = url,
        }
        Self {
            task: VideoTask {
                id: "cgt-1".into(),
                status: "succeeded".into(),
                content: Some(content),
                ..VideoTask::default()
            },
            store: Arc::default(),
            resources: TransferResources {
                client: CLIENT.with(VideoClient::clone),
                // The store in memory keeps the buffers of its parts, and with them the memory of their transfers.
                buffers: Buffers::new(MAX_PARTS, MAX_PARTS, part_size),
                clock: Default::default(),
            },
            state: ArchiveState::default(),
            attempts: 0,
        }
    }

    /// Runs one attempt against a host.
    pub(crate) fn attempt(
        &mut self,
        host: impl FnMut(&Request) -> Reply + Send + 'static,
    ) -> Result<Archived, String> {
        self.attempts += 1;
        let progress = Progress::resume(self.state.clone());
        let result = loopback::serve(host, self.run(&progress));
        // As in a heartbeat, from which another process continues.
        let heartbeat = serde_json::to_string(&progress.state()).unwrap();
        self.state = serde_json::from_str(&heartbeat).unwrap();
        result
            .map(|receipt| self.archived(&receipt))
            .map_err(|error| error.to_string())
    }

    async fn run(&self, progress: &Progress) -> Result<Manifest, Error> {
        let archive = Archive::from_store("memory:///".parse().unwrap(), self.store.clone());
        let layout = self.layout();
        let archival = TaskArchival {
            archive: &archive,
            keys: AttemptKeys {
                layout: &layout,
                attempt_id: Uuid::from_u128(self.attempts.into()),
            },
            task: &self.task,
            mismatch: Mismatch::Warn,
            attempt: self.attempts,
            resources: &self.resources,
            progress,
        };
        let source = Source(loopback::url().into());
        archival.run(&source, Manifest::default()).await
    }

    fn layout(&self) -> Layout {
        Layout::new(
            &Path::default(),
            &KeyTemplate::default(),
            "default",
            &self.task,
        )
    }

    /// Reads the object that a receipt names. What the receipt says of it is true.
    fn archived(&self, receipt: &Manifest) -> Archived {
        let object = &receipt.objects[0];
        let key = self.layout().file(&object.name);
        let bytes = block_on(async { self.store.get(&key).await?.bytes().await });
        let bytes = bytes.expect("the receipt names an object").to_vec();
        assert_eq!(bytes.len() as i64, object.size_bytes);
        assert_eq!(hex::encode(Sha256::digest(&bytes)), object.sha256);
        let checks = object.checks.iter().cloned();
        Archived {
            name: object.name.clone(),
            bytes,
            checks: checks
                .map(|it| [it.name, it.result, it.expected, it.found])
                .collect(),
        }
    }
}

struct Source(SecretString);

impl TaskSource for Source {
    type Error = Error;

    fn urls(&self, _: ObjectKind) -> impl UrlSource<Error = Error> + Send {
        Urls(self.0.clone(), 0)
    }

    async fn record(&self) -> String {
        "{\"status\": \"succeeded\"}".to_owned()
    }

    fn skip(&self, _: ObjectKind, error: Error) -> Result<String, Error> {
        Err(error)
    }
}

/// The URL of the host, which is never a different one.
struct Urls(SecretString, u32);

impl UrlSource for Urls {
    type Error = Error;

    async fn first_url(&mut self) -> Result<SecretString, Error> {
        Ok(self.0.clone())
    }

    async fn fresh_url(&mut self, rejected: Error) -> Result<SecretString, Error> {
        self.1 += 1;
        match self.1 {
            ..MAX_URLS => Ok(self.0.clone()),
            _ => Err(rejected),
        }
    }
}
