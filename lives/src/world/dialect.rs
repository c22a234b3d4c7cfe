//! Records as services and gateways write them.

use seedance_archiver_proto::status;

use super::{Task, World};
use crate::time;

/// How the records of a service differ from the documented ones.
#[derive(Clone, Debug)]
pub(crate) struct Dialect {
    pub(crate) times: Times,
    pub(crate) url_place: UrlPlace,
    /// Whether the URL says when it expires.
    pub(crate) url_has_expiry: bool,
    /// Whether the statuses are those of other services.
    pub(crate) has_other_words: bool,
    /// Whether the record is inside `data`.
    pub(crate) is_wrapped: bool,
    /// Whether the id has the creation time.
    pub(crate) id_has_time: bool,
}

/// The form of times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Times {
    Seconds,
    Milliseconds,
    Microseconds,
    /// RFC 3339.
    Text,
    /// The time in China, without a zone.
    LocalText,
    Absent,
}

/// Where the URL of the video is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum UrlPlace {
    Content,
    Metadata,
    Result,
}

impl Dialect {
    /// Returns whether records have times.
    pub(crate) fn has_times(&self) -> bool {
        self.times != Times::Absent
    }

    /// Returns whether records say, for sure, when a task was created.
    pub(crate) fn says_created(&self) -> bool {
        match self.times {
            Times::Absent => self.id_has_time,
            Times::LocalText => self.has_zones(),
            _ => true,
        }
    }

    /// Returns whether the zone of each time is known. If not, a time is read as UTC unless it lies in the future.
    pub(crate) fn has_zones(&self) -> bool {
        self.times != Times::LocalText || self.id_has_time
    }

    /// Returns the body of the answer to a query.
    pub(crate) fn body(&self, world: &World, task: &Task, now: u64) -> String {
        let (status, since) = task.status(now);
        let mut fields = format!(
            r#""id":"{}","model":"seedance-1-0-pro","status":"{}""#,
            task.id,
            self.word(status)
        );
        if self.times != Times::Absent {
            let (created, updated) = (self.time(task.created), self.time(since));
            fields += &format!(r#","created_at":{created},"updated_at":{updated}"#);
        }
        if let Some(url) = world.url(task, now) {
            fields += &match self.url_place {
                UrlPlace::Content => format!(r#","content":{{"video_url":"{url}"}}"#),
                UrlPlace::Metadata => format!(r#","metadata":{{"url":"{url}"}}"#),
                UrlPlace::Result => format!(r#","result":{{"videos":[{{"url":"{url}"}}]}}"#),
            };
        }
        if status == status::FAILED {
            fields +=
                r#","error":{"code":"OutputVideoSensitiveContentDetected","message":"refused"}"#;
        }
        match self.is_wrapped {
            true => format!(r#"{{"code":0,"data":{{{fields}}}}}"#),
            false => format!("{{{fields}}}"),
        }
    }

    fn word(&self, status: &'static str) -> &'static str {
        match status {
            _ if !self.has_other_words => status,
            status::QUEUED => "submitted",
            status::RUNNING => "processing",
            status::SUCCEEDED => "succeed",
            status::FAILED => "fail",
            status::CANCELLED => "canceled",
            _ => "timeout",
        }
    }

    fn time(&self, seconds: u64) -> String {
        let unix = time::unix(seconds);
        match self.times {
            Times::Seconds | Times::Absent => unix.to_string(),
            Times::Milliseconds => format!("{unix}771"),
            Times::Microseconds => format!("{unix}000771"),
            Times::Text => format!(r#""{}""#, time::text(seconds, "%Y-%m-%dT%H:%M:%SZ", 0)),
            Times::LocalText => format!(r#""{}""#, time::text(seconds, "%Y-%m-%d %H:%M:%S", 8)),
        }
    }
}

impl World {
    /// Returns the URL in the record of a task.
    fn url(&self, task: &Task, now: u64) -> Option<String> {
        let (status, ended) = task.status(now);
        if status != status::SUCCEEDED || now < ended + task.without_url {
            return None;
        }
        let signed = match self.signs_again {
            true => now,
            false => ended,
        };
        let base = format!("https://host.example/{}.mp4", task.id);
        Some(match self.dialect.url_has_expiry {
            true => {
                let date = time::text(signed, "%Y%m%dT%H%M%SZ", 0);
                let lifetime = self.url_lifetime;
                format!("{base}?X-Tos-Date={date}&X-Tos-Expires={lifetime}&signed={signed}")
            }
            false => format!("{base}?signed={signed}"),
        })
    }
}

/// Returns when a URL was signed.
pub(crate) fn signed_at(url: &str) -> u64 {
    let signed = url.rsplit_once("signed=").map(|(_, signed)| signed);
    signed.and_then(|it| it.parse().ok()).unwrap_or_default()
}

impl Task {
    /// Returns the status, and since when the task has it.
    pub(crate) fn status(&self, now: u64) -> (&'static str, u64) {
        match now {
            _ if now >= self.ended => (self.end, self.ended),
            _ if now >= self.running => (status::RUNNING, self.running),
            _ => (status::QUEUED, self.created),
        }
    }
}
