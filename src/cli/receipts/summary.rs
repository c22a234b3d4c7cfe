//! Tokens and numbers of videos.

use std::collections::BTreeMap;

use comfy_table::CellAlignment;
use indicatif::HumanCount;
use jiff::Timestamp;
use seedance_archiver_proto::v1::Manifest;
use serde::Serialize;

use super::{
    args::Format,
    cell::{self, Cell},
};
use crate::{cli::table, stdio};

const HEADER: [&str; 8] = [
    "level",
    "day",
    "account",
    "model",
    "service_tier",
    "videos",
    "completion_tokens",
    "total_tokens",
];
/// Number of columns of numbers, the last ones.
const NUMBERS: usize = 3;

/// The sums of each group. Memory is bounded by the number of groups.
#[derive(Debug, Default)]
pub(super) struct Summary {
    groups: BTreeMap<Group, Sums>,
    total: Sums,
}

/// What the videos of a group have in common. A value that is not known is empty.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize)]
struct Group {
    day: String,
    account: String,
    model: String,
    service_tier: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
struct Sums {
    videos: i64,
    completion_tokens: i64,
    total_tokens: i64,
}

/// A line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    level: Level,
    #[serde(flatten)]
    group: Option<&'a Group>,
    #[serde(flatten)]
    sums: Sums,
}

/// Whether a row is of one group or of all: a sum of both would count each video twice.
#[derive(Clone, Copy, Serialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
enum Level {
    Group,
    Total,
}

impl Summary {
    /// Adds a receipt.
    pub(super) fn add(&mut self, manifest: &Manifest) -> anyhow::Result<()> {
        let group = self.groups.entry(Group::of(manifest)).or_default();
        group.add(manifest);
        self.total.add(manifest);
        Ok(())
    }

    /// Prints the groups by day, account, model and service tier, and the total.
    pub(super) fn print(&self, format: Format) -> anyhow::Result<()> {
        match format {
            Format::Table => self.print_table(),
            Format::Csv => self.print_csv()?,
            Format::Jsonl => self.print_jsonl()?,
        }
        Ok(())
    }

    fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let groups = self.groups.iter().map(|(group, sums)| Line {
            level: Level::Group,
            group: Some(group),
            sums: *sums,
        });
        groups.chain([Line {
            level: Level::Total,
            group: None,
            sums: self.total,
        }])
    }

    fn print_table(&self) {
        if self.groups.is_empty() {
            return;
        }
        let header = [
            "day (UTC)",
            "account",
            "model",
            "tier",
            "videos",
            "completion tokens",
            "total tokens",
        ];
        let mut table = table::table(header);
        for Line { group, sums, .. } in self.lines() {
            let texts = match group.cloned() {
                Some(group) => [group.day, group.account, group.model, group.service_tier],
                None => [
                    "total".to_owned(),
                    String::new(),
                    String::new(),
                    String::new(),
                ],
            };
            let numbers = sums
                .numbers()
                .map(|it| HumanCount(it.unsigned_abs()).to_string());
            table.add_row(table::row(texts.into_iter().chain(numbers)));
        }
        for column in table.column_iter_mut().rev().take(NUMBERS) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        outln!("{}", table.trim_fmt());
    }

    fn print_csv(&self) -> anyhow::Result<()> {
        stdio::print_csv(&cell::header(HEADER)?);
        for Line { level, group, sums } in self.lines() {
            let level: &str = level.into();
            let group = group.cloned().unwrap_or_default();
            let Group {
                day,
                account,
                model,
                service_tier,
            } = &group;
            let texts = [level, day, account, model, service_tier].map(Cell::text);
            let numbers = sums.numbers().map(Cell::Number);
            stdio::print_csv(&cell::record(texts.into_iter().chain(numbers))?);
        }
        Ok(())
    }

    fn print_jsonl(&self) -> anyhow::Result<()> {
        for line in self.lines() {
            stdio::print_json(&serde_json::to_string(&line)?);
        }
        Ok(())
    }
}

impl Group {
    fn of(manifest: &Manifest) -> Self {
        Self {
            day: day(manifest),
            account: manifest.account.clone(),
            model: manifest.model.clone(),
            service_tier: manifest.service_tier.clone(),
        }
    }
}

/// Returns the day in UTC on which a task ended. A record may lack that time.
fn day(manifest: &Manifest) -> String {
    let times = [manifest.task_updated_at, manifest.archived_at];
    let time = times.into_iter().find(|time| *time > 0);
    let time = time.and_then(|time| Timestamp::from_second(time).ok());
    time.map(|time| time.strftime("%Y-%m-%d").to_string())
        .unwrap_or_default()
}

impl Sums {
    fn add(&mut self, manifest: &Manifest) {
        let usage = manifest.usage.as_ref();
        let add = |sum: &mut i64, tokens: Option<i64>| {
            *sum = sum.saturating_add(tokens.unwrap_or_default());
        };
        self.videos += 1;
        add(
            &mut self.completion_tokens,
            usage.map(|usage| usage.completion_tokens),
        );
        add(
            &mut self.total_tokens,
            usage.map(|usage| usage.total_tokens),
        );
    }

    fn numbers(self) -> [i64; NUMBERS] {
        [self.videos, self.completion_tokens, self.total_tokens]
    }
}
