//! What there is to be saved, as it is printed.

use std::time::SystemTime;

use comfy_table::CellAlignment;
use jiff::Timestamp;
use seedance_archiver_proto::v1::VideoTask;
use seedance_archiver_workflows::format;
use serde::Serialize;

use super::super::words;
use seedance_archiver_proto::time::unix_seconds;

use crate::rescue::{self, Found, State, Video};

/// What was found.
#[derive(Serialize)]
pub(super) struct Listing {
    videos: Vec<Row>,
    unfinished: Vec<String>,
    unsuccessful: usize,
    skipped: usize,
    not_listed: Vec<NotListed>,
    #[serde(skip)]
    now: SystemTime,
}

/// Tasks of which nobody knows whether there is something to save.
#[derive(Serialize)]
struct NotListed {
    account: String,
    service_tier: String,
    problem: String,
}

/// One video.
#[derive(Serialize)]
struct Row {
    task_id: String,
    account: String,
    model: String,
    created_at: i64,
    duration: Option<i64>,
    frames: Option<i64>,
    resolution: String,
    /// `missing`, `archived` or `dead`.
    state: &'static str,
    /// When the URL that there is now dies, Unix seconds.
    url_expires_at: Option<i64>,
    /// When no fresh URL can be asked for any more either, Unix seconds.
    archive_deadline: Option<i64>,
}

impl Listing {
    pub(super) fn new(found: &Found) -> Self {
        Self {
            videos: found.videos.iter().map(Row::from).collect(),
            unfinished: found.unfinished.clone(),
            unsuccessful: found.unsuccessful,
            skipped: found.skipped,
            not_listed: found.not_listed.iter().map(NotListed::from).collect(),
            now: SystemTime::now(),
        }
    }

    pub(super) fn table(&self, has_accounts: bool) -> String {
        let account = has_accounts.then_some("account");
        let header = ["time left", "task"].into_iter().chain(account);
        let rest = ["model", "created (UTC)", "length", "resolution", "state"];
        let mut table = words::table(header.chain(rest));
        for row in &self.videos {
            let account = has_accounts.then(|| row.account.clone());
            let cells = [row.time_left(self.now), row.task_id.clone()];
            let rest = [
                row.model.clone(),
                row.created(),
                row.length(),
                row.resolution.clone(),
                row.state.to_owned(),
            ];
            table.add_row(cells.into_iter().chain(account).chain(rest));
        }
        if let Some(left) = table.column_mut(0) {
            left.set_cell_alignment(CellAlignment::Right);
        }
        table.trim_fmt()
    }

    /// The same in a sentence or two.
    pub(super) fn summary(&self) -> String {
        let count = |state| self.videos.iter().filter(|row| row.state == state).count();
        let mut lines = vec![format!(
            "{} to save, {} archived already, {} dead",
            of("video", count(MISSING)),
            count(ARCHIVED),
            count(DEAD)
        )];
        if let Some(first) = self.videos.iter().find(|row| row.state == MISSING) {
            lines[0] += &format!("; the first dies in {}", first.time_left(self.now));
        }
        if count(DEAD) > 0 {
            lines.push(
                "dead: the URL does not work any more, and a question brought no other".into(),
            );
        }
        if !self.unfinished.is_empty() {
            lines.push(format!(
                "{} not finished yet; to wait and archive: seedance-archiver archive --dev {}",
                of("task", self.unfinished.len()),
                self.some_unfinished()
            ));
        }
        if self.skipped > 0 {
            lines.push(format!(
                "{} in the list could not be read: RUST_LOG=warn tells why",
                of("task", self.skipped)
            ));
        }
        lines.extend(self.not_listed.iter().map(|it| it.problem.clone()));
        lines.join("\n")
    }

    /// Whether this is all that there is.
    pub(super) fn is_complete(&self) -> bool {
        self.skipped == 0 && self.not_listed.is_empty()
    }

    fn some_unfinished(&self) -> String {
        const SHOWN: usize = 5;
        let shown = self.unfinished.iter().take(SHOWN).cloned();
        let more = (self.unfinished.len() > SHOWN).then(|| "…".to_owned());
        shown.chain(more).collect::<Vec<_>>().join(" ")
    }
}

const MISSING: &str = "missing";
const ARCHIVED: &str = "archived";
const DEAD: &str = "dead";

impl From<&rescue::NotListed> for NotListed {
    fn from(not_listed: &rescue::NotListed) -> Self {
        Self {
            account: not_listed.account.clone(),
            service_tier: not_listed.service_tier.clone(),
            problem: not_listed.to_string(),
        }
    }
}

impl From<&Video> for Row {
    fn from(video: &Video) -> Self {
        let VideoTask {
            id,
            model,
            created_at,
            duration,
            frames,
            resolution,
            ..
        } = video.task.clone();
        Self {
            task_id: id,
            account: video.account.clone(),
            model,
            created_at,
            duration,
            frames,
            resolution,
            state: match video.state {
                State::Missing => MISSING,
                State::Archived => ARCHIVED,
                State::Dead => DEAD,
            },
            url_expires_at: video.deadlines.url.map(unix_seconds),
            archive_deadline: video.deadlines.archive.map(unix_seconds),
        }
    }
}

impl Row {
    fn time_left(&self, now: SystemTime) -> String {
        let end = self
            .url_expires_at
            .and_then(seedance_archiver_proto::time::from_unix_seconds);
        match end {
            _ if self.state == DEAD => "none".to_owned(),
            Some(end) => end
                .duration_since(now)
                .map_or("none".to_owned(), format::duration),
            None => "not known".to_owned(),
        }
    }

    fn created(&self) -> String {
        let created = Timestamp::from_second(self.created_at).ok();
        let created = created.filter(|_| self.created_at > 0);
        created.map_or_else(String::new, |time| {
            time.strftime("%Y-%m-%d %H:%M").to_string()
        })
    }

    fn length(&self) -> String {
        match (self.duration, self.frames) {
            (Some(seconds), _) => format!("{seconds} s"),
            (None, Some(frames)) => format!("{frames} frames"),
            (None, None) => String::new(),
        }
    }
}

fn of(what: &str, count: usize) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_read_makes_it_incomplete() {
        let mut found = Found::default();
        assert!(Listing::new(&found).is_complete());
        found.skipped = 1;
        let listing = Listing::new(&found);
        assert!(!listing.is_complete());
        assert!(
            listing
                .summary()
                .contains("1 task in the list could not be read")
        );
    }
}
