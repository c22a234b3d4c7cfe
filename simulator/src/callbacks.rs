//! Posts the record of a task to its callback URL at each change of its status.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;
use reqwest::{Client, Url, header::CONTENT_TYPE, redirect::Policy};
use seedance_archiver_proto::status;
use tokio::{runtime::Handle, task::JoinSet, time::sleep};

use crate::{
    create_request::callback_url,
    record::{Recipient, query_response},
    service::Service,
    task::Task,
};

/// Maximum number of attempts to send a callback. An attempt fails unless the receiver returns 2xx.
const MAX_ATTEMPTS: usize = 3;
/// Timeout of an attempt.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// Delay between attempts.
const RETRY_DELAY: Duration = Duration::from_millis(200);

/// Sends callbacks on the runtime that it was created on, so that a task can be created on any thread.
pub(crate) struct Callbacks {
    sender: Arc<Sender>,
    runtime: Handle,
    /// One background task for each simulated task that has a callback URL. `None` once the simulator has
    /// stopped: connections outlive it and may still create tasks.
    background: Mutex<Option<JoinSet<()>>>,
}

struct Sender {
    service: Arc<Service>,
    http: Client,
    /// Host of the URLs in a record.
    host: String,
}

impl Callbacks {
    /// Creates a sender of records whose URLs are on `address`.
    ///
    /// # Errors
    ///
    /// Returns an error if the HTTP client cannot be built.
    pub(crate) fn new(address: SocketAddr, service: Arc<Service>) -> io::Result<Self> {
        let http = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(CALL_TIMEOUT)
            .build()
            .map_err(io::Error::other)?;
        let host = address.to_string();
        Ok(Self {
            sender: Arc::new(Sender {
                service,
                http,
                host,
            }),
            runtime: Handle::current(),
            background: Mutex::new(Some(JoinSet::new())),
        })
    }

    /// Starts the callbacks of a task, if its script has a valid callback URL.
    pub(crate) fn start(&self, task: Arc<Task>) {
        let Some(url) = task.script.callback_url.as_deref().and_then(callback_url) else {
            return;
        };
        if let Some(background) = &mut *self.background.lock() {
            // Frees the background tasks that have finished.
            while background.try_join_next().is_some() {}
            let sender = self.sender.clone();
            background.spawn_on(
                async move { sender.send_all(&task, &url).await },
                &self.runtime,
            );
        }
    }

    /// Stops all callbacks, including those of tasks that are created later.
    pub(crate) fn stop(&self) {
        self.background.lock().take();
    }
}

impl Sender {
    async fn send_all(&self, task: &Task, url: &Url) {
        for change in task.status_changes() {
            self.service.clock.sleep_until(change).await;
            if !self.send(task, url, change).await {
                return;
            }
        }
    }

    /// Sends the callback of one status change. Returns `false` if the task gets no further callbacks.
    async fn send(&self, task: &Task, url: &Url, change: SystemTime) -> bool {
        let recipient = Recipient {
            host: &self.host,
            api_key: &self.service.settings.api_key,
        };
        // The record as of the change, even if a retry sends it later.
        let record = query_response(&self.service, task, recipient, change);
        for attempt in 0..MAX_ATTEMPTS {
            if attempt > 0 {
                sleep(RETRY_DELAY).await;
            }
            if self.is_cancelled_or_deleted(task) {
                return false;
            }
            self.service
                .tasks
                .count(&task.id, |stats| stats.callbacks += 1);
            let call = self
                .http
                .post(url.clone())
                .header(CONTENT_TYPE, "application/json")
                .body(record.clone());
            if call
                .send()
                .await
                .is_ok_and(|response| response.status().is_success())
            {
                break;
            }
        }
        true
    }

    /// Returns whether the task was cancelled or deleted. The service sends no callback for either.
    fn is_cancelled_or_deleted(&self, task: &Task) -> bool {
        task.status(self.service.clock.now()).0 == status::CANCELLED
            || self.service.tasks.find(&task.id).is_none()
    }
}

#[cfg(test)]
mod tests;
