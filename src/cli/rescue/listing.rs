//! The videos that `rescue` found.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use comfy_table::CellAlignment;
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::{
    names::DEFAULT_ACCOUNT,
    time::{from_unix_seconds, unix_seconds},
    v1::VideoTask,
    visible,
};
use seedance_archiver_workflows::format;
use serde::Serialize;

use crate::{
    cli::{
        table,
        text::{count, time},
    },
    rescue::{self, Found, State, Video},
};

/// Maximum number of unfinished tasks of an account in the summary.
const MAX_UNFINISHED: usize = 5;

const MISSING: &str = "missing";
const ARCHIVED: &str = "archived";
const ERASED: &str = "erased";
const DEAD: &str = "dead";

/// The time left of a URL that has expired.
const NO_TIME: &str = "none";
/// The time left of a URL that may work, nobody knows for how long.
const UNKNOWN_TIME: &str = "unknown";

#[derive(Serialize)]
pub(super) struct Listing {
    videos: Vec<Row>,
    /// Ids of the tasks that are still queued or running.
    unfinished: Vec<String>,
    unfinished_by_account: BTreeMap<String, Vec<String>>,
    unsuccessful: usize,
    skipped: usize,
    not_listed: Vec<NotListed>,
    #[serde(skip)]
    now: SystemTime,
}

/// Tasks that could not be listed.
#[derive(Serialize)]
struct NotListed {
    account: String,
    list: String,
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
    /// `missing`, `archived`, `erased` or `dead`.
    state: &'static str,
    /// When the current URL expires, in Unix seconds.
    url_expires_at: Option<i64>,
    /// When no query can return a fresh URL any more, in Unix seconds.
    archive_deadline: Option<i64>,
}

impl Listing {
    pub(super) fn new(found: &Found) -> Self {
        Self {
            videos: found.videos.iter().map(Row::from).collect(),
            unfinished: found
                .unfinished
                .iter()
                .map(|it| it.task_id.clone())
                .collect(),
            unfinished_by_account: by_account(&found.unfinished),
            unsuccessful: found.unsuccessful,
            skipped: found.skipped,
            not_listed: found.not_listed.iter().map(NotListed::from).collect(),
            now: Clock::default().now(),
        }
    }

    /// Returns a row for each video, the most urgent first.
    pub(super) fn table(&self, has_accounts: bool) -> String {
        let account = has_accounts.then_some("account");
        let header = ["time left", "task"].into_iter().chain(account);
        let rest = ["model", "created (UTC)", "length", "resolution", "state"];
        let mut table = table::table(header.chain(rest));
        for row in &self.videos {
            let account = has_accounts.then(|| row.account.clone());
            let cells = [row.time_left(self.now), row.task_id.clone()];
            let rest = [
                row.model.clone(),
                time(row.created_at),
                row.length(),
                row.resolution.clone(),
                row.state.to_owned(),
            ];
            table.add_row(table::row(cells.into_iter().chain(account).chain(rest)));
        }
        if let Some(left) = table.column_mut(0) {
            left.set_cell_alignment(CellAlignment::Right);
        }
        table.trim_fmt()
    }

    /// Returns the counts of each state, and a line for each problem.
    pub(super) fn summary(&self) -> String {
        let in_state = |state| self.videos.iter().filter(|row| row.state == state).count();
        let mut lines = vec![format!(
            "{} to archive, {} already archived, {} dead",
            count(in_state(MISSING), "video"),
            in_state(ARCHIVED),
            in_state(DEAD)
        )];
        if in_state(ERASED) > 0 {
            lines[0] += &format!(", {} erased", in_state(ERASED));
        }
        let mut missing = self.videos.iter().filter(|row| row.state == MISSING);
        if let Some(left) = missing.find_map(|row| row.until_expiry(self.now)) {
            lines[0] += &format!("; the first URL expires in {}", format::duration(left));
        }
        if in_state(DEAD) > 0 {
            lines.push("dead: the host refuses the URL, and a query returned no fresh one".into());
        }
        lines.extend(
            self.unfinished_by_account
                .iter()
                .map(|(name, ids)| unfinished_in(name, ids)),
        );
        if self.skipped > 0 {
            lines.push(format!(
                "{} could not be decoded; set RUST_LOG=warn for details",
                count(self.skipped, "listed task")
            ));
        }
        let problems = self
            .not_listed
            .iter()
            .map(|it| visible::escape(&it.problem));
        lines.extend(problems.map(Into::into));
        lines.join("\n")
    }

    /// Returns whether every task was listed and decoded.
    pub(super) fn is_complete(&self) -> bool {
        self.skipped == 0 && self.not_listed.is_empty()
    }
}

