//! One run: starts everything, breaks it, heals it, and checks what is left.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, ensure};
use object_store::{ObjectStore, aws::AmazonS3Builder, local::LocalFileSystem};
use tempfile::TempDir;
use temporalio_client::Client;

use super::{
    TASK_QUEUE,
    accounts::{AccountsFile, Api},
    callers::Callers,
    checker::{self, Archive, Evidence, Report, Row},
    faults::{self, Carried},
    load,
    options::Options,
    parts::{Disk, Links, Parts, Store, Targets, Temporal, Worker, WorkerSettings, free_address},
    plan::{Account, LinkTo, Plan, WORKERS},
    scrapes::Scrapes,
    settle,
    world::{SharedWorld, World},
};
use crate::{
    minio::{BUCKET, PASSWORD, REGION, USER},
    output,
};

/// How long lifecycles may take to close after the last fault, besides the length of the run: retries are later the longer
/// something was broken, and a task that no response showed counts as hidden for ten minutes.
const PATIENCE: Duration = Duration::from_secs(12 * 60);
/// How long the metrics of the last endings may take to be read.
const LAST_SCRAPE: Duration = Duration::from_secs(4);

pub(super) async fn run(options: &Options, seed: u64, plan: Plan) -> anyhow::Result<()> {
    let directory = tempfile::Builder::new()
        .prefix("chaos-")
        .tempdir()
        .context("cannot create a directory")?;
    // Unmounted before the directory is removed.
    let (disk, mounted) = Disk::mount(directory.path()).ok().unzip();
    let result = run_in(options, seed, plan, directory.path(), disk).await;
    drop(mounted);
    let is_met = result.as_ref().is_ok_and(Report::is_met);
    let kept = (!is_met).then(|| keep(directory));
    if let Some(kept) = kept {
        output::print(&format!("logs and data: {}\n", kept.display()))?;
    }
    output::print(&format!(
        "to run it again: {}\n",
        command_line(options, seed)
    ))?;
    let report = result?;
    ensure!(report.is_met(), "a target was missed");
    Ok(())
}

fn keep(directory: TempDir) -> PathBuf {
    directory.keep()
}

fn command_line(options: &Options, seed: u64) -> String {
    let Options {
        videos,
        minutes,
        server,
        ..
    } = options;
    let server = server.name();
    format!("bench chaos --videos {videos} --minutes {minutes} --server {server} --seed {seed}")
}

async fn run_in(
    options: &Options,
    seed: u64,
    plan: Plan,
    directory: &Path,
    disk: Option<Disk>,
) -> anyhow::Result<Report> {
    let world = Arc::new(World::start(seed).await?);
    let (parts, client) = start(options, &world, directory, disk).await?;
    let scrapes = Scrapes::start(&parts.workers)?;
    let callers = Callers::start(client.clone())?;
    let plan = Arc::new(plan);
    let has_other_version = options.other_worker.is_some();
    let (loaded, carried) = tokio::join!(
        load::run(&plan, &world, &parts, &client),
        faults::run(&plan, &world, &parts, has_other_version),
    );
    loaded?;
    let carried = carried?;
    let patience = PATIENCE + options.length();
    settle::wait(&client, &world.tasks(), patience).await?;
    tokio::time::sleep(LAST_SCRAPE).await;
    drop(callers);
    let metrics = scrapes.pages.lock().values().cloned().collect();
    drop(scrapes);
    let runs = checker::histories(&client).await?;
    parts.stop_workers().await;
    clean(options, &parts).await?;
    let evidence = Evidence {
        runs,
        incarnations: incarnations(&parts).await,
        metrics,
        multipart_directory: parts.store.lock().await.data.join(".minio.sys/multipart"),
    };
    let archives = archives(&parts).await?;
    let mut report = checker::check(&world, &archives, &evidence).await?;
    add_circumstances(&mut report, &parts, &carried).await;
    parts.stop_servers().await;
    finish(options, seed, &report, &carried)?;
    Ok(report)
}

