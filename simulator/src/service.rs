//! State that all requests share.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::{status, time::unix_seconds};
use tokio::sync::watch;

use crate::{
    create_fault::CreateFaults,
    fault::Faults,
    limits::Limits,
    list_dialect::ListDialects,
    misuse::Observer,
    paths::{BUCKET, LAST_FRAME, VIDEO},
    signed_url::Signer,
    task::Task,
    tasks::Tasks,
};

/// How long after its creation a task can be queried and listed.
const QUERY_WINDOW: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How long the record of a cancelled task is kept.
const CANCELLED_RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// The tasks, the signing key, the settings and the injected faults.
pub(crate) struct Service {
    pub(crate) tasks: Tasks,
    pub(crate) signer: Signer,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) observer: Mutex<Observer>,
    pub(crate) limits: Mutex<Limits>,
    /// What is wrong with API calls.
    pub(crate) faults: watch::Sender<Faults>,
    /// What goes wrong with create requests.
    pub(crate) create_faults: CreateFaults,
    /// How lists differ from the documented ones.
    pub(crate) list_dialects: Mutex<ListDialects>,
    /// The `Date` header of API responses. `None`: the time of the clock.
    pub(crate) date: Mutex<Option<SystemTime>>,
    /// The API keys that are accepted.
    pub(crate) api_keys: Mutex<Vec<String>>,
    /// Every signature that was handed out, if the settings say to keep them.
    pub(crate) signatures: Mutex<BTreeSet<String>>,
}

/// The API key, and the defaults of tasks whose script does not set them.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) api_key: String,
    pub(crate) queued: Duration,
    pub(crate) running: Duration,
    pub(crate) url_lifetime: Duration,
    /// Queries a second that are allowed.
    pub(crate) query_rate: f64,
    /// List requests a second that are allowed.
    pub(crate) list_rate: f64,
    /// Whether requests above these rates are answered with 429.
    pub(crate) enforces_rates: bool,
    /// Whether the signatures of URLs are kept.
    pub(crate) keeps_signatures: bool,
    /// Whether queries and list requests are kept.
    pub(crate) keeps_arrivals: bool,
}

impl Service {
    pub(crate) fn new(settings: Settings, clock: Clock) -> Self {
        let observer = Observer::new(
            settings.query_rate,
            settings.list_rate,
            settings.keeps_arrivals,
        );
        Self {
            tasks: Tasks::default(),
            signer: Signer::new(),
            clock,
            observer: Mutex::new(observer),
            api_keys: Mutex::new(vec![settings.api_key.clone()]),
            settings,
            limits: Mutex::default(),
            faults: watch::Sender::new(Faults::default()),
            create_faults: CreateFaults::default(),
            list_dialects: Mutex::default(),
            date: Mutex::default(),
            signatures: Mutex::default(),
        }
    }

    /// Returns a task if the API knows it at the time `now`.
    pub(crate) fn find(&self, id: &str, now: SystemTime) -> Option<Arc<Task>> {
        let task = self.tasks.find(id)?;
        let is_found = !task.is_hidden() && is_known(&task, now);
        is_found.then_some(task)
    }

    /// Does the same for a query, and observes whether it was allowed.
    pub(crate) fn query(&self, id: &str, now: SystemTime) -> Option<Arc<Task>> {
        if let Some(task) = self.find(id, now) {
            task.set_returned();
            return Some(task);
        }
        let task = self.tasks.find(id)?;
        if task.was_returned() && !is_in_window(&task, now) && !is_purged(&task, now) {
            self.observer.lock().outside_window();
            self.tasks
                .count(id, |stats| stats.queries_outside_window += 1);
        }
        None
    }

    /// Returns whether a list at the time `now` contains a task.
    pub(crate) fn is_listed(&self, task: &Task, now: SystemTime) -> bool {
        !task.is_unlisted() && is_known(task, now)
    }

    /// Returns the URL of the task's video: that of its script, or a signed one on `host`.
    pub(crate) fn video_url(&self, task: &Task, host: &str, now: SystemTime) -> String {
        if let Some(url) = &task.script.video_url {
            return url.clone();
        }
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
        if self.settings.keeps_signatures {
            self.signatures.lock().insert(signed.signature.clone());
        }
        (
            format!("http://{host}{path}?{}", signed.query),
            signed.signature,
        )
    }
}

/// Returns whether the service has the record of a task.
fn is_known(task: &Task, now: SystemTime) -> bool {
    is_in_window(task, now) && !is_purged(task, now)
}

/// Returns whether a task was created in `[now - 7 d, now)`. The service compares whole seconds, so it does not return
/// a task in the second of its creation.
fn is_in_window(task: &Task, now: SystemTime) -> bool {
    let [created_at, now] = [task.created_at, now].map(unix_seconds);
    created_at < now && now - created_at <= QUERY_WINDOW.as_secs() as i64
}

fn is_purged(task: &Task, now: SystemTime) -> bool {
    let (status, since) = task.status(now);
    status == status::CANCELLED && now >= since + CANCELLED_RETENTION
}
