//! Prints a row for each receipt.

use comfy_table::CellAlignment;
use indicatif::{HumanBytes, HumanCount};
use seedance_archiver_proto::v1::Manifest;

use super::{
    args::Format,
    cell,
    columns::{COLUMNS, main_object},
    jsonl,
};
use crate::{
    archive::audit::StoredReceipt,
    cli::{table, text::time},
    stdio,
};

/// Maximum number of receipts in a table. The widths of its columns are not known before all of its rows are.
const MAX_TABLE: usize = 1000;

const HEADER: [&str; 9] = [
    "task",
    "account",
    "model",
    "resolution",
    "length",
    "size",
    "tokens",
    "warnings",
    "archived",
];
/// Columns that are hidden in a narrow terminal, the first ones first.
const OPTIONAL: [usize; 7] = [7, 2, 1, 3, 4, 5, 6];
/// Columns of numbers.
const NUMBERS: [usize; 4] = [4, 5, 6, 7];

/// Prints rows in a format while they arrive.
pub(super) enum Rows {
    /// The rows of the next table.
    Table(Vec<[String; HEADER.len()]>),
    Csv,
    Jsonl,
}

impl Rows {
    /// Prints what precedes the rows.
    pub(super) fn start(format: Format) -> anyhow::Result<Self> {
        Ok(match format {
            Format::Table => Self::Table(Vec::new()),
            Format::Csv => {
                stdio::print_csv(&cell::header(COLUMNS.map(|(name, _)| name))?);
                Self::Csv
            }
            Format::Jsonl => Self::Jsonl,
        })
    }

    /// Prints the row of a receipt. Rows of a table are printed together.
    pub(super) fn add(&mut self, receipt: &StoredReceipt) -> anyhow::Result<()> {
        match self {
            Self::Table(rows) => {
                rows.push(row(&receipt.manifest));
                if rows.len() == MAX_TABLE {
                    print_table(std::mem::take(rows));
                }
            }
            Self::Csv => {
                let cells = COLUMNS.map(|(_, cell)| cell(receipt));
                stdio::print_csv(&cell::record(cells)?);
            }
            Self::Jsonl => stdio::print_json(&jsonl::line(receipt)),
        }
        Ok(())
    }

    /// Prints the rows that are left.
    pub(super) fn end(self) {
        match self {
            Self::Table(rows) if !rows.is_empty() => print_table(rows),
            _ => {}
        }
    }
}

fn print_table(rows: Vec<[String; HEADER.len()]>) {
    let mut table = table::table(HEADER);
    for row in rows {
        table.add_row(table::row(row));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        if NUMBERS.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table::fit(&mut table, &OPTIONAL);
    outln!("{}", table.trim_fmt());
}

fn row(manifest: &Manifest) -> [String; HEADER.len()] {
    let size = main_object(manifest).map(|object| object.size_bytes.unsigned_abs());
    let tokens = manifest.usage.as_ref().map(|usage| usage.total_tokens);
    [
        manifest.task_id.clone(),
        manifest.account.clone(),
        manifest.model.clone(),
        manifest.resolution.clone(),
        length(manifest),
        size.map(|size| HumanBytes(size).to_string())
            .unwrap_or_default(),
        tokens
            .map(|it| HumanCount(it.unsigned_abs()).to_string())
            .unwrap_or_default(),
        warnings(manifest),
        time(manifest.archived_at),
    ]
}

fn length(manifest: &Manifest) -> String {
    match (manifest.duration, manifest.frames) {
        (Some(seconds), _) => format!("{seconds} s"),
        (None, Some(frames)) => format!("{frames} frames"),
        (None, None) => String::new(),
    }
}

/// Returns the number of warnings, with those of checks.
fn warnings(manifest: &Manifest) -> String {
    let checks = manifest.objects.iter().flat_map(|object| &object.checks);
    let count = manifest.warnings.len() + checks.filter(|it| it.result == "warning").count();
    match count {
        0 => String::new(),
        count => count.to_string(),
    }
}
