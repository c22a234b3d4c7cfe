//! One video at a time, with each tool in turn.

mod row;
mod table;

pub(super) use row::{Row, Tool};
pub(super) use table::markdown;

use std::{fs::File, path::PathBuf, process::Command, sync::Arc, time::Instant};

use super::{
    archival,
    options::Options,
    sample::Sample,
    store::{Store, StoreKind},
    testbed::{Testbed, Worker},
    thread, tool, tools,
    video::Video,
};
use crate::output;

/// A store, and the worker that archives to it.
struct Lane {
    // The worker stops before its store.
    worker: Worker,
    store: Store,
    task_queue: String,
}

/// Measures all rows as often as asked for. `save` is called after each run.
pub(super) async fn run(
    options: &Options,
    mut save: impl FnMut(&[Row]) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<Row>> {
    let bed = Testbed::start(&options.archiver).await?;
    let video = bed.video(options.bytes).await?;
    let lanes = [
        start_lane(&bed, StoreKind::Disk).await,
        start_lane(&bed, StoreKind::MinIo).await,
        start_lane(&bed, StoreKind::MinIoTls).await,
    ];
    let mut rows = row::all();
    for number in 1..=options.runs {
        output::print(&format!("one: run {number} of {}\n", options.runs))?;
        for row in &mut rows {
            let lane = &lanes[row.store as usize];
            match lane {
                Ok(lane) => match measure(&bed, lane, row, &video).await {
                    Ok(sample) => row.add(sample),
                    Err(error) => row.add_error(&error),
                },
                Err(error) => row.add_error(error),
            }
        }
        save(&rows)?;
    }
    Ok(rows)
}

async fn start_lane(bed: &Testbed, kind: StoreKind) -> anyhow::Result<Lane> {
    let store = bed.start_store(kind).await?;
    let task_queue = format!("one-{}", kind.id());
    let worker = bed.start_worker(&store, &task_queue, &task_queue).await?;
    Ok(Lane {
        worker,
        store,
        task_queue,
    })
}

async fn measure(
    bed: &Testbed,
    lane: &Lane,
    row: &Row,
    video: &Arc<Video>,
) -> anyhow::Result<Sample> {
    let url = bed.host.serve(row.source, video, None);
    let store_cpu = lane.store.cpu_seconds();
    let sample = match row.tool {
        Tool::Archiver => archive(bed, lane, url).await,
        tool => run_tool(bed, &lane.store, tool, &url).await,
    };
    let store_cpu_seconds = store_cpu.zip(lane.store.cpu_seconds());
    let checked = match sample {
        Ok(_) => lane.store.check(1, video.size).await,
        Err(_) => Ok(()),
    };
    // What a failed transfer left behind must not disturb the next one.
    lane.store.clear().await?;
    checked?;
    Ok(Sample {
        store_cpu_seconds: store_cpu_seconds.map(|(before, after)| after - before),
        ..sample?
    })
}

async fn archive(bed: &Testbed, lane: &Lane, url: String) -> anyhow::Result<Sample> {
    let task_id = bed.create_task(url);
    let worker = &lane.worker;
    worker.reset_peak()?;
    let cpu = worker.cpu_seconds()?;
    let archival = archival::archive(&bed.server.client, &lane.task_queue, &task_id).await?;
    Ok(Sample {
        seconds: archival.seconds(),
        cpu_seconds: worker.cpu_seconds()? - cpu,
        peak_bytes: worker.peak_above_idle()?,
        store_cpu_seconds: None,
    })
}

async fn run_tool(bed: &Testbed, store: &Store, tool: Tool, url: &str) -> anyhow::Result<Sample> {
    let start = Instant::now();
    let mut sample = tool::run(commands(bed, store, tool, url)?, bed.directory()).await?;
    if store.kind == StoreKind::Disk {
        sample.cpu_seconds += sync(store.file()).await?;
        sample.seconds = start.elapsed().as_secs_f64();
    }
    Ok(sample)
}

/// Waits until a file is on the disk, as the archiver does. Returns the CPU time that this takes.
async fn sync(file: PathBuf) -> anyhow::Result<f64> {
    let sync = move || Ok(File::open(file)?.sync_all()?);
    let measured = tokio::task::spawn_blocking(|| thread::measure(sync)).await?;
    Ok(measured?.cpu_seconds)
}

fn commands(bed: &Testbed, store: &Store, tool: Tool, url: &str) -> anyhow::Result<Vec<Command>> {
    let certificate = &bed.certificate;
    Ok(match tool {
        Tool::Archiver => Vec::new(),
        Tool::Curl => {
            let mut curl = tools::curl(certificate)?;
            curl.arg("-o").arg(store.file()).arg(url);
            vec![curl]
        }
        Tool::RcloneCopyurl => vec![tools::rclone_copyurl(certificate, store, url)?],
        Tool::CurlIntoRclone => {
            let mut curl = tools::curl(certificate)?;
            curl.arg(url);
            vec![curl, tools::rclone_rcat(certificate, store)?]
        }
    })
}
