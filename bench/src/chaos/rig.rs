//! What a run starts: APIs, servers, workers and callers; what happens to them, and what is left.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use object_store::{ObjectStore, aws::AmazonS3Builder, local::LocalFileSystem};
use seedance_archiver_clock::Clock;
use temporalio_client::Client;

use super::{
    accounts::{AccountsFile, Api},
    callers::Callers,
    checker::{self, Archive, Evidence, Places, Report, Row},
    cleaning, crowd,
    faults::{self, Carried},
    load,
    parts::{
        Disk, Disks, Exit, Incarnation, Links, Parts, Store, Targets, Temporal, Worker,
        WorkerSettings,
    },
    pending::PendingActivities,
    plan::{Account, LinkTo, Plan, WORKERS},
    scrapes::Scrapes,
    settle,
    world::{SharedWorld, World},
};
use crate::{
    free_address::free_address,
    minio::{BUCKET, PASSWORD, REGION, USER},
    server::ServerKind,
};

/// How long lifecycles may take to close after the last fault, besides the length of the run: retries are later the longer
/// something was broken. If no response showed a task, its watched lifecycle polls after ten minutes, and the task then
/// counts as hidden for ten more.
const PATIENCE: Duration = Duration::from_secs(22 * 60);
/// How long the metrics of the last endings may take to be read.
const LAST_SCRAPE: Duration = Duration::from_secs(4);

/// What differs between runs.
pub(super) struct Setup<'a> {
    pub(super) seed: u64,
    pub(super) server: ServerKind,
    pub(super) archiver: &'a Path,
    /// Another version of the program, with which workers are restarted.
    pub(super) other_worker: Option<&'a Path>,
    /// How long videos are created and parts break.
    pub(super) length: Duration,
}

/// Everything that runs.
pub(super) struct Rig<'a> {
    setup: Setup<'a>,
    world: SharedWorld,
    pub(super) parts: Arc<Parts>,
    client: Client,
    /// The client of the callers, which has a link.
    callers_client: Client,
    pub(super) scrapes: Scrapes,
    pending: PendingActivities,
    callers: Callers,
}

impl<'a> Rig<'a> {
    pub(super) async fn start(
        setup: Setup<'a>,
        directory: &Path,
        disks: Disks,
    ) -> anyhow::Result<Self> {
        let world = Arc::new(World::start(setup.seed).await?);
        let (parts, client) = start_parts(&setup, &world, directory, disks).await?;
        let link = parts.links.get(LinkTo::Callers).context("no such link")?;
        let mut temporal = parts.temporal.lock().await;
        let callers_client = temporal.client_at(link.address).await?;
        drop(temporal);
        Ok(Self {
            scrapes: Scrapes::start(&parts.workers)?,
            pending: PendingActivities::start(client.clone()),
            callers: Callers::start(callers_client.clone())?,
            setup,
            world,
            parts,
            client,
            callers_client,
        })
    }

    /// Creates the videos of a plan and carries out its faults. Afterwards, everything is healed.
    pub(super) async fn carry_out(&self, mut plan: Plan) -> anyhow::Result<Carried> {
        let has_other_version = self.setup.other_worker.is_some();
        let mut carried = faults::possible(plan.faults, &self.parts, has_other_version).await;
        // Nothing may be excused by a fault that does not happen.
        plan.faults = carried.happened.clone();
        let plan = Arc::new(plan);
        let (loaded, faults) = tokio::join!(
            load::run(&plan, &self.world, &self.parts, &self.callers_client),
            faults::run(&plan, &self.world, &self.parts),
        );
        loaded?;
        carried.periods = faults?;
        carried.ended_at = Some(Clock::default().now());
        Ok(carried)
    }

    /// Waits until all lifecycles have closed, or for as long as they may take.
    pub(super) async fn settle(&self) -> anyhow::Result<()> {
        let patience = PATIENCE + self.setup.length;
        settle::wait(&self.client, &self.world.tasks(), patience).await?;
        tokio::time::sleep(LAST_SCRAPE).await;
        Ok(())
    }

    /// Lets a crowd ask for a task, so that the rate limits matter, if the run is long enough for that. Nothing may be broken.
    /// Returns a row for the report.
    pub(super) async fn meet_crowd(&self) -> Option<Row> {
        match crowd::is_in_run_of(self.setup.length) {
            true => Some(crowd::run(&self.callers_client, &self.world).await),
            false => None,
        }
    }

