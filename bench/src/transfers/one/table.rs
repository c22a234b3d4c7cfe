//! The results as a Markdown table.

use super::row::Row;
use crate::transfers::sample::{cell, error_cell, mebibytes, megabytes_per_second, per_gigabyte};

const HEAD: &str = "
| source | store | tool | MB/s | relative | CPU s/GB | relative | memory, MiB | MinIO CPU s/GB |
|---|---|---|---:|---:|---:|---:|---:|---:|
";

pub(in crate::transfers) fn markdown(rows: &[Row], bytes: u64) -> String {
    let lines = rows.iter().map(|row| line(row, rows, bytes));
    format!("{HEAD}{}", lines.collect::<String>())
}

fn line(row: &Row, rows: &[Row], bytes: u64) -> String {
    let (source, store, tool) = (row.source.name(), row.store.name(), row.tool.name());
    if row.runs.iter().all(Option::is_none) {
        let error = error_cell(row.error.as_deref());
        return format!("| {source} | {store} | {tool} | {error} |\n");
    }
    let is_baseline =
        |it: &&Row| it.is_baseline() && (it.store, it.source) == (row.store, row.source);
    let base = rows.iter().find(is_baseline);
    let speed = row.median(|it| megabytes_per_second(bytes, it.seconds));
    let faster = base.and_then(|base| row.ratio(base, |it| it.seconds));
    let cpu = row.median(|it| per_gigabyte(it.cpu_seconds, bytes));
    let cpu_ratio = base.and_then(|base| base.ratio(row, |it| it.cpu_seconds));
    let peak = row.runs.iter().flatten().map(|it| it.peak_bytes).max();
    let store_cpu = row
        .runs
        .iter()
        .flatten()
        .all(|it| it.store_cpu_seconds.is_some());
    let store_cpu = row
        .median(|it| per_gigabyte(it.store_cpu_seconds.unwrap_or_default(), bytes))
        .filter(|_| store_cpu);
    let cells = [
        cell(speed, 0),
        cell(faster, 2),
        cell(cpu, 2),
        cell(cpu_ratio, 2),
        cell(peak.map(mebibytes), 0),
        cell(store_cpu, 2),
    ];
    format!("| {source} | {store} | {tool} | {} |\n", cells.join(" | "))
}
