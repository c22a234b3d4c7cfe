//! The running simulator.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::Router;
use seedance_archiver_clock::Clock;
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    api::Api,
    callbacks::Callbacks,
    create_fault::CreateFault,
    create_request::CreateRequest,
    fault::Fault,
    files,
    limits::Throttled,
    list_dialect::{ListDialect, ListDialects},
    misuse::{Arrival, EarlyRequest, LIST_RATE, Misuse, QUERY_RATE},
    paths::BASE,
    record::{Recipient, record},
    script::Script,
    service::{Service, Settings},
    source::Source,
    tasks::Stats,
};

/// Builder of a simulator: the address, the API key, and the defaults for tasks whose script does not set them.
#[derive(Clone, Debug)]
pub struct Builder {
    address: SocketAddr,
    settings: Settings,
    clock: Clock,
}

/// A running simulator. It stops when dropped.
pub struct Simulator {
    address: SocketAddr,
    pub(crate) api: Arc<Api>,
    server: JoinHandle<()>,
}

impl Simulator {
    /// Returns a builder of a simulator on a free local port. By default tasks are queued for 2 s and run for
    /// 8 s, and URLs expire after a day.
    pub fn builder() -> Builder {
        Builder {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            settings: Settings {
                api_key: "simulator-key".into(),
                queued: Duration::from_secs(2),
                running: Duration::from_secs(8),
                url_lifetime: Duration::from_secs(24 * 60 * 60),
                query_rate: QUERY_RATE,
                list_rate: LIST_RATE,
                enforces_rates: false,
                keeps_signatures: false,
                keeps_arrivals: false,
            },
            clock: Clock::default(),
        }
    }

    /// Returns the base URL of the API.
    pub fn base_url(&self) -> String {
        format!("http://{}{BASE}", self.address)
    }

    /// Returns the API key with which the simulator started.
    pub fn api_key(&self) -> &str {
        &self.service().settings.api_key
    }

    /// Accepts another API key besides those that are accepted already.
    pub fn add_api_key(&self, api_key: &str) {
        self.service().api_keys.lock().push(api_key.to_owned());
    }

    /// Replaces all API keys: requests with another one are rejected.
    pub fn rotate_api_key(&self, api_key: &str) {
        *self.service().api_keys.lock() = vec![api_key.to_owned()];
    }

    /// Returns every signature that was handed out, if [`Builder::keep_signatures`] was called.
    pub fn signatures(&self) -> Vec<String> {
        self.service().signatures.lock().iter().cloned().collect()
    }

    /// Creates a task and returns its id. The task is backdated by a second, because the API does not return a
    /// task in the second of its creation.
    pub fn create(&self, script: Script) -> String {
        let request = CreateRequest::from_script(&script);
        let task = (self.api).create_task(request, script, Duration::from_secs(1));
        task.id.clone()
    }

    /// Sets what is wrong with every API call, or nothing if `fault` is `None`.
    pub fn set_fault(&self, fault: Option<Fault>) {
        let faults = &self.service().faults;
        faults.send_modify(|faults| faults.of_all = fault);
    }

    /// Sets what is wrong with every list request, or nothing if `fault` is `None`.
    pub fn set_list_fault(&self, fault: Option<Fault>) {
        let faults = &self.service().faults;
        faults.send_modify(|faults| faults.of_lists = fault);
    }

    /// Sets what is wrong with every query of a task, or nothing if `fault` is `None`. Lists show the task, and other tasks
    /// can be queried.
    pub fn set_task_fault(&self, task_id: &str, fault: Option<Fault>) {
        self.service().faults.send_modify(|faults| {
            faults.of_tasks.remove(task_id);
            let fault = fault.map(|fault| (task_id.to_owned(), fault));
            faults.of_tasks.extend(fault);
        });
    }

    /// Sets what goes wrong with every create request, or nothing if `fault` is `None`.
    pub fn set_create_fault(&self, fault: Option<CreateFault>) {
        self.service().create_faults.set(fault);
    }

