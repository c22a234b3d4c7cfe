//! Tells the callback URL of a task about each status that the task takes.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use reqwest::{Client, Url, header::CONTENT_TYPE, redirect::Policy};
use seedance_archiver_proto::status;
use tokio::{runtime::Handle, task::JoinSet, time::sleep};

use crate::{
    record::answer_to_query,
    server::Service,
    tasks::{Task, lock},
};

/// How often a callback is sent until somebody takes it.
const TIMES: usize = 3;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// What lies between two attempts.
const PAUSE: Duration = Duration::from_millis(200);

/// Sends callbacks on the runtime that it was made on, from wherever a task is created.
pub(crate) struct Callbacks {
    http: Client,
    runtime: Handle,
    /// Where the URLs in a record point to.
    host: String,
    /// `None` once the simulator has stopped: connections outlive it and could create tasks still.
    senders: Mutex<Option<JoinSet<()>>>,
}

impl Callbacks {
    pub(crate) fn new(address: SocketAddr) -> io::Result<Self> {
        let http = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .build()
            .map_err(io::Error::other)?;
        Ok(Self {
            http,
            runtime: Handle::current(),
            host: address.to_string(),
            senders: Mutex::new(Some(JoinSet::new())),
        })
    }

    /// Begins to tell about a task.
    pub(crate) fn begin(&self, service: Arc<Service>, task: Arc<Task>, url: Url) {
        if let Some(senders) = &mut *lock(&self.senders) {
            while senders.try_join_next().is_some() {}
            senders.spawn_on(tell_all(service, task, url), &self.runtime);
        }
    }

    /// Sends no more. The senders share the service that keeps them: left alone, neither would end.
    pub(crate) fn stop(&self) {
        lock(&self.senders).take();
    }
}

/// The URL that a text is, where callbacks can be sent to it.
pub(crate) fn callback_url(text: &str) -> Option<Url> {
    Url::parse(text)
        .ok()
        .filter(|url| ["http", "https"].contains(&url.scheme()))
}

async fn tell_all(service: Arc<Service>, task: Arc<Task>, url: Url) {
    for change in task.changes() {
        sleep(change.duration_since(SystemTime::now()).unwrap_or_default()).await;
        if !tell(&service, &task, &url, change).await {
            return;
        }
    }
}

/// Tells about one change, until it is heard or has been said often enough. Returns whether there
/// can be more to tell.
async fn tell(service: &Service, task: &Task, url: &Url, change: SystemTime) -> bool {
    let callbacks = &service.callbacks;
    // However late it is sent, it is about this change.
    let record = answer_to_query(service, task, &callbacks.host, change).to_string();
    for attempt in 0..TIMES {
        if attempt > 0 {
            sleep(PAUSE).await;
        }
        if is_over(service, task) {
            return false;
        }
        service.tasks.count(&task.id, |stats| stats.callbacks += 1);
        let call = callbacks
            .http
            .post(url.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(record.clone());
        if call.send().await.is_ok_and(|it| it.status().is_success()) {
            break;
        }
    }
    true
}

/// Whether the task was cancelled or deleted, of which no callback tells.
fn is_over(service: &Service, task: &Task) -> bool {
    task.status(SystemTime::now()).0 == status::CANCELLED || service.tasks.find(&task.id).is_none()
}

#[cfg(test)]
mod tests;
