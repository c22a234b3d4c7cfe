//! `verify --deep`, beside tools that read the same objects and discard them.

use std::{process::Command, sync::Arc};

use anyhow::ensure;
use serde::Serialize;

use super::{
    archival,
    host::Source,
    options::Options,
    sample::{Sample, cell, error_cell, mebibytes, megabytes_per_second, per_gigabyte},
    store::{Store, StoreKind},
    testbed::Testbed,
    tool, tools,
    video::Video,
};
use crate::{output, programs};

pub(super) const VIDEOS: usize = 8;
pub(super) const MAX_BYTES: u64 = 128 << 20;

#[derive(Debug, Serialize)]
pub(super) struct Row {
    tool: &'static str,
    /// Why the tool failed.
    error: Option<String>,
    /// Whether the reason is a program that is not installed.
    is_skipped: bool,
    #[serde(flatten)]
    sample: Option<Sample>,
}

impl Row {
    fn new(tool: &'static str, sample: anyhow::Result<Sample>) -> Self {
        let error = sample.as_ref().err();
        Self {
            tool,
            error: error.map(|error| format!("{error:#}")),
            is_skipped: error.is_some_and(programs::is_missing),
            sample: sample.ok(),
        }
    }

    /// Returns whether the tool failed although every program that it needs is installed.
    pub(super) fn is_failed(&self) -> bool {
        self.error.is_some() && !self.is_skipped
    }
}

pub(super) async fn run(options: &Options) -> anyhow::Result<Vec<Row>> {
    let bed = Testbed::start(&options.archiver).await?;
    let video = bed.video(options.bytes.min(MAX_BYTES)).await?;
    let store = bed.start_store(StoreKind::MinIo).await?;
    output::print("verify: archiving\n")?;
    archive(&bed, &store, VIDEOS, &video).await?;
    let keys = store.videos().await?;
    let keys: Vec<_> = keys.iter().map(|it| it.location.to_string()).collect();
    let mut rows = Vec::new();
    let certificate = &bed.certificate;
    let commands = [
        (
            "`curl --parallel`",
            tools::curl_objects(certificate, &store, &keys),
        ),
        ("`rclone cat`", tools::rclone_cat(certificate, &store)),
        ("`seedance-archiver verify --deep`", verify(&bed, &store)),
    ];
    for (name, command) in commands {
        output::print(&format!("verify: {name}\n"))?;
        rows.push(Row::new(name, measure(&bed, &store, command).await));
    }
    Ok(rows)
}

async fn measure(
    bed: &Testbed,
    store: &Store,
    command: anyhow::Result<Command>,
) -> anyhow::Result<Sample> {
    let store_cpu = store.cpu_seconds();
    let sample = tool::run(vec![command?], bed.directory()).await?;
    let store_cpu = store_cpu.zip(store.cpu_seconds());
    Ok(Sample {
        store_cpu_seconds: store_cpu.map(|(before, after)| after - before),
        ..sample
    })
}

async fn archive(
    bed: &Testbed,
    store: &Store,
    count: usize,
    video: &Arc<Video>,
) -> anyhow::Result<()> {
    let worker = bed.start_worker(store, "verify", "verify").await?;
    let tasks = (0..count).map(|_| {
        let url = bed.host.serve(Source::Http, video, None);
        bed.create_task(url)
    });
    let tasks: Vec<_> = tasks.collect();
    let archivals = archival::archive_all(&bed.server.client, "verify", &tasks).await?;
    ensure!(archivals.len() == count, "not all videos were archived");
    // Stops before anything is measured.
    drop(worker);
    store.check(count, video.size).await
}

fn verify(bed: &Testbed, store: &Store) -> anyhow::Result<Command> {
    let mut command = bed.archiver(store)?;
    command.args(["verify", "--deep"]);
    Ok(command)
}

const HEAD: &str = "
| tool | MB/s | relative to `curl` | CPU s/GB | memory, MiB | MinIO CPU s/GB |
|---|---:|---:|---:|---:|---:|
";

pub(super) fn markdown(rows: &[Row], bytes: u64) -> String {
    let total = bytes.min(MAX_BYTES) * VIDEOS as u64;
    let base = rows.first().and_then(|row| row.sample);
    let lines = rows.iter().map(|row| {
        let Some(sample) = row.sample else {
            let error = error_cell(row.error.as_deref());
            return format!("| {} | {error} |\n", row.tool);
        };
        let store_cpu = sample.store_cpu_seconds;
        let cells = [
            cell(Some(megabytes_per_second(total, sample.seconds)), 0),
            cell(base.map(|base| base.seconds / sample.seconds), 2),
            cell(Some(per_gigabyte(sample.cpu_seconds, total)), 2),
            cell(Some(mebibytes(sample.peak_bytes)), 0),
            cell(store_cpu.map(|cpu| per_gigabyte(cpu, total)), 2),
        ];
        format!("| {} | {} |\n", row.tool, cells.join(" | "))
    });
    format!("{HEAD}{}", lines.collect::<String>())
}