    /// Sets what goes wrong with the next create requests, one each, after those that were set before.
    pub fn add_create_faults(&self, faults: impl IntoIterator<Item = Option<CreateFault>>) {
        self.service().create_faults.add(faults);
    }

    /// Returns a field of the request that created a task, or `None` if there is no such task or field.
    pub fn request_field(&self, task_id: &str, name: &str) -> Option<Value> {
        let task = self.service().tasks.find(task_id)?;
        task.request.get(name).cloned()
    }

    /// Sets how lists differ from the documented ones, or restores the documented ones if `dialect` is `None`.
    pub fn set_list_dialect(&self, dialect: Option<ListDialect>) {
        self.set_list_dialects(dialect);
    }

    /// Sets all the ways in which lists differ from the documented ones.
    pub fn set_list_dialects(&self, dialects: impl IntoIterator<Item = ListDialect>) {
        *self.service().list_dialects.lock() = ListDialects(dialects.into_iter().collect());
    }

    /// Sets the `Date` header of API responses, to simulate a server whose clock is wrong, or restores the
    /// current time if `date` is `None`.
    pub fn set_date(&self, date: Option<SystemTime>) {
        *self.service().date.lock() = date;
    }

    /// Sets whether the API returns 404 for a task, as the service does shortly after the creation of a task
    /// and once the record is purged.
    pub fn set_hidden(&self, task_id: &str, is_hidden: bool) {
        if let Some(task) = self.service().tasks.find(task_id) {
            task.set_hidden(is_hidden);
        }
    }

    /// Sets whether lists omit a task. It can still be queried.
    pub fn set_unlisted(&self, task_id: &str, is_unlisted: bool) {
        if let Some(task) = self.service().tasks.find(task_id) {
            task.set_unlisted(is_unlisted);
        }
    }

    /// Returns whether the API has returned a task.
    pub fn was_returned(&self, task_id: &str) -> bool {
        let task = self.service().tasks.find(task_id);
        task.is_some_and(|task| task.was_returned())
    }

    /// Returns the video of a task, before any corruption, or `None` if no task has this id.
    pub fn source(&self, task_id: &str) -> Option<Arc<Source>> {
        Some(self.service().tasks.find(task_id)?.video.clone())
    }

    /// Returns the last frame of a task, or `None` if it has none.
    pub fn last_frame(&self, task_id: &str) -> Option<Arc<Source>> {
        self.service().tasks.find(task_id)?.last_frame.clone()
    }

    /// Returns the record of a task as a query returns it now, but without the envelope of a gateway, or `None` if no task has
    /// this id.
    pub fn record(&self, task_id: &str) -> Option<Value> {
        let service = self.service();
        let task = service.tasks.find(task_id)?;
        let host = self.address.to_string();
        let recipient = Recipient {
            host: &host,
            api_key: self.api_key(),
        };
        Some(record(service, &task, recipient, service.clock.now()))
    }

