//! Counts the requests that a well-behaved client never sends.

use std::{
    collections::BTreeMap,
    time::{Instant, SystemTime},
};

use crate::bucket::Bucket;

/// Queries a second that the service allows an account.
pub(crate) const QUERY_RATE: f64 = 20.0;
/// List requests a second that the service allows an account.
pub(crate) const LIST_RATE: f64 = 1.0;
/// How many seconds' worth of requests may arrive together: on a busy machine, requests that were sent at the allowed
/// rate are delayed on their way.
const MAX_BURST_SECONDS: f64 = 60.0;

/// Numbers of requests that a well-behaved client never sends.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Misuse {
    /// Queries of a task that was returned before and whose query window has closed.
    pub outside_window: u64,
    /// Requests for the same task, or for a list, before the time in `Retry-After`. Clients that reach the service by another
    /// host are others, which do not know of it.
    pub before_retry_after: u64,
    /// Requests above the rate that the service allows an account.
    pub above_rate: u64,
    /// Downloads with an `Authorization` header, or with an API key anywhere else.
    pub with_key: u64,
}

/// A query or a list request.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Host by which the client reaches the service.
    pub host: String,
    /// Task id, or `None` for a list.
    pub task_id: Option<String>,
    /// When it arrived.
    pub at: SystemTime,
}

/// A request before the time in `Retry-After`.
#[derive(Clone, Debug)]
pub struct EarlyRequest {
    /// Host by which the client reaches the service.
    pub host: String,
    /// Task id, or `None` for a list.
    pub task_id: Option<String>,
    /// When the response with `Retry-After` was sent.
    pub told_at: SystemTime,
    /// The time in `Retry-After`.
    pub until: SystemTime,
    /// When the request arrived.
    pub at: SystemTime,
}

/// A response with `Retry-After`.
struct Told {
    at: SystemTime,
    until: SystemTime,
}

/// Observes the requests of one account.
pub(crate) struct Observer {
    /// Queries a second that are allowed.
    query_rate: f64,
    /// List requests a second that are allowed.
    list_rate: f64,
    misuse: Misuse,
    queries: Bucket,
    lists: Bucket,
    /// The last response with `Retry-After` about each subject, by the host by which the client reaches the service. A
    /// subject is a task id, or `None` for lists.
    retry_after: BTreeMap<(String, Option<String>), Told>,
    early: Vec<EarlyRequest>,
    /// Number of responses with `Retry-After`.
    told: u64,
    /// Every request, if they are kept.
    arrivals: Option<Vec<Arrival>>,
}

impl Observer {
    pub(crate) fn new(query_rate: f64, list_rate: f64, keeps_arrivals: bool) -> Self {
        Self {
            query_rate,
            list_rate,
            misuse: Misuse::default(),
            queries: Bucket::default(),
            lists: Bucket::default(),
            retry_after: BTreeMap::new(),
            early: Vec::new(),
            told: 0,
            arrivals: keeps_arrivals.then(Vec::new),
        }
    }

    pub(crate) fn misuse(&self) -> Misuse {
        Misuse {
            before_retry_after: self.early.len() as u64,
            ..self.misuse
        }
    }

    pub(crate) fn told(&self) -> u64 {
        self.told
    }

    pub(crate) fn early_requests(&self) -> Vec<EarlyRequest> {
        self.early.clone()
    }

    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.arrivals.clone().unwrap_or_default()
    }

    /// Observes a query or a list.
    pub(crate) fn request(&mut self, host: &str, subject: &Option<String>, now: SystemTime) {
        let (bucket, rate) = match subject {
            Some(_) => (&mut self.queries, self.query_rate),
            None => (&mut self.lists, self.list_rate),
        };
        if !bucket.take(rate, MAX_BURST_SECONDS, Instant::now()) {
            self.misuse.above_rate += 1;
        }
        if let Some(arrivals) = &mut self.arrivals {
            arrivals.push(Arrival {
                host: host.to_owned(),
                task_id: subject.clone(),
                at: now,
            });
        }
        let key = (host.to_owned(), subject.clone());
        let told = self.retry_after.get(&key);
        if let Some(told) = told.filter(|told| now < told.until) {
            let (host, task_id) = key;
            self.early.push(EarlyRequest {
                host,
                task_id,
                told_at: told.at,
                until: told.until,
                at: now,
            });
        }
    }

    /// Observes a response with `Retry-After`.
    pub(crate) fn retry_after(
        &mut self,
        host: String,
        subject: Option<String>,
        at: SystemTime,
        until: SystemTime,
    ) {
        self.told += 1;
        self.retry_after.insert((host, subject), Told { at, until });
    }

    /// Observes a query of a returned task whose query window has closed.
    pub(crate) fn outside_window(&mut self) {
        self.misuse.outside_window += 1;
    }

    /// Observes a download that carries an API key.
    pub(crate) fn download_with_key(&mut self) {
        self.misuse.with_key += 1;
    }
}