    /// Stops everything, and checks what is left.
    pub(super) async fn check(self, carried: &Carried) -> anyhow::Result<Report> {
        let parts = &self.parts;
        drop(self.callers);
        let metrics = self.scrapes.pages.lock().values().cloned().collect();
        drop(self.scrapes);
        let runs = checker::histories(&self.client).await?;
        parts.stop_workers().await;
        let archives = archives(parts).await?;
        cleaning::plant(&archives).await?;
        let printed_by_clean = cleaning::clean(self.setup.archiver, parts).await?;
        let evidence = Evidence {
            runs,
            incarnations: incarnations(parts).await,
            exits: exits(parts).await,
            faults: carried.happened.clone(),
            periods: carried.periods.clone(),
            ended_at: carried.ended_at,
            metrics,
            printed_by_clean,
            multipart_directory: parts.store.lock().await.data.join(".minio.sys/multipart"),
        };
        let places = Places {
            directory: parts.workers[0].lock().await.settings.directory.clone(),
            bucket: parts.store.lock().await.data.join(BUCKET),
            pending: self.pending.stop(),
        };
        let checked = checker::check(&self.world, &archives, &evidence, &places, &parts.links);
        let mut report = checked.await?;
        add_circumstances(&mut report, &evidence, carried);
        parts.stop_servers().await;
        Ok(report)
    }
}

/// Starts all parts.
async fn start_parts(
    setup: &Setup<'_>,
    world: &SharedWorld,
    directory: &Path,
    disks: Disks,
) -> anyhow::Result<(Arc<Parts>, Client)> {
    let server = Temporal::start(setup.server, setup.archiver, directory);
    let (mut temporal, database) = server.await?;
    let client = temporal.client().await?;
    let store = Store::start(directory).await?;
    let targets = Targets {
        temporal: temporal.address,
        store: store.address,
        apis: world.addresses()?,
        ingress: free_addresses()?,
    };
    let links = Links::start(&targets, database).await?;
    let mut workers = Vec::new();
    for (number, ingress) in targets.ingress.into_iter().enumerate() {
        let disk = disks.archive.as_ref();
        let settings = worker_settings(setup, world, &links, disk, directory, number, ingress)?;
        workers.push(Worker::start(settings)?);
    }
    let parts = Parts::new(workers, temporal, store, disks, links);
    Ok((Arc::new(parts), client))
}

fn worker_settings(
    setup: &Setup<'_>,
    world: &World,
    links: &Links,
    disk: Option<&Disk>,
    directory: &Path,
    number: usize,
    ingress: SocketAddr,
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
    let destination = disk.map(Disk::url).transpose()?;
    Ok(WorkerSettings {
        number,
        program: setup.archiver.to_owned(),
        other_program: setup.other_worker.map(Path::to_owned),
        temporal: address(LinkTo::Temporal(number))?,
        store: address(LinkTo::Store(number))?,
        archive_url: Store::archive_url(),
        admin: free_address()?,
        ingress,
        accounts: AccountsFile::write(directory, number, &apis, destination.as_deref())?,
        directory: directory.to_owned(),
    })
}

/// Returns a free address for each worker.
fn free_addresses() -> anyhow::Result<[SocketAddr; WORKERS]> {
    let mut addresses = [SocketAddr::from(([127, 0, 0, 1], 0)); WORKERS];
    for address in &mut addresses {
        *address = free_address()?;
    }
    Ok(addresses)
}

async fn incarnations(parts: &Parts) -> Vec<Incarnation> {
    let mut all = Vec::new();
    for worker in &parts.workers {
        all.extend(worker.lock().await.incarnations.clone());
    }
    all
}

async fn exits(parts: &Parts) -> Vec<Exit> {
    let mut all = Vec::new();
    for worker in &parts.workers {
        all.extend_from_slice(worker.lock().await.exits());
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
        name: Archive::BUCKET,
        prefix: Store::PREFIX,
        store: Arc::new(bucket) as Arc<dyn ObjectStore>,
        directory: None,
    }];
    if let Some(disk) = &parts.disks.archive {
        archives.push(Archive {
            name: Archive::DISK,
            prefix: "",
            store: Arc::new(LocalFileSystem::new_with_prefix(&disk.directory)?),
            directory: Some(disk.directory.clone()),
        });
    }
    Ok(archives)
}

fn add_circumstances(report: &mut Report, evidence: &Evidence, carried: &Carried) {
    for (name, count) in [
        ("faults", evidence.faults.len()),
        (
            "kinds of faults, and other parts of a run, that were not run",
            carried.not_run.values().map(Vec::len).sum(),
        ),
        ("worker processes", evidence.incarnations.len()),
        ("workers that exited by themselves", evidence.exits.len()),
    ] {
        report.add(Row::of(name, count as u64));
    }
}
