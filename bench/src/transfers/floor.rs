//! The CPU time that no transfer can do without: receiving, TLS, one digest, one copy, and writing or sending.

mod step;
mod table;

pub(super) use table::markdown;

use std::sync::Arc;

use anyhow::Context;
use serde::Serialize;

use super::{
    certificate::Certificate,
    host::{Host, Source},
    options::Options,
    sample::{megabytes_per_second, per_gigabyte},
    store::StoreKind,
    thread,
    video::Video,
};
use crate::output;
use step::{Setup, Step};

/// More bytes change no result.
const MAX_BYTES: u64 = 1 << 30;

/// What a step takes on this machine.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    step: Step,
    cpu_seconds_per_gigabyte: f64,
    megabytes_per_second: f64,
}

/// What a transfer takes at least.
#[derive(Debug, Serialize)]
pub(super) struct Sum {
    pub(super) source: Source,
    pub(super) store: StoreKind,
    pub(super) cpu_seconds_per_gigabyte: f64,
    /// What the archiver takes, if it was measured, in units of the sum.
    pub(super) archiver: Option<f64>,
}

#[derive(Debug, Serialize)]
pub(super) struct Floor {
    lines: Vec<Line>,
    sums: Vec<Sum>,
}

/// Measures all steps. `archiver` returns the CPU seconds a gigabyte of the archiver.
pub(super) async fn run(
    options: &Options,
    archiver: impl Fn(Source, StoreKind) -> Option<f64>,
) -> anyhow::Result<Floor> {
    let directory = tempfile::tempdir().context("cannot create a directory")?;
    let certificate = Certificate::create(directory.path().join("certificate"))?;
    let host = Host::start(&certificate).await?;
    let bytes = options.bytes.min(MAX_BYTES);
    let video = tokio::task::spawn_blocking(move || Arc::new(Video::new(b"", bytes))).await?;
    let setup = Arc::new(Setup {
        bytes: video.size,
        certificate,
        videos: Source::ALL.map(|source| host.serve(source, &video, None)),
        sinks: Source::ALL.map(|source| host.sink(source)),
        file: directory.path().join("file"),
    });
    let mut lines = Vec::new();
    for step in Step::ALL {
        output::print(&format!("floor: {}\n", step.name()))?;
        let setup = setup.clone();
        let bytes = setup.bytes;
        // A thread of its own: the host's threads do not count.
        let measured = tokio::task::spawn_blocking(move || thread::measure(|| step.run(&setup)));
        let measured = measured.await?.with_context(|| step.name())?;
        lines.push(Line {
            step,
            cpu_seconds_per_gigabyte: per_gigabyte(measured.cpu_seconds, bytes),
            megabytes_per_second: megabytes_per_second(bytes, measured.seconds),
        });
    }
    let sums = sums(&lines, archiver);
    Ok(Floor { lines, sums })
}

fn sums(lines: &[Line], archiver: impl Fn(Source, StoreKind) -> Option<f64>) -> Vec<Sum> {
    let stores = [StoreKind::Disk, StoreKind::MinIo, StoreKind::MinIoTls];
    let combinations = stores.map(|store| Source::ALL.map(|source| (source, store)));
    let sums = combinations.into_iter().flatten().map(|(source, store)| {
        let steps = steps(source, store);
        let own = lines.iter().filter(|line| steps.contains(&line.step));
        let sum = own.map(|line| line.cpu_seconds_per_gigabyte).sum();
        Sum {
            source,
            store,
            cpu_seconds_per_gigabyte: sum,
            archiver: archiver(source, store).map(|archiver| archiver / sum),
        }
    });
    sums.collect()
}

/// Returns what a transfer cannot do without.
fn steps(source: Source, store: StoreKind) -> [Step; 4] {
    let receive = match source {
        Source::Http => Step::ReceiveHttp,
        Source::Https => Step::ReceiveHttps,
    };
    let pass_on = match store {
        StoreKind::Disk => Step::WriteFile,
        StoreKind::MinIo => Step::SendHttp,
        StoreKind::MinIoTls => Step::SendHttps,
    };
    [receive, Step::Sha256, Step::Copy, pass_on]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_has_four_steps() {
        let lines: Vec<_> = Step::ALL
            .into_iter()
            .zip(0..)
            .map(|(step, power)| Line {
                step,
                cpu_seconds_per_gigabyte: 10_f64.powi(power),
                megabytes_per_second: 1.0,
            })
            .collect();
        let archiver = |source, store| {
            let is_measured = (source, store) == (Source::Https, StoreKind::Disk);
            is_measured.then_some(20_022.0)
        };
        let sums = sums(&lines, archiver);
        let sum = |source, store| {
            let mut sums = sums.iter();
            let found = sums.find(|it| (it.source, it.store) == (source, store));
            found.map(|it| (it.cpu_seconds_per_gigabyte, it.archiver))
        };
        // In the order of the steps: SHA-256, copy, receive twice, write, send twice.
        let found = sum(Source::Https, StoreKind::Disk);
        assert_eq!(found, Some((11_011.0, Some(20_022.0 / 11_011.0))));
        let found = sum(Source::Http, StoreKind::MinIo);
        assert_eq!(found, Some((100_111.0, None)));
        assert_eq!(sums.len(), 6);
    }
}
