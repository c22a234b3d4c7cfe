//! Many videos at once on one worker, without and with slow sources.

use std::time::SystemTime;

use anyhow::Context;
use serde::Serialize;

use super::{
    archival::{self, since},
    host::Source,
    options::Options,
    sample::{cell, mebibytes, median, megabytes_per_second, per_gigabyte},
    store::StoreKind,
    testbed::Testbed,
};
use crate::output;

pub(super) const VIDEOS: usize = 32;
pub(super) const MAX_BYTES: u64 = 64 << 20;
/// One source of so many is slow.
const SLOW_EVERY: usize = 4;
/// How long a slow source takes, in seconds: longer than all others together.
const SLOW_SECONDS: u64 = 60;

/// Videos that were archived at the same time.
#[derive(Debug, Serialize)]
pub(super) struct Batch {
    fast: usize,
    slow: usize,
    /// From the start of the first transfer until those from fast sources completed, in seconds.
    fast_seconds: Spread,
    /// Until all completed.
    seconds: f64,
    peak_bytes_above_idle: u64,
    cpu_seconds_per_gigabyte: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Spread {
    min: f64,
    median: f64,
    max: f64,
}

impl Spread {
    fn of(values: &[f64]) -> Option<Self> {
        Some(Self {
            min: values.iter().copied().reduce(f64::min)?,
            median: median(values.iter().copied())?,
            max: values.iter().copied().reduce(f64::max)?,
        })
    }
}

/// Returns the batch without slow sources, and the one with them.
pub(super) async fn run(options: &Options) -> anyhow::Result<[Batch; 2]> {
    let bed = Testbed::start(&options.archiver).await?;
    let is_slow = |number: usize| number % SLOW_EVERY == SLOW_EVERY - 1;
    let fast: Vec<_> = (0..VIDEOS)
        .filter(|it| !is_slow(*it))
        .map(|_| false)
        .collect();
    let mixed: Vec<_> = (0..VIDEOS).map(is_slow).collect();
    let bytes = options.bytes.min(MAX_BYTES);
    Ok([
        batch(&bed, "many-fast", &fast, bytes).await?,
        batch(&bed, "many-mixed", &mixed, bytes).await?,
    ])
}

/// Archives a video for each element, from a slow source if it is true.
async fn batch(bed: &Testbed, name: &str, is_slow: &[bool], bytes: u64) -> anyhow::Result<Batch> {
    let slow = is_slow.iter().filter(|it| **it).count();
    output::print(&format!("many: {} videos, {slow} slow\n", is_slow.len()))?;
    let video = bed.video(bytes).await?;
    let store = bed.start_store(StoreKind::MinIo).await?;
    let worker = bed.start_worker(&store, name, name).await?;
    let rate = video.size / SLOW_SECONDS;
    let tasks = is_slow.iter().map(|is_slow| {
        let rate = is_slow.then_some(rate);
        bed.create_task(bed.host.serve(Source::Https, &video, rate))
    });
    let tasks: Vec<_> = tasks.collect();
    worker.reset_peak()?;
    let cpu = worker.cpu_seconds()?;
    let client = &bed.server.client;
    let archivals = archival::archive_all(client, name, &tasks).await?;
    let cpu = worker.cpu_seconds()? - cpu;
    let peak_bytes_above_idle = worker.peak_above_idle()?;
    store.check(is_slow.len(), video.size).await?;
    store.clear().await?;
    let first = archivals.iter().map(|it| it.started_at).min();
    let first = first.context("no video was archived")?;
    let after = |end: SystemTime| since(first, end).as_secs_f64();
    let ends = archivals.iter().map(|it| after(it.completed_at));
    let ends: Vec<_> = ends.zip(is_slow).collect();
    let fast: Vec<_> = ends.iter().filter(|it| !*it.1).map(|it| it.0).collect();
    Ok(Batch {
        fast: fast.len(),
        slow,
        fast_seconds: Spread::of(&fast).context("no source was fast")?,
        seconds: ends.iter().map(|it| it.0).fold(0.0, f64::max),
        peak_bytes_above_idle,
        cpu_seconds_per_gigabyte: per_gigabyte(cpu, video.size * is_slow.len() as u64),
    })
}

const HEAD: &str = "
| fast | slow | fast ones done after min / median / max, s | relative | MB/s of the fast ones | memory above idle, MiB | CPU s/GB |
|---:|---:|---:|---:|---:|---:|---:|
";

pub(super) fn markdown(batches: &[Batch; 2], bytes: u64) -> String {
    let bytes = bytes.min(MAX_BYTES);
    let base = batches[0].fast_seconds;
    let lines = batches.iter().map(|batch| {
        let Spread { min, median, max } = batch.fast_seconds;
        let relative = [min / base.min, median / base.median, max / base.max];
        let relative = relative.map(|it| format!("{it:.2}")).join(" / ");
        let speed = megabytes_per_second(bytes * batch.fast as u64, max);
        format!(
            "| {} | {} | {min:.1} / {median:.1} / {max:.1} | {relative} | {speed:.0} | {:.0} | {} |\n",
            batch.fast,
            batch.slow,
            mebibytes(batch.peak_bytes_above_idle),
            cell(Some(batch.cpu_seconds_per_gigabyte), 2),
        )
    });
    format!("{HEAD}{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_the_first_and_the_last() {
        let expected = Spread {
            min: 1.0,
            median: 2.0,
            max: 9.0,
        };
        assert_eq!(Spread::of(&[2.0, 9.0, 1.0]), Some(expected));
        assert_eq!(Spread::of(&[]), None);
    }
}
