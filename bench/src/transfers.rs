//! Measures transfers of videos: speed, CPU time and memory, beside curl and rclone, with each source and store.

mod archival;
mod certificate;
mod floor;
mod host;
mod many;
mod minio;
mod one;
mod options;
mod report;
mod sample;
mod scale;
mod space;
mod store;
mod testbed;
mod thread;
mod tls;
mod tool;
mod tools;
mod verify;
mod video;

pub(crate) use options::Options;

use crate::{archiver, interrupt, output};
use one::Tool;
use options::Part;
use report::Report;
use sample::per_gigabyte;

/// Runs the benchmark.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    space::check(options, &std::env::temp_dir())?;
    interrupt::run(measure(options))
}

async fn measure(options: &Options) -> anyhow::Result<()> {
    if options.parts.iter().any(|part| *part != Part::Floor) {
        archiver::check(&options.archiver)?;
    }
    let mut report = Report::new(options)?;
    let mut rows = Vec::new();
    // The order of `Part`: `floor` compares with `one`.
    for part in Part::ALL {
        if !options.parts.contains(&part) {
            continue;
        }
        match measure_part(options, part, &mut report, &mut rows).await {
            Ok(table) => output::print(&table)?,
            Err(error) => report.set_error(part, &error)?,
        }
    }
    report.result()
}

/// Measures a part. Returns its tables.
async fn measure_part(
    options: &Options,
    part: Part,
    report: &mut Report,
    rows: &mut Vec<one::Row>,
) -> anyhow::Result<String> {
    let bytes = options.bytes;
    match part {
        Part::One => {
            *rows = one::run(options, |rows| report.set(part, &rows)).await?;
            if rows.iter().any(one::Row::is_failed) {
                report.set_failed(part);
            }
            Ok(one::markdown(rows, bytes))
        }
        Part::Floor => {
            let archiver = |source, store| {
                let is_same = |row: &&one::Row| {
                    row.tool == Tool::Archiver && (row.source, row.store) == (source, store)
                };
                let row = rows.iter().find(is_same)?;
                row.median(|it| per_gigabyte(it.cpu_seconds, bytes))
            };
            let floor = floor::run(options, archiver).await?;
            report.set(part, &floor)?;
            Ok(floor::markdown(&floor))
        }
        Part::Many => {
            let batches = many::run(options).await?;
            report.set(part, &batches)?;
            Ok(many::markdown(&batches, bytes))
        }
        Part::Scale => {
            let rows = scale::run(options).await?;
            report.set(part, &rows)?;
            Ok(scale::markdown(&rows))
        }
        Part::Verify => {
            let rows = verify::run(options).await?;
            report.set(part, &rows)?;
            if rows.iter().any(verify::Row::is_failed) {
                report.set_failed(part);
            }
            Ok(verify::markdown(&rows, bytes))
        }
    }
}
