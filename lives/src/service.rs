//! The service: its API, read by the archiver's own decoder, and the host of its videos.

use std::{sync::LazyLock, time::Duration};

use reqwest::{
    StatusCode,
    header::{HeaderMap, HeaderValue, RETRY_AFTER},
};
use seedance_archiver_proto::{
    names::failure,
    status,
    v1::{VideoContent, VideoTask},
};
use seedance_archiver_seedance::{Endpoint, Error, ErrorKind, HttpAnswer, Record, Secret};

use crate::{
    time::at,
    world::{Kind, World, signed_at},
};

const NOT_FOUND: &[u8] =
    br#"{"error":{"code":"ResourceNotFound","message":"the task does not exist"}}"#;
const UNAUTHORIZED: &[u8] = br#"{"error":{"code":"AuthenticationError","message":"invalid key"}}"#;

const PAGE: &[u8] = b"<html>";

static ENDPOINT: LazyLock<Endpoint> = LazyLock::new(|| {
    let key = Secret::from("key".to_owned());
    #[expect(clippy::expect_used, reason = "the URL is a constant")]
    let base_url = "https://api.example/api/v3".parse().expect("a URL");
    Endpoint::new("default", base_url, key)
});

/// The answer to a query.
pub(crate) type Answer = Result<VideoTask, ApiError>;

/// Why a query returned no record.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    pub(crate) kind: ErrorKind,
    pub(crate) failure_type: &'static str,
    pub(crate) retry_after: Option<Duration>,
}

/// The status, the `Retry-After` and the body of an error.
type ErrorAnswer = (u16, Option<u64>, &'static [u8]);

/// The status of a task, and whether its record has a URL.
type State = (&'static str, bool);

/// The service, which remembers the records that it wrote last.
pub(crate) struct Service<'w> {
    world: &'w World,
    /// For each task its last record, unless that depends on the time of the query.
    last: Vec<Option<(State, VideoTask)>>,
    /// The errors that were read before.
    errors: Vec<(ErrorAnswer, ApiError)>,
}

impl<'w> Service<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        Self {
            last: vec![None; world.tasks.len()],
            errors: Vec::new(),
            world,
        }
    }

    /// Answers the query of a task.
    pub(crate) fn query(&mut self, task: usize, now: u64) -> Answer {
        let fault = self.world.fault(now, Kind::is_of_api);
        match fault.map(|fault| &fault.kind) {
            Some(Kind::Api {
                status: status @ (401 | 403),
                retry_after,
            }) => self.error(now, *status, *retry_after, UNAUTHORIZED),
            Some(Kind::Api {
                status,
                retry_after,
            }) => self.error(now, *status, *retry_after, PAGE),
            Some(Kind::Unreadable) => self.error(now, 200, None, PAGE),
            Some(_) => self.error(now, 404, None, NOT_FOUND),
            None => self.record(task, now),
        }
    }

    /// Returns the error of a request that gets no response.
    pub(crate) fn unavailable(&self) -> ApiError {
        ApiError {
            kind: ErrorKind::Unavailable,
            failure_type: failure::UPSTREAM_UNAVAILABLE,
            retry_after: None,
        }
    }

    fn error(
        &mut self,
        now: u64,
        status: u16,
        retry_after: Option<u64>,
        body: &'static [u8],
    ) -> Answer {
        let key = (status, retry_after, body);
        if let Some((_, error)) = self.errors.iter().find(|(it, _)| *it == key) {
            return Err(error.clone());
        }
        let answer = self.read(0, now, status, retry_after, body);
        if let Err(error) = &answer {
            self.errors.push((key, error.clone()));
        }
        answer
    }

    /// Returns the record of a task, whatever fails.
    pub(crate) fn record(&mut self, task: usize, now: u64) -> Answer {
        let World { tasks, dialect, .. } = self.world;
        let planned = &tasks[task];
        if now < planned.visible || now >= self.world.forgotten(task) {
            return self.error(now, 404, None, NOT_FOUND);
        }
        let (status, since) = planned.status(now);
        let has_url = status == status::SUCCEEDED && now >= since + planned.without_url;
        let state = (status, has_url);
        if let Some((_, record)) = self.last[task].as_ref().filter(|(it, _)| *it == state) {
            return Ok(record.clone());
        }
        let body = dialect.body(self.world, planned, now);
        let answer = self.read(task, now, 200, None, body.as_bytes());
        if let Ok(record) = &answer {
            // A time without a zone is read as UTC or, if that lies in the future, as the time in China.
            let is_constant = dialect.has_zones() && !(has_url && self.world.signs_again);
            self.last[task] = is_constant.then(|| (state, record.clone()));
        }
        answer
    }

    fn read(
        &self,
        task: usize,
        now: u64,
        status: u16,
        retry_after: Option<u64>,
        body: &[u8],
    ) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        let answer = HttpAnswer {
            status: StatusCode::from_u16(status).unwrap_or_default(),
            headers: &headers,
            body,
            received_at: at(now),
        };
        let record = answer.record(&ENDPOINT, &self.world.tasks[task].id);
        record.map(|it| plain(&it)).map_err(|it| ApiError::new(&it))
    }
}

impl ApiError {
    fn new(error: &Error) -> Self {
        Self {
            kind: error.kind(),
            failure_type: error.failure_type(),
            retry_after: error.retry_after(),
        }
    }

    pub(crate) fn without_retry_after(self) -> Self {
        Self {
            retry_after: None,
            ..self
        }
    }
}

/// Returns a record with its URL. Nothing here reaches a history, so that the URL needs no seal.
fn plain(record: &Record) -> VideoTask {
    let url = record.main_url().map(|url| url.expose().to_owned());
    VideoTask {
        content: url.map(|video_url| VideoContent {
            video_url,
            ..VideoContent::default()
        }),
        ..record.without_urls()
    }
}

/// The answer of the host to a download.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum HostAnswer {
    Bytes,
    Rejected,
    Failed { retry_after: Option<u64> },
}

impl World {
    /// Starts the download of a video.
    pub(crate) fn fetch(&self, url: &str, now: u64) -> HostAnswer {
        let signed = signed_at(url);
        if let Some(fault) = self.fault(now, |kind| matches!(kind, Kind::Host { .. }))
            && let Kind::Host { retry_after } = fault.kind
        {
            return HostAnswer::Failed { retry_after };
        }
        let is_revoked = self
            .faults
            .iter()
            .any(|fault| fault.kind == Kind::Revoked && fault.from <= now && signed < fault.until);
        match is_revoked || now >= signed + self.url_lifetime {
            true => HostAnswer::Rejected,
            false => HostAnswer::Bytes,
        }
    }
}