    /// Returns the current status of a task, or `None` if no task has this id.
    pub fn status(&self, task_id: &str) -> Option<&'static str> {
        let task = self.service().tasks.find(task_id)?;
        Some(task.status(self.service().clock.now()).0)
    }

    /// Lets the downloads of a task's video pass [`Script::hold_at`].
    pub fn release(&self, task_id: &str) {
        if let Some(task) = self.service().tasks.find(task_id) {
            task.release();
        }
    }

    /// Returns the ids of all tasks, newest first.
    pub fn task_ids(&self) -> Vec<String> {
        let tasks = self.service().tasks.all().into_iter();
        tasks.map(|task| task.id.clone()).collect()
    }

    /// Returns the number of list requests so far, failed ones included.
    pub fn lists(&self) -> u64 {
        self.service().tasks.lists()
    }

    /// Returns the number of queries of all tasks so far, failed ones included.
    pub fn queries(&self) -> u64 {
        self.service().tasks.queries()
    }

    /// Returns the number of queries so far that returned the record of an ended task.
    pub fn final_queries(&self) -> u64 {
        self.service().tasks.final_queries()
    }

    /// Returns the numbers of requests so far that [`Builder::enforce_rates`] rejected.
    pub fn throttled(&self) -> Throttled {
        self.service().limits.lock().throttled()
    }

    /// Returns the request counts of a task so far.
    pub fn stats(&self, task_id: &str) -> Stats {
        self.service().tasks.stats(task_id)
    }

    /// Returns the numbers of requests so far that a well-behaved client never sends.
    pub fn misuse(&self) -> Misuse {
        self.service().observer.lock().misuse()
    }

    /// Returns the number of responses with `Retry-After` to queries and list requests so far.
    pub fn retry_afters(&self) -> u64 {
        self.service().observer.lock().told()
    }

    /// Returns the requests so far before the time in `Retry-After`.
    pub fn early_requests(&self) -> Vec<EarlyRequest> {
        self.service().observer.lock().early_requests()
    }

    /// Returns the queries and the list requests so far, failed ones included, if [`Builder::keep_arrivals`] was called.
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.service().observer.lock().arrivals()
    }

    fn service(&self) -> &Service {
        &self.api.service
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.server.abort();
        self.api.callbacks.stop();
    }
}

impl Builder {
    /// Sets the address to listen on.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Sets the API key that the simulator accepts.
    pub fn api_key(mut self, api_key: String) -> Self {
        self.settings.api_key = api_key;
        self
    }

    /// Sets how long tasks are queued.
    pub fn queued(mut self, time: Duration) -> Self {
        self.settings.queued = time;
        self
    }

    /// Sets how long tasks run.
    pub fn running(mut self, time: Duration) -> Self {
        self.settings.running = time;
        self
    }

    /// Sets the lifetime of signed URLs. Fractions of a second are dropped.
    pub fn url_lifetime(mut self, time: Duration) -> Self {
        self.settings.url_lifetime = time;
        self
    }

    /// Sets how many queries a second are allowed. More are served, and counted in [`Misuse::above_rate`].
    pub fn query_rate(mut self, per_second: f64) -> Self {
        self.settings.query_rate = per_second;
        self
    }

    /// Sets how many list requests a second are allowed. More are served, and counted in [`Misuse::above_rate`].
    pub fn list_rate(mut self, per_second: f64) -> Self {
        self.settings.list_rate = per_second;
        self
    }

    /// Answers requests above the allowed rates with 429 instead of serving them. Two seconds' worth of requests may
    /// arrive together.
    pub fn enforce_rates(mut self) -> Self {
        self.settings.enforces_rates = true;
        self
    }

    /// Keeps the signature of every URL that is handed out, for a search for secrets.
    pub fn keep_signatures(mut self) -> Self {
        self.settings.keeps_signatures = true;
        self
    }

    /// Keeps when each query and each list request arrived.
    pub fn keep_arrivals(mut self) -> Self {
        self.settings.keeps_arrivals = true;
        self
    }

    /// Sets the clock. The caller can then advance it.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Starts the simulator on the current Tokio runtime.
    ///
    /// # Errors
    ///
    /// Returns an error if the address cannot be bound.
    pub async fn start(self) -> io::Result<Simulator> {
        let listener = TcpListener::bind(self.address).await?;
        let address = listener.local_addr()?;
        let service = Arc::new(Service::new(self.settings, self.clock));
        let api = Arc::new(Api {
            callbacks: Callbacks::new(address, service.clone())?,
            service: service.clone(),
        });
        let routes = Router::new()
            .nest(BASE, api.clone().routes())
            .merge(files::routes(service));
        let server = tokio::spawn(async move {
            // `serve` returns only when the task is aborted.
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Simulator {
            address,
            api,
            server,
        })
    }
}
