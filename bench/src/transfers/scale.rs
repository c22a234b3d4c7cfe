//! Several workers on one task queue.

use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

use super::{
    archival::{self, Archival, since},
    host::Source,
    options::Options,
    sample::{megabytes_per_second, per_gigabyte},
    store::StoreKind,
    testbed::{Testbed, Worker},
};
use crate::output;

const WORKERS: [usize; 3] = [1, 2, 4];
/// A worker that joins others sends no request to the API for 15 s: until then, they may still use the whole rate limit.
const JOINING: Duration = Duration::from_secs(20);
pub(super) const VIDEOS: usize = 24;
pub(super) const MAX_BYTES: u64 = 64 << 20;

#[derive(Debug, Serialize)]
pub(super) struct Row {
    workers: usize,
    /// From the start of the first transfer to the completion of the last.
    seconds: f64,
    megabytes_per_second: f64,
    /// Of all workers.
    cpu_seconds_per_gigabyte: f64,
    /// Videos of each worker.
    videos: Vec<usize>,
}

pub(super) async fn run(options: &Options) -> anyhow::Result<Vec<Row>> {
    let bed = Testbed::start(&options.archiver).await?;
    let mut rows = Vec::new();
    for workers in WORKERS {
        output::print(&format!("scale: {workers} workers\n"))?;
        rows.push(measure(&bed, workers, options.bytes.min(MAX_BYTES)).await?);
    }
    Ok(rows)
}

async fn measure(bed: &Testbed, count: usize, bytes: u64) -> anyhow::Result<Row> {
    let video = bed.video(bytes).await?;
    let store = bed.start_store(StoreKind::MinIo).await?;
    let task_queue = format!("scale-{count}");
    let mut workers = Vec::new();
    for number in 0..count {
        let name = format!("{task_queue}-{number}");
        workers.push(bed.start_worker(&store, &task_queue, &name).await?);
    }
    tokio::time::sleep(JOINING).await;
    let tasks = (0..VIDEOS).map(|_| {
        let url = bed.host.serve(Source::Https, &video, None);
        bed.create_task(url)
    });
    let tasks: Vec<_> = tasks.collect();
    let cpu = cpu_seconds(&workers)?;
    let archivals = archival::archive_all(&bed.server.client, &task_queue, &tasks).await?;
    let cpu = cpu_seconds(&workers)? - cpu;
    store.check(VIDEOS, video.size).await?;
    store.clear().await?;
    let first = archivals.iter().map(|it| it.started_at).min();
    let last = archivals.iter().map(|it| it.completed_at).max();
    let (first, last) = first.zip(last).context("no video was archived")?;
    let seconds = since(first, last).as_secs_f64();
    let total = video.size * VIDEOS as u64;
    let pids: Vec<_> = workers.iter().map(|it| it.process.pid()).collect();
    Ok(Row {
        workers: count,
        seconds,
        megabytes_per_second: megabytes_per_second(total, seconds),
        cpu_seconds_per_gigabyte: per_gigabyte(cpu, total),
        videos: shares(&archivals, &pids),
    })
}

fn cpu_seconds(workers: &[Worker]) -> anyhow::Result<f64> {
    workers.iter().map(Worker::cpu_seconds).sum()
}

/// Returns the number of videos of each process. An identity begins with the id of the process.
fn shares(archivals: &[Archival], pids: &[u32]) -> Vec<usize> {
    let pid = |archival: &Archival| archival.identity.split('@').next()?.parse().ok();
    let count = |own: &u32| archivals.iter().filter(|it| pid(it) == Some(*own)).count();
    pids.iter().map(count).collect()
}

const HEAD: &str = "
| workers | videos of each | MB/s | relative | CPU s/GB |
|---:|---:|---:|---:|---:|
";

pub(super) fn markdown(rows: &[Row]) -> String {
    let base = rows.first().map_or(1.0, |row| row.megabytes_per_second);
    let lines = rows.iter().map(|row| {
        let videos: Vec<_> = row.videos.iter().map(ToString::to_string).collect();
        let speed = row.megabytes_per_second;
        format!(
            "| {} | {} | {speed:.0} | {:.2} | {:.2} |\n",
            row.workers,
            videos.join(", "),
            speed / base,
            row.cpu_seconds_per_gigabyte
        )
    });
    format!("{HEAD}{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_worker_is_known_by_its_process() {
        let archival = |identity: &str| Archival {
            started_at: SystemTime::UNIX_EPOCH,
            completed_at: SystemTime::UNIX_EPOCH,
            identity: identity.into(),
        };
        let archivals = ["12@a", "1@a", "12@a", "13@a"].map(archival);
        assert_eq!(shares(&archivals, &[1, 12, 7]), [1, 2, 0]);
    }
}
