//! What is printed when lifecycles have ended.

use std::{collections::BTreeMap, process::ExitCode};

use comfy_table::CellAlignment;
use indicatif::{HumanBytes, HumanCount};
use seedance_archiver_proto::outcome;
use serde::Serialize;

use super::{Output, follow::Followed, words};

/// Most videos that have a line each.
pub(super) const FEW: usize = 20;

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
    pub(super) fn new(ui_url: &str, archive_url: &str, followed: Vec<Followed>) -> Self {
        Self {
            ui_url: ui_url.to_owned(),
            archive_url: archive_url.to_owned(),
            videos: followed.into_iter().map(Video::from).collect(),
        }
    }

    pub(super) fn print(&self, output: Output) -> anyhow::Result<()> {
        match output {
            Output::Json => println!("{}", serde_json::to_string_pretty(self)?),
            Output::Text if self.videos.len() > FEW => self.print_sum(),
            Output::Text => println!("{}", self.table(&self.videos)),
        }
        Ok(())
    }

    /// 0 where every video has one of these outcomes.
    pub(super) fn exit_code(&self, good: &[&str]) -> ExitCode {
        let all_good = self
            .videos
            .iter()
            .all(|video| good.contains(&video.outcome.as_str()));
        ExitCode::from(u8::from(!all_good))
    }

    /// How many videos are archived, and their bytes.
    pub(super) fn archived(&self) -> (usize, u64) {
        let archived = self.videos.iter().filter(|video| video.is_archived());
        let bytes = archived.clone().map(|video| video.bytes.unsigned_abs());
        (archived.count(), bytes.sum())
    }

    /// Whether the video of a task is archived.
    pub(super) fn has(&self, task_id: &str) -> bool {
        let mut videos = self.videos.iter();
        videos.any(|video| video.task_id == task_id && video.is_archived())
    }

    /// Those that need a look, and how many there are of each outcome.
    fn print_sum(&self) {
        let not_archived = || self.videos.iter().filter(|video| !video.is_archived());
        if not_archived().next().is_some() {
            println!("{}\n", self.table(not_archived()));
        }
        let mut outcomes = BTreeMap::<_, usize>::new();
        for video in &self.videos {
            let failed = video.outcome.is_empty();
            let outcome = if failed { "failed" } else { &video.outcome };
            *outcomes.entry(outcome).or_default() += 1;
        }
        let outcomes = outcomes.into_iter();
        let sum: Vec<_> = outcomes
            .map(|(outcome, videos)| format!("{} {outcome}", HumanCount(videos as u64)))
            .collect();
        let (_, bytes) = self.archived();
        println!("{}; {} in the archive", sum.join(", "), HumanBytes(bytes));
    }

    fn table<'a>(&self, videos: impl IntoIterator<Item = &'a Video>) -> String {
        let mut table = words::table(["task", "status", "outcome", "bytes", "SHA-256", "where"]);
        for video in videos {
            let is_archived = !video.manifest_url.is_empty();
            table.add_row([
                video.task_id.clone(),
                video.status.clone(),
                video.outcome.clone(),
                if is_archived {
                    HumanBytes(video.bytes.unsigned_abs()).to_string()
                } else {
                    String::new()
                },
                video.sha256.chars().take(12).collect(),
                if is_archived {
                    self.shorten(&video.manifest_url)
                } else {
                    video.why()
                },
            ]);
        }
        if let Some(bytes) = table.column_mut(3) {
            bytes.set_cell_alignment(CellAlignment::Right);
        }
        table.trim_fmt()
    }

    /// The folder of a receipt, seen from the archive.
    fn shorten(&self, manifest_url: &str) -> String {
        let within = manifest_url
            .strip_prefix(&self.archive_url)
            .unwrap_or(manifest_url);
        within.trim_end_matches("manifest.json").to_owned()
    }
}

impl Video {
    fn is_archived(&self) -> bool {
        self.outcome == outcome::ARCHIVED
    }

    fn why(&self) -> String {
        let said = [self.reason.as_str(), &self.message];
        let said = said.into_iter().filter(|part| !part.is_empty());
        said.collect::<Vec<_>>().join(": ")
    }
}

impl From<Followed> for Video {
    fn from(followed: Followed) -> Self {
        let (result, cost) = match followed.ended {
            Ok(ended) => ended,
            Err(error) => {
                let failed = seedance_archiver_proto::v1::VideoTaskLifecycleResult {
                    message: error.to_string(),
                    ..Default::default()
                };
                (failed, None)
            }
        };
        let manifest = result.manifest.unwrap_or_default();
        let object = manifest.objects.into_iter().next().unwrap_or_default();
        Self {
            task_id: followed.task_id,
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
