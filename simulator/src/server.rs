//! The running simulator.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, atomic::Ordering},
    time::{Duration, SystemTime},
};

use axum::Router;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    api,
    callbacks::{self, Callbacks},
    create,
    fault::Fault,
    files,
    script::Script,
    signed_url::Signer,
    source::Source,
    tasks::{Stats, Task, Tasks, lock},
};

/// First part of the path of every object.
pub(crate) const BUCKET: &str = "ark-content-generation-ap-southeast-1";
/// Extension of a video's key.
pub(crate) const VIDEO: &str = "mp4";
/// Extension of a last frame's key.
pub(crate) const LAST_FRAME: &str = "png";
/// Path of the API's base.
const BASE: &str = "/api/v3";

/// How the simulator behaves where a task's script says nothing.
#[derive(Clone, Debug)]
pub struct Builder {
    address: SocketAddr,
    settings: Settings,
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) api_key: String,
    queued: Duration,
    running: Duration,
    url_lifetime: Duration,
}

/// What the routes share.
pub(crate) struct Service {
    pub(crate) tasks: Tasks,
    pub(crate) callbacks: Callbacks,
    pub(crate) signer: Signer,
    pub(crate) settings: Settings,
    pub(crate) fault: Mutex<Option<Fault>>,
    pub(crate) date: Mutex<Option<SystemTime>>,
}

/// A running simulator. It stops when dropped.
pub struct Simulator {
    address: SocketAddr,
    pub(crate) service: Arc<Service>,
    server: JoinHandle<()>,
}

impl Simulator {
    /// A simulator on a free port of this machine, with tasks that are queued for 2 s and run for
    /// 8 s, and URLs that live for a day.
    pub fn builder() -> Builder {
        Builder {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            settings: Settings {
                api_key: "simulator-key".into(),
                queued: Duration::from_secs(2),
                running: Duration::from_secs(8),
                url_lifetime: Duration::from_secs(24 * 60 * 60),
            },
        }
    }

    /// Base of the API.
    pub fn base_url(&self) -> String {
        format!("http://{}{BASE}", self.address)
    }

    /// The API key that is accepted.
    pub fn api_key(&self) -> &str {
        &self.service.settings.api_key
    }

    /// Creates a task that begins now, and returns its id.
    pub fn create(&self, script: Script) -> String {
        let request = create::Request::of(&script);
        self.service.create(request, script).id.clone()
    }

    /// Lets every call meet a fault, until it is told otherwise.
    pub fn fail(&self, fault: Option<Fault>) {
        *lock(&self.service.fault) = fault;
    }

    /// Lets every answer of the API have this date, as of a machine whose clock is wrong.
    pub fn date(&self, date: Option<SystemTime>) {
        *lock(&self.service.date) = date;
    }

    /// Lets the API say that there is no such task, as it does of one that it has not heard of yet,
    /// or no longer.
    pub fn hide(&self, task_id: &str, hidden: bool) {
        self.service.tasks.hide(task_id, hidden);
    }

    /// The video that a task makes. `None` where there is no such task.
    pub fn source(&self, task_id: &str) -> Option<Arc<Source>> {
        Some(self.service.tasks.find(task_id)?.video.clone())
    }

    /// The status of a task now. `None` where there is no such task.
    pub fn status(&self, task_id: &str) -> Option<&'static str> {
        let task = self.service.tasks.find(task_id)?;
        Some(task.status(SystemTime::now()).0)
    }

    /// How often tasks were listed so far, calls that met a fault included.
    pub fn lists(&self) -> u64 {
        self.service.tasks.lists.load(Ordering::Relaxed)
    }

    /// What was asked of a task so far.
    pub fn stats(&self, task_id: &str) -> Stats {
        self.service.tasks.stats(task_id)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.server.abort();
        self.service.callbacks.stop();
    }
}

impl Builder {
    /// Where to listen.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// The API key that is accepted.
    pub fn api_key(mut self, api_key: String) -> Self {
        self.settings.api_key = api_key;
        self
    }

    /// How long tasks are queued.
    pub fn queued(mut self, time: Duration) -> Self {
        self.settings.queued = time;
        self
    }

    /// How long tasks run.
    pub fn running(mut self, time: Duration) -> Self {
        self.settings.running = time;
        self
    }

    /// How long signed URLs live, in whole seconds.
    pub fn url_lifetime(mut self, time: Duration) -> Self {
        self.settings.url_lifetime = time;
        self
    }

    /// Starts to listen.
    pub async fn start(self) -> io::Result<Simulator> {
        let listener = TcpListener::bind(self.address).await?;
        let address = listener.local_addr()?;
        let service = Arc::new(Service {
            tasks: Tasks::default(),
            callbacks: Callbacks::new(address)?,
            signer: Signer::new(),
            settings: self.settings,
            fault: Mutex::default(),
            date: Mutex::default(),
        });
        let routes = Router::new()
            .nest(BASE, api::routes(service.clone()))
            .merge(files::routes(service.clone()));
        let server = tokio::spawn(async move {
            // It ends only when it is aborted.
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Simulator {
            address,
            service,
            server,
        })
    }
}

impl Service {
    pub(crate) fn create(self: &Arc<Self>, request: create::Request, script: Script) -> Arc<Task> {
        let Settings {
            queued, running, ..
        } = self.settings;
        let url = script.callback_url.as_deref();
        let url = url.and_then(callbacks::callback_url);
        let task = self.tasks.create(request, script, queued, running);
        if let Some(url) = url {
            self.callbacks.begin(self.clone(), task.clone(), url);
        }
        task
    }

    pub(crate) fn video_url(&self, task: &Task, host: &str, now: SystemTime) -> String {
        let (url, signature) = self.sign(task, VIDEO, host, now);
        let mut signatures = lock(&task.signatures);
        if !signatures.contains(&signature) {
            signatures.push(signature);
        }
        url
    }

    pub(crate) fn last_frame_url(&self, task: &Task, host: &str, now: SystemTime) -> String {
        self.sign(task, LAST_FRAME, host, now).0
    }

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