/// Starts all parts.
async fn start(
    options: &Options,
    world: &SharedWorld,
    directory: &Path,
    disk: Option<Disk>,
) -> anyhow::Result<(Arc<Parts>, Client)> {
    let server = Temporal::start(options.server, &options.archiver, directory);
    let (mut temporal, database) = server.await?;
    let client = temporal.client().await?;
    let store = Store::start(directory).await?;
    let targets = Targets {
        temporal: temporal.address,
        store: store.address,
        called: world.address(Account::Called)?,
        automatic: world.address(Account::Automatic)?,
    };
    let links = Links::start(&targets, database).await?;
    let mut workers = Vec::new();
    for number in 0..WORKERS {
        let settings = settings(options, world, &links, disk.as_ref(), directory, number)?;
        workers.push(Worker::start(settings)?);
    }
    let parts = Parts::new(workers, temporal, store, disk, links);
    Ok((Arc::new(parts), client))
}

fn settings(
    options: &Options,
    world: &World,
    links: &Links,
    disk: Option<&Disk>,
    directory: &Path,
    number: usize,
) -> anyhow::Result<WorkerSettings> {
    let address = |link| {
        let link = links.get(link).context("no such link")?;
        anyhow::Ok(link.address)
    };
    let mut apis = Vec::new();
    for account in Account::ALL {
        apis.push(Api {
            secrets: world.secrets(account),
            address: address(LinkTo::Api(number, account))?,
        });
    }
    let destination = disk.map(Disk::archive_url).transpose()?;
    Ok(WorkerSettings {
        number,
        program: options.archiver.clone(),
        other_program: options.other_worker.clone(),
        temporal: address(LinkTo::Temporal(number))?,
        store: address(LinkTo::Store(number))?,
        archive_url: Store::archive_url(),
        admin: free_address()?,
        ingress: free_address()?,
        task_queue: TASK_QUEUE,
        accounts: AccountsFile::write(directory, number, &apis, destination.as_deref())?,
        directory: directory.to_owned(),
    })
}

/// Removes what killed workers left behind, as an operator does.
async fn clean(options: &Options, parts: &Parts) -> anyhow::Result<()> {
    let settings = parts.workers[0].lock().await.settings.clone();
    let disk = parts.disk.as_ref().map(Disk::archive_url).transpose()?;
    for archive in [Some(Store::archive_url()), disk].into_iter().flatten() {
        let mut command = settings.tool(&options.archiver)?;
        command
            .args(["clean", "--older-than", "0s", "--remove"])
            .env("SEEDANCE_ARCHIVE_URL", &archive);
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "`clean` of {archive} failed: {error}"
        );
    }
    Ok(())
}

async fn incarnations(parts: &Parts) -> Vec<super::parts::Incarnation> {
    let mut all = Vec::new();
    for worker in &parts.workers {
        all.extend(worker.lock().await.incarnations.clone());
    }
    all
}

/// Returns the archives, not through links.
async fn archives(parts: &Parts) -> anyhow::Result<Vec<Archive>> {
    let endpoint = format!("http://{}", parts.store.lock().await.address);
    let bucket = AmazonS3Builder::new()
        .with_endpoint(endpoint)
        .with_allow_http(true)
        .with_bucket_name(BUCKET)
        .with_region(REGION)
        .with_access_key_id(USER)
        .with_secret_access_key(PASSWORD)
        .build()?;
    let mut archives = vec![Archive {
        name: "bucket",
        store: Arc::new(bucket) as Arc<dyn ObjectStore>,
    }];
    if let Some(disk) = &parts.disk {
        archives.push(Archive {
            name: "disk",
            store: Arc::new(LocalFileSystem::new_with_prefix(disk.archive())?),
        });
    }
    Ok(archives)
}

async fn add_circumstances(report: &mut Report, parts: &Parts, carried: &Carried) {
    let mut exits = 0;
    let mut processes = 0;
    for worker in &parts.workers {
        let worker = worker.lock().await;
        exits += worker.exits();
        processes += worker.incarnations.len();
    }
    report.add(Row::of("faults", carried.happened.len() as u64));
    report.add(Row::of("worker processes", processes as u64));
    report.add(Row::of("workers that exited by themselves", exits as u64));
}

fn finish(options: &Options, seed: u64, report: &Report, carried: &Carried) -> anyhow::Result<()> {
    output::print(&format!("\n{}\n", report.text()))?;
    for skipped in &carried.skipped {
        output::print(&format!("not run: {skipped}\n"))?;
    }
    let json = serde_json::json!({
        "options": options, "seed": seed, "rows": report.rows,
        "faults": carried.happened, "not_run": carried.skipped,
    });
    output::write(&options.out, &serde_json::to_string_pretty(&json)?)
}
