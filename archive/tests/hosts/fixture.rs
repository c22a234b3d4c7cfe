//! Archives the videos of a simulator, each attempt as if in a separate process.

use std::{sync::Arc, time::Duration};

use object_store::{ObjectStoreExt, memory::InMemory, path::Path};
use secrecy::SecretString;
use seedance_archiver_archive::{
    Archive, ArchiveState, AttemptKeys, Buffers, Error, KeyTemplate, Layout, ObjectKind, Progress,
    TaskArchival, TaskSource, TransferResources, UrlSource,
    checks::Mismatch,
    fetch::{UrlHosts, VideoClient},
};
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::v1::{Manifest, ObjectCheck, VideoTask};
use seedance_archiver_simulator::{Script, Simulator};
use serde_json::Value;
use uuid::Uuid;

/// Size of a part. A video has several parts.
const PART_SIZE: usize = 64 * 1024;
/// Size of a video of several parts.
pub(crate) const LARGE: u64 = 300_000;

pub(crate) struct Fixture {
    pub(crate) simulator: Simulator,
    pub(crate) id: String,
    store: Arc<InMemory>,
    resources: TransferResources,
}

impl Fixture {
    pub(crate) async fn new(script: Script) -> Self {
        let clock = Clock::default();
        let simulator = Simulator::builder()
            .queued(Duration::ZERO)
            .running(Duration::ZERO)
            .clock(clock.clone())
            .start()
            .await
            .unwrap();
        let id = simulator.create(script);
        let hosts = UrlHosts::parse(&["http://127.0.0.1"]).unwrap();
        Self {
            simulator,
            id,
            store: Arc::default(),
            resources: TransferResources {
                client: VideoClient::new(hosts).unwrap(),
                buffers: Buffers::new(40, 400, PART_SIZE),
                clock,
            },
        }
    }

    /// Runs one attempt.
    pub(crate) async fn attempt(&self, progress: &Progress) -> Result<Manifest, Error> {
        let url = "memory:///".parse().unwrap();
        let archive = Archive::from_store(url, self.store.clone());
        let task = VideoTask {
            id: self.id.clone(),
            status: "succeeded".into(),
            ..VideoTask::default()
        };
        let template = KeyTemplate::default();
        let layout = Layout::new(&Path::default(), &template, "default", &task);
        let archival = TaskArchival {
            archive: &archive,
            keys: AttemptKeys {
                layout: &layout,
                attempt_id: Uuid::new_v4(),
            },
            task: &task,
            mismatch: Mismatch::Warn,
            attempt: 1,
            resources: &self.resources,
            progress,
        };
        archival.run(self, Manifest::default()).await
    }

    /// Runs attempts until one succeeds, five at most. Each resumes from the heartbeat of the one before. Returns the
    /// receipt and the errors.
    pub(crate) async fn archive(&self) -> (Option<Manifest>, Vec<String>) {
        let mut state = ArchiveState::default();
        let mut errors = Vec::new();
        for _ in 0..5 {
            let progress = Progress::resume(state);
            match self.attempt(&progress).await {
                Ok(manifest) => return (Some(manifest), errors),
                Err(error) => errors.push(error.to_string()),
            }
            let heartbeat = serde_json::to_string(&progress.state()).unwrap();
            state = serde_json::from_str(&heartbeat).unwrap();
        }
        (None, errors)
    }

    /// Reads the first object of a receipt.
    pub(crate) async fn read(&self, manifest: &Manifest) -> Vec<u8> {
        let name = &manifest.objects[0].name;
        let path = Path::from(format!("default/undated/{}/{name}", self.id));
        let stored = self.store.get(&path).await.unwrap();
        stored.bytes().await.unwrap().to_vec()
    }

    /// Asserts that the original video was archived in the first attempt. Returns its checks.
    pub(crate) async fn assert_original(&self, context: &str) -> Manifest {
        let (manifest, errors) = self.archive().await;
        let manifest = manifest.unwrap_or_else(|| panic!("{context}: {errors:?}"));
        assert!(errors.is_empty(), "{context}: {errors:?}");
        let original = self.simulator.source(&self.id).unwrap().bytes();
        assert!(
            self.read(&manifest).await == original,
            "{context}: other bytes"
        );
        manifest
    }

    async fn url(&self) -> SecretString {
        let url = format!(
            "{}/contents/generations/tasks/{}",
            self.simulator.base_url(),
            self.id
        );
        let request = reqwest::Client::new()
            .get(url)
            .bearer_auth(self.simulator.api_key());
        let body = request.send().await.unwrap().text().await.unwrap();
        let record: Value = serde_json::from_str(&body).unwrap();
        record["content"]["video_url"].as_str().unwrap().into()
    }
}

/// Returns the checks with warnings, and what they found.
pub(crate) fn warnings(manifest: &Manifest) -> Vec<(&str, &str)> {
    let checks = manifest.objects[0].checks.iter();
    let warnings = checks.filter(|check| check.result == "warning");
    warnings
        .map(|ObjectCheck { name, found, .. }| (name.as_str(), found.as_str()))
        .collect()
}

/// Returns whether a check passed.
pub(crate) fn has_passed(manifest: &Manifest, name: &str) -> bool {
    let mut checks = manifest.objects[0].checks.iter();
    checks.any(|check| check.name == name && check.result == "passed")
}

impl TaskSource for Fixture {
    type Error = Error;

    fn urls(&self, _: ObjectKind) -> impl UrlSource<Error = Error> + Send {
        Urls {
            fixture: self,
            queries: 0,
        }
    }

    async fn record(&self) -> String {
        "{}".to_owned()
    }

    fn skip(&self, _: ObjectKind, error: Error) -> Result<String, Error> {
        Err(error)
    }
}

/// Queries the simulator for URLs: twice per attempt, as the worker does.
struct Urls<'a> {
    fixture: &'a Fixture,
    queries: u32,
}

impl UrlSource for Urls<'_> {
    type Error = Error;

    async fn first_url(&mut self) -> Result<SecretString, Error> {
        Ok(self.fixture.url().await)
    }

    async fn fresh_url(&mut self, rejected: Error) -> Result<SecretString, Error> {
        self.queries += 1;
        // URLs that are signed in the same second are the same.
        let second = Duration::from_secs(1);
        self.fixture.resources.clock.advance(second).await;
        match self.queries {
            1 | 2 => Ok(self.fixture.url().await),
            _ => Err(rejected),
        }
    }
}