/// Returns the ids of the unfinished tasks of each account that has some.
fn by_account(unfinished: &[rescue::Unfinished]) -> BTreeMap<String, Vec<String>> {
    let mut by_account: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for rescue::Unfinished { account, task_id } in unfinished {
        let ids = by_account.entry(account.clone()).or_default();
        ids.push(task_id.clone());
    }
    by_account
}

/// Returns the line about the unfinished tasks of an account, with the command that archives them.
fn unfinished_in(account: &str, ids: &[String]) -> String {
    let (of_account, option) = match account {
        DEFAULT_ACCOUNT => (String::new(), String::new()),
        name => (
            format!(" of account `{name}`"),
            format!(" --account {name}"),
        ),
    };
    let first = ids.iter().take(MAX_UNFINISHED).map(String::as_str);
    let more = (ids.len() > MAX_UNFINISHED).then_some("…");
    let first = first.chain(more).collect::<Vec<_>>().join(" ");
    let line = format!(
        "{}{of_account} unfinished; to archive when finished: seedance-archiver archive --dev{option} {first}",
        count(ids.len(), "task")
    );
    visible::escape(&line).into_owned()
}

impl From<&rescue::NotListed> for NotListed {
    fn from(not_listed: &rescue::NotListed) -> Self {
        Self {
            account: not_listed.account.clone(),
            list: not_listed.list.clone(),
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
                State::Erased => ERASED,
                State::Dead => DEAD,
            },
            url_expires_at: video.deadlines.url.map(unix_seconds),
            archive_deadline: video.deadlines.archive.map(unix_seconds),
        }
    }
}

impl Row {
    fn time_left(&self, now: SystemTime) -> String {
        match self.until_expiry(now) {
            _ if self.state == DEAD => NO_TIME.to_owned(),
            Some(left) => format::duration(left),
            // The host or the API did not answer: the URL may work in spite of its expiry.
            None if self.state == MISSING || self.url_expires_at.is_none() => {
                UNKNOWN_TIME.to_owned()
            }
            None => NO_TIME.to_owned(),
        }
    }

    /// Returns the time until the URL expires. `None` if it has expired, or if that is unknown.
    fn until_expiry(&self, now: SystemTime) -> Option<Duration> {
        let expires_at = self.url_expires_at.and_then(from_unix_seconds)?;
        expires_at.duration_since(now).ok()
    }

    fn length(&self) -> String {
        match (self.duration, self.frames) {
            (Some(seconds), _) => format!("{seconds} s"),
            (None, Some(frames)) => format!("{frames} frames"),
            (None, None) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use seedance_archiver_policy::deadlines::Deadlines;

    use super::*;

    #[test]
    fn the_time_left_of_a_video_that_may_be_available_is_never_none() {
        let expired = |state| Video {
            account: DEFAULT_ACCOUNT.to_owned(),
            task: VideoTask::default(),
            state,
            deadlines: Deadlines {
                url: from_unix_seconds(1),
                archive: None,
            },
        };
        let states = [State::Missing, State::Archived, State::Dead];
        let found = Found {
            videos: states.map(expired).into(),
            ..Found::default()
        };
        let listing = Listing::new(&found);
        let left = listing.videos.iter().map(|row| row.time_left(listing.now));
        assert_eq!(left.collect::<Vec<_>>(), ["unknown", "none", "none"]);
        let summary = listing.summary();
        assert!(!summary.contains("expires in"), "{summary}");
    }

    #[test]
    fn a_task_that_cannot_be_decoded_makes_the_listing_incomplete() {
        let mut found = Found::default();
        assert!(Listing::new(&found).is_complete());
        found.skipped = 1;
        let listing = Listing::new(&found);
        assert!(!listing.is_complete());
        assert!(
            listing
                .summary()
                .contains("1 listed task could not be decoded")
        );
    }

    #[test]
    fn unfinished_tasks_are_archived_with_their_account() {
        let unfinished = |(account, number): (&str, usize)| rescue::Unfinished {
            account: account.to_owned(),
            task_id: format!("cgt-{number}"),
        };
        let tasks = [("eu", 1), ("default", 2), ("eu", 3)];
        let found = Found {
            unfinished: tasks.map(unfinished).into(),
            ..Found::default()
        };
        let listing = Listing::new(&found);
        let summary = listing.summary();
        let commands: Vec<_> = summary.lines().skip(1).collect();
        assert_eq!(
            commands,
            [
                "1 task unfinished; to archive when finished: seedance-archiver archive --dev cgt-2",
                "2 tasks of account `eu` unfinished; to archive when finished: seedance-archiver archive --dev \
                 --account eu cgt-1 cgt-3",
            ]
        );
        let document = serde_json::to_value(&listing).unwrap();
        assert_eq!(document["unfinished"][0], "cgt-1");
        assert_eq!(document["unfinished_by_account"]["eu"][1], "cgt-3");
    }
}
