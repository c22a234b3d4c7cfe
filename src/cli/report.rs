//! The report of commands that archive: a row for each video, or counts if there are many.

use std::{collections::BTreeMap, process::ExitCode};

use comfy_table::CellAlignment;
use indicatif::{HumanBytes, HumanCount};
use seedance_archiver_proto::{outcome, v1::VideoTaskLifecycleResult, visible};
use serde::Serialize;

use super::{
    output::{Output, print_json},
    table,
    task_result::TaskResult,
};

/// Maximum number of rows, one for each video.
pub(super) const MAX_TABLE_ROWS: usize = 20;

const STATUS_COLUMN: usize = 1;
const SIZE_COLUMN: usize = 3;
const SHA256_COLUMN: usize = 4;

/// The document of `--output json`.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    ui_url: String,
    archive_url: String,
    videos: Vec<Video>,
}

/// One lifecycle.
#[derive(Debug, Serialize)]
struct Video {
    task_id: String,
    status: String,
    outcome: String,
    reason: String,
    message: String,
    manifest_url: String,
    sha256: String,
    bytes: i64,
    polls: Option<u64>,
    history_events: Option<u64>,
}

impl Report {
    /// Returns the report of these results. An empty URL is unknown.
    pub(super) fn new(ui_url: &str, archive_url: &str, results: Vec<TaskResult>) -> Self {
        Self {
            ui_url: ui_url.to_owned(),
            archive_url: archive_url.to_owned(),
            videos: results.into_iter().map(Video::from).collect(),
        }
    }

    /// Prints the report.
    pub(super) fn print(&self, output: Output) -> anyhow::Result<()> {
        match output {
            Output::Json => print_json(self)?,
            Output::Text if self.videos.len() > MAX_TABLE_ROWS => self.print_summary(),
            Output::Text => outln!("{}", self.table(self.videos.iter())),
        }
        Ok(())
    }

    /// Returns 0 if every video has one of these outcomes, otherwise 1.
    pub(super) fn exit_code(&self, expected: &[&str]) -> ExitCode {
        let is_expected = |video: &Video| expected.contains(&video.outcome.as_str());
        ExitCode::from(u8::from(!self.videos.iter().all(is_expected)))
    }

    /// Returns how many videos are archived, and their total size in bytes.
    pub(super) fn archived(&self) -> (usize, u64) {
        let archived = self.videos.iter().filter(|video| video.is_archived());
        let bytes = archived.clone().map(|video| video.bytes.unsigned_abs());
        (archived.count(), bytes.sum())
    }

    /// Returns whether the video of a task is archived.
    pub(super) fn is_archived(&self, task_id: &str) -> bool {
        let mut videos = self.videos.iter();
        videos.any(|video| video.task_id == task_id && video.is_archived())
    }

    /// Prints a row for each video that is not archived, and the count of each outcome.
    fn print_summary(&self) {
        let not_archived = || self.videos.iter().filter(|video| !video.is_archived());
        if not_archived().next().is_some() {
            outln!("{}\n", self.table(not_archived()));
        }
        let mut outcomes = BTreeMap::<_, usize>::new();
        for video in &self.videos {
            let failed = video.outcome.is_empty();
            let outcome = if failed { "failed" } else { &video.outcome };
            *outcomes.entry(outcome).or_default() += 1;
        }
        let outcomes = outcomes.into_iter();
        let counts: Vec<_> = outcomes
            .map(|(outcome, videos)| {
                format!("{} {}", HumanCount(videos as u64), visible::escape(outcome))
            })
            .collect();
        let (_, bytes) = self.archived();
        outln!(
            "{}; {} in the archive",
            counts.join(", "),
            HumanBytes(bytes)
        );
    }

    fn table<'a>(&self, videos: impl Iterator<Item = &'a Video> + Clone) -> String {
        let mut table = table::table([
            "task",
            "status",
            "outcome",
            "size",
            "SHA-256",
            "location or reason",
        ]);
        for video in videos.clone() {
            table.add_row(table::row([
                video.task_id.clone(),
                video.status.clone(),
                video.outcome.clone(),
                video.size(),
                video.sha256.chars().take(12).collect(),
            ]));
        }
        let width = table::fit(&mut table, &[SHA256_COLUMN, STATUS_COLUMN]);
        for (row, video) in table.row_iter_mut().zip(videos) {
            row.add_cell(
                match video.has_receipt() {
                    true => wrap_path(self.prefix_in_archive(&video.manifest_url), width),
                    false => visible::escape(&video.reason_and_message()).into_owned(),
                }
                .into(),
            );
        }
        if let Some(size) = table.column_mut(SIZE_COLUMN) {
            size.set_cell_alignment(CellAlignment::Right);
        }
        table.trim_fmt()
    }

    /// Returns the prefix of a receipt, relative to the archive.
    fn prefix_in_archive(&self, manifest_url: &str) -> String {
        let relative = manifest_url
            .strip_prefix(&self.archive_url)
            .unwrap_or(manifest_url);
        visible::escape(relative.trim_end_matches("manifest.json")).into_owned()
    }
}

/// Breaks a path before its last part if it is longer than `width`.
fn wrap_path(path: String, width: Option<usize>) -> String {
    let is_longer = width.is_some_and(|width| path.len() > width);
    match path.trim_end_matches('/').rfind('/') {
        Some(slash) if is_longer => format!("{}\n{}", &path[..=slash], &path[slash + 1..]),
        _ => path,
    }
}

impl Video {
    fn has_receipt(&self) -> bool {
        !self.manifest_url.is_empty()
    }

    fn size(&self) -> String {
        match self.has_receipt() {
            true => HumanBytes(self.bytes.unsigned_abs()).to_string(),
            false => String::new(),
        }
    }

    fn is_archived(&self) -> bool {
        self.outcome == outcome::ARCHIVED
    }

    fn reason_and_message(&self) -> String {
        let parts = [self.reason.as_str(), &self.message];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(": ")
    }
}

impl From<TaskResult> for Video {
    fn from(TaskResult { task_id, result }: TaskResult) -> Self {
        let (result, cost) = result.unwrap_or_else(|error| {
            let failed = VideoTaskLifecycleResult {
                message: error.to_string(),
                ..Default::default()
            };
            (failed, None)
        });
        let manifest = result.manifest.unwrap_or_default();
        let object = manifest.objects.into_iter().next().unwrap_or_default();
        Self {
            task_id,
            status: result.task.map(|task| task.status).unwrap_or_default(),
            outcome: result.outcome,
            reason: result.reason,
            message: result.message,
            manifest_url: manifest.manifest_url,
            sha256: object.sha256,
            bytes: object.size_bytes,
            polls: cost.map(|cost| cost.polls),
            history_events: cost.map(|cost| cost.history_events),
        }
    }
}
