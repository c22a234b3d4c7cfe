//! State that all requests share.

use std::time::{Duration, SystemTime};

use parking_lot::Mutex;

use crate::{
    fault::Fault,
    paths::{BUCKET, LAST_FRAME, VIDEO},
    signed_url::Signer,
    task::Task,
    tasks::Tasks,
};

/// The tasks, the signing key, the settings and the injected faults.
pub(crate) struct Service {
    pub(crate) tasks: Tasks,
    pub(crate) signer: Signer,
    pub(crate) settings: Settings,
    /// The error that every API call returns.
    pub(crate) fault: Mutex<Option<Fault>>,
    /// The `Date` header of API responses. `None`: the current time.
    pub(crate) date: Mutex<Option<SystemTime>>,
}

/// The API key, and the defaults of tasks whose script does not set them.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) api_key: String,
    pub(crate) queued: Duration,
    pub(crate) running: Duration,
    pub(crate) url_lifetime: Duration,
}

impl Service {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            tasks: Tasks::default(),
            signer: Signer::new(),
            settings,
            fault: Mutex::default(),
            date: Mutex::default(),
        }
    }

    /// Returns a signed URL of the task's video on `host`.
    pub(crate) fn video_url(&self, task: &Task, host: &str, now: SystemTime) -> String {
        let (url, signature) = self.sign(task, VIDEO, host, now);
        task.add_video_signature(signature);
        url
    }

    /// Returns a signed URL of the task's last frame on `host`.
    pub(crate) fn last_frame_url(&self, task: &Task, host: &str, now: SystemTime) -> String {
        self.sign(task, LAST_FRAME, host, now).0
    }

    /// Returns a signed URL and its signature.
    fn sign(&self, task: &Task, extension: &str, host: &str, now: SystemTime) -> (String, String) {
        let model = task.request.model();
        let path = format!("/{BUCKET}/{model}/{}.{extension}", task.id);
        let signed_at = if task.script.signs_once {
            task.status(now).1
        } else {
            now
        };
        let lifetime = task.script.url_lifetime;
        let lifetime = lifetime.unwrap_or(self.settings.url_lifetime);
        let signed = self.signer.sign(&path, signed_at, lifetime);
        (
            format!("http://{host}{path}?{}", signed.query),
            signed.signature,
        )
    }
}
