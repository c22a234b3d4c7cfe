//! Handles what a watcher waited for.

use std::{collections::BTreeSet, time::SystemTime};

use seedance_archiver_policy::watch::{News, Waiting};
use seedance_archiver_proto::{
    status,
    v1::{SweepPage, VideoTask},
};

use super::{
    deliveries::PendingDelivery,
    discovery::Discovery,
    progress::RequestKind,
    requests::Delivery,
    watcher::{Event, Purpose, Watcher},
};
use crate::{
    activities::{
        list_error::ListError,
        task_queries::{self, SealedTask},
    },
    seedance::{self, ErrorKind, ListedTasks, Page, Record},
    telemetry::record,
    temporal::lifecycles::LifecycleError,
};

/// Returns whether a list that failed may soon be answered. With a model, a key that is rejected may be allowed to list others.
fn may_recover(page: &SweepPage, kind: ErrorKind) -> bool {
    match kind {
        ErrorKind::Unavailable | ErrorKind::RateLimited | ErrorKind::Throttled => true,
        ErrorKind::Unauthorized => page.model.is_empty(),
        _ => false,
    }
}

impl Watcher<'_> {
    pub(super) fn handle(&mut self, event: Event) {
        match event {
            Event::Found {
                waiting,
                is_complete,
            } => self.found(waiting, is_complete),
            Event::ListedPage {
                page,
                expected,
                purpose,
                requested_at,
                result,
            } => self.listed_page(&page, &expected, purpose, requested_at, result),
            Event::ListedTasks {
                list,
                ids,
                requested_at,
                result,
            } => self.listed_tasks(list, &ids, requested_at, result),
            Event::Queried {
                id,
                requested_at,
                result,
            } => self.queried(&id, requested_at, result),
            Event::Delivered { delivery, result } => self.delivered(delivery, result),
            Event::Swept { id, result } => self.swept(&id, result),
            Event::Nudged => {}
        }
        let handed_back = self.tasks.handed_back().map(str::to_owned).collect();
        self.progress.set_watched(self.tasks.len(), handed_back);
    }

    fn found(
        &mut self,
        waiting: Result<(Vec<Waiting>, Option<SystemTime>), String>,
        is_complete: bool,
    ) {
        match waiting {
            Ok((waiting, newest)) => {
                self.tasks.sync(waiting, is_complete, self.requests.now());
                self.lifecycles.done(is_complete, newest);
            }
            Err(error) => {
                let account = self.requests.account().name();
                tracing::warn!(account, error, "cannot find the lifecycles that wait");
                self.lifecycles.failed();
            }
        }
    }

    fn listed_page(
        &mut self,
        page: &SweepPage,
        expected: &[String],
        purpose: Purpose,
        requested_at: SystemTime,
        result: Result<Page, seedance::Error>,
    ) {
        self.is_listing = false;
        let listed = match result {
            Ok(listed) => listed,
            Err(error) => {
                let is_missing = self.is_missing(page, &error);
                if let Some(discovery) = self.discovery_for(purpose) {
                    discovery.failed(page, is_missing);
                }
                // Lists to learn from come before all others, so one that stays unreadable would hold them up.
                if purpose == Purpose::Learning && !may_recover(page, error.kind()) {
                    self.unlearned.pop();
                }
                if is_missing {
                    self.answered(RequestKind::List);
                    return self.tasks.missed_on_page(expected);
                }
                return self.list_failed(&error);
            }
        };
        self.answered(RequestKind::List);
        if let Some(discovery) = self.discovery_for(purpose) {
            discovery.listed(page, &listed);
        }
        if purpose == Purpose::Learning {
            self.unlearned.pop();
            let records = listed.records.iter().map(Record::without_urls);
            self.tasks.learn(&records.collect::<Vec<VideoTask>>());
            self.progress
                .set_completion_times(self.tasks.completion_times());
        }
        let missing: Vec<_> = missing(expected, &listed.records);
        self.tasks.missed_on_page(&missing);
        self.look_at_items(listed.records, requested_at);
    }

    fn discovery_for(&mut self, purpose: Purpose) -> Option<&mut Discovery> {
        self.discovery
            .as_mut()
            .filter(|_| purpose == Purpose::Discovery)
    }

    fn listed_tasks(
        &mut self,
        list: usize,
        ids: &[String],
        requested_at: SystemTime,
        result: Result<ListedTasks, seedance::Error>,
    ) {
        self.is_listing = false;
        self.tasks.set_requested(ids, false);
        let listed = match result {
            Ok(listed) => listed,
            Err(error) if self.is_missing(&self.lists[list], &error) => {
                self.answered(RequestKind::List);
                return self.tasks.missed_in_list(ids, list);
            }
            Err(error) => return self.list_failed(&error),
        };
        self.answered(RequestKind::List);
        if listed.requested < ids.len() {
            // Long ids: fewer fit into a request.
            self.max_ids = self.max_ids.min(listed.requested);
        }
        let missing = missing(&ids[..listed.requested.min(ids.len())], &listed.records);
        if listed.is_filtered {
            self.tasks.missed_in_list(&missing, list);
        } else {
            let account = self.requests.account().name();
            tracing::info!(account, "the service does not filter its list by task id");
            self.max_ids = 0;
        }
        self.look_at_items(listed.records, requested_at);
    }

    /// Returns whether an error is an answer: the service has no such page, or refuses the filters of its list. It says nothing
    /// about other lists.
    fn is_missing(&self, page: &SweepPage, error: &seedance::Error) -> bool {
        let lists = &self.requests.account().lists;
        ListError::new(lists, page, error.kind()).is_missing_page()
    }

    fn list_failed(&mut self, error: &seedance::Error) {
        self.list_health.failed(error);
        if error.kind() != ErrorKind::Throttled {
            self.progress.failed(RequestKind::List, error);
            let account = self.requests.account().name();
            tracing::warn!(account, %error, "cannot list tasks; querying them one by one meanwhile");
        }
    }

    fn look_at_items(&mut self, records: Vec<Record>, requested_at: SystemTime) {
        for record in records {
            if self.tasks.includes(record.id()) {
                if let Some(discovery) = &mut self.discovery {
                    discovery.is_new(&record);
                }
                self.look(record, true, requested_at);
            } else {
                self.tasks.note(&record.without_urls());
                self.discover(record);
            }
        }
    }

    /// Takes the record of a watched task. `is_item`: it is an item of a list, which may be incomplete.
    fn look(&mut self, record: Record, is_item: bool, requested_at: SystemTime) {
        let has_url = record.main_url().is_some();
        let described = record.without_urls();
        let news = self.tasks.look(&described, has_url, requested_at);
        if status::is_terminal(record.status()) {
            self.progress
                .set_completion_times(self.tasks.completion_times());
        }
        if news == News::None || self.deliveries.includes(record.id(), record.status()) {
            return;
        }
        let record = match news {
            // The answer to a query may have the URL.
            News::LacksUrl => {
                if is_item {
                    self.items.query(record);
                }
                None
            }
            _ if is_item && record.status() == status::SUCCEEDED => self.items.complete(record),
            _ => Some(record),
        };
        if let Some(record) = record {
            self.deliver(record, true);
        }
    }

    /// Delivers a record. `is_complete`: it is all that the API says about the task, and is archived with the video.
    fn deliver(&mut self, record: Record, is_complete: bool) {
        let queries = self.requests.queries;
        match task_queries::sealed(self.requests.account(), record) {
            Ok(sealed) if is_complete => self.deliveries.add(queries.result_with_record(sealed)),
            Ok(SealedTask { task, .. }) => {
                let record = String::new();
                let sealed = SealedTask { task, record };
                self.deliveries.add(queries.result_with_record(sealed));
            }
            Err(error) => self.progress.failed(RequestKind::Query, &error),
        }
    }

    /// Looks at a task that no lifecycle waits for.
    fn discover(&mut self, record: Record) {
        let account = self.requests.account();
        let now = self.requests.now();
        let Some(discovery) = &mut self.discovery else {
            return;
        };
        if account.is_in_query_window(&record, now) && discovery.is_new(&record) {
            self.undiscovered.push(record);
        }
    }

    fn queried(
        &mut self,
        id: &str,
        requested_at: SystemTime,
        result: Option<Result<Record, seedance::Error>>,
    ) {
        self.queries -= 1;
        self.tasks.set_requested(&[id.to_owned()], false);
        match result {
            Some(Ok(record)) => {
                self.answered(RequestKind::Query);
                self.items.queried(id, Some(&record));
                self.look(record, false, requested_at);
            }
            Some(Err(error)) => {
                self.query_failed(id, requested_at, &error);
                self.deliver_item(id);
            }
            None => self.deliver_item(id),
        }
    }

    /// Delivers the item of a task whose record could not be queried: the video must not wait for it, and the transfer
    /// queries it too.
    pub(super) fn deliver_item(&mut self, id: &str) {
        let item = self.items.queried(id, None);
        if let Some(item) = item.filter(|item| item.main_url().is_some()) {
            self.deliver(item, false);
        }
    }

    fn query_failed(&mut self, id: &str, requested_at: SystemTime, error: &seedance::Error) {
        match error.kind() {
            // A service may reject an unknown id as malformed.
            ErrorKind::NotFound | ErrorKind::Rejected => {
                self.answered(RequestKind::Query);
                if self.tasks.not_found(id, requested_at) {
                    tracing::info!(task_id = id, %error, "the task vanished: its lifecycle polls it");
                    self.nudges.add(id);
                }
            }
            // The service asked to wait before the next query of this task. Others need not wait.
            ErrorKind::Throttled if error.retry_after().is_some() => {
                let now = self.requests.now();
                self.tasks.failed(id, now, error.retry_after());
            }
            ErrorKind::Throttled => self.query_health.failed(error),
            kind => {
                let now = self.requests.now();
                self.tasks.failed(id, now, error.retry_after());
                self.progress.failed(RequestKind::Query, error);
                // An unreadable record says nothing about other tasks.
                if kind != ErrorKind::Unexpected {
                    self.query_health.query_failed(id, error);
                }
            }
        }
    }

    fn answered(&mut self, kind: RequestKind) {
        match kind {
            RequestKind::List => self.list_health.answered(),
            RequestKind::Query => self.query_health.answered(),
        }
        self.progress.answered(kind, self.requests.now());
    }

    fn delivered(&mut self, delivery: PendingDelivery, result: Result<Delivery, LifecycleError>) {
        let (id, status) = (delivery.result.id.clone(), delivery.result.status.clone());
        let updated_at = delivery.result.updated_at;
        match result {
            Ok(Delivery::Delivered) => {
                self.deliveries.done(&delivery);
                self.tasks.delivered(&id, &status);
                self.progress.delivered();
                if status::is_terminal(&status) {
                    let clock = self.requests.queries.seedance().clock();
                    record::detection(self.requests.account().name(), updated_at, clock);
                }
            }
            Ok(Delivery::Known) => {
                self.deliveries.done(&delivery);
                self.tasks.delivered(&id, &status);
            }
            // After many attempts, the next look at the task delivers it.
            Ok(Delivery::NotWaiting) => {
                self.deliveries.retry(delivery);
            }
            Err(error) => {
                tracing::warn!(task_id = id, %error, "cannot deliver a record to the lifecycle");
                self.deliveries.retry(delivery);
            }
        }
    }

    fn swept(&mut self, id: &str, result: Result<bool, String>) {
        self.sweeps -= 1;
        match result {
            Ok(true) => self.progress.started(),
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(
                    task_id = id,
                    error,
                    "cannot start the lifecycle of a listed task"
                );
                if let Some(discovery) = &mut self.discovery {
                    discovery.forget(id);
                }
            }
        }
    }
}

/// Returns the ids of tasks that have no record.
fn missing(ids: &[String], records: &[Record]) -> Vec<String> {
    let records: BTreeSet<_> = records.iter().map(Record::id).collect();
    let ids = ids.iter().filter(|id| !records.contains(id.as_str()));
    ids.cloned().collect()
}
