//! Carries out the planned faults.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, SystemTime},
};

use seedance_archiver_clock::Clock;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    link::Mode,
    parts::{Disk, Parts, can_set_clock},
    plan::{self, Account, Answer, Change, Fault, Kind, LinkTo, ListAnswer, Plan},
    windows::MAX_CLOCK_ERROR,
    world::SharedWorld,
};
use crate::output;

/// What happened to the planned faults.
#[derive(Default)]
pub(super) struct Carried {
    /// The faults that happened.
    pub(super) happened: Vec<Fault>,
    /// When they happened.
    pub(super) periods: Vec<Period>,
    /// What did not happen, by the reason: names of kinds of faults and of other parts of a run.
    pub(super) not_run: BTreeMap<&'static str, Vec<String>>,
    /// When the last one had ended, and the last video was created.
    pub(super) ended_at: Option<SystemTime>,
}

impl Carried {
    /// Returns the names of the faults that happened.
    pub(super) fn names(&self) -> Vec<String> {
        let kinds = self.happened.iter().map(|fault| &fault.kind);
        kinds.map(Kind::name).collect()
    }

    pub(super) fn add_not_run(&mut self, why: &'static str, name: String) {
        self.not_run.entry(why).or_default().push(name);
    }
}

/// When a fault happened.
#[derive(Clone, Debug)]
pub(super) struct Period {
    pub(super) kind: Kind,
    pub(super) began_at: SystemTime,
    pub(super) ended_at: SystemTime,
}

impl Period {
    /// Returns whether the fault lasted at a time, or had ended no longer than `aftermath` before.
    pub(super) fn explains(&self, at: SystemTime, aftermath: Duration) -> bool {
        self.began_at <= at && at <= self.ended_at + aftermath
    }
}

/// Returns the planned faults that can happen here, and why every other kind does not.
pub(super) async fn possible(
    faults: Vec<Fault>,
    parts: &Parts,
    has_other_version: bool,
) -> Carried {
    let mut possible = Carried::default();
    for fault in faults {
        if impossible(&fault.kind, parts, has_other_version)
            .await
            .is_none()
        {
            possible.happened.push(fault);
        }
    }
    let happened: BTreeSet<_> = possible.names().into_iter().collect();
    for kind in plan::all_kinds() {
        let name = kind.name();
        if !happened.contains(&name) {
            let why = impossible(&kind, parts, has_other_version).await;
            possible.add_not_run(why.unwrap_or("the plan has none"), name);
        }
    }
    possible
}

/// Carries out all faults at their times, and returns when each happened. Afterwards, every part runs and every link is
/// open.
pub(super) async fn run(
    plan: &Plan,
    world: &SharedWorld,
    parts: &Arc<Parts>,
) -> anyhow::Result<Vec<Period>> {
    let start = Instant::now();
    let mut running = JoinSet::new();
    for fault in plan.faults.clone() {
        let (world, parts) = (world.clone(), parts.clone());
        running.spawn(async move {
            sleep_until(start + fault.at).await;
            carry_out(&fault, start, &world, &parts).await
        });
    }
    let mut periods = Vec::new();
    while let Some(result) = running.join_next().await {
        periods.extend(result??);
    }
    Ok(periods)
}

/// Returns why a fault cannot happen here, or `None` if it can.
async fn impossible(kind: &Kind, parts: &Parts, has_other_version: bool) -> Option<&'static str> {
    let has_database = parts.temporal.lock().await.database.is_some();
    match kind {
        Kind::KillDatabase
        | Kind::Cut(LinkTo::Database)
        | Kind::Slow(LinkTo::Database)
        | Kind::HalfOpen(LinkTo::Database) => {
            (!has_database).then_some("the dev server has its database in a file")
        }
        Kind::FullDisk => parts
            .disks
            .archive
            .is_none()
            .then_some("no small disk: it needs root, and version 0.1.0 cannot archive there"),
        Kind::FullStore => parts
            .disks
            .store
            .is_none()
            .then_some("no small disk of MinIO: it needs root, and a soak has none"),
        Kind::RestartWorker(_, Change::Version) => {
            (!has_other_version).then_some("no --other-worker")
        }
        Kind::RestartWorker(_, Change::ClockAhead | Change::ClockBehind) => {
            (!can_set_clock()).then_some("libfaketime is not installed")
        }
        _ => None,
    }
}

async fn carry_out(
    fault: &Fault,
    start: Instant,
    world: &SharedWorld,
    parts: &Parts,
) -> anyhow::Result<Vec<Period>> {
    let at = start.elapsed().as_secs_f64();
    let lasts = fault.lasts.as_secs_f64();
    output::print(&format!("{at:6.1} s  {:?} for {lasts:.1} s\n", fault.kind))?;
    let clock = Clock::default();
    let begins_at = clock.now();
    begin(&fault.kind, world, parts).await?;
    let begun_at = clock.now();
    // Not later because the beginning took long: the next fault of the same part may be about to begin.
    sleep_until(start + fault.at + fault.lasts).await;
    let ends_at = clock.now();
    end(&fault.kind, world, parts).await?;
    let times = [begins_at, begun_at, ends_at, clock.now()];
    Ok(periods(&fault.kind, times))
}

/// Returns when a fault kept its part from working: of a worker with a change, only when it was restarted. `times`: when the
/// fault began, and when that was done, and the same of its end.
fn periods(kind: &Kind, times: [SystemTime; 4]) -> Vec<Period> {
    let [begins_at, begun_at, ends_at, ended_at] = times;
    let spans = match kind {
        Kind::RestartWorker(..) => vec![(begins_at, begun_at), (ends_at, ended_at)],
        _ => vec![(begins_at, ended_at)],
    };
    let period = |(began_at, ended_at)| Period {
        kind: kind.clone(),
        began_at,
        ended_at,
    };
    spans.into_iter().map(period).collect()
}

async fn begin(kind: &Kind, world: &SharedWorld, parts: &Parts) -> anyhow::Result<()> {
    match kind {
        Kind::KillWorker(worker) => parts.workers[*worker].lock().await.kill(),
        Kind::StopWorker(worker) => {
            parts.workers[*worker].lock().await.freeze();
            Ok(())
        }
        Kind::RestartWorker(worker, change) => restart(parts, *worker, Some(*change)).await,
        Kind::KillTemporal => parts.temporal.lock().await.server.kill(),
        Kind::KillDatabase => match &mut parts.temporal.lock().await.database {
            Some(database) => database.kill(),
            None => Ok(()),
        },
        Kind::KillStore => parts.store.lock().await.part.kill(),
        Kind::KillEverything => kill_everything(parts).await,
        Kind::Cut(link) => set_link(parts, *link, Mode::Cut),
        Kind::Slow(link) => set_link(parts, *link, Mode::Slow),
        Kind::HalfOpen(link) => set_link(parts, *link, Mode::HalfOpen),
        Kind::FullDisk => fill(parts.disks.archive.as_ref()).await,
        Kind::FullStore => fill(parts.disks.store.as_ref()).await,
        Kind::Answer(account, answer) => {
            set_answer(world, *account, Some(*answer));
            Ok(())
        }
        Kind::List(account, answer) => {
            set_list_answer(world, *account, Some(*answer));
            Ok(())
        }
    }
}

async fn end(kind: &Kind, world: &SharedWorld, parts: &Parts) -> anyhow::Result<()> {
    match kind {
        Kind::KillWorker(worker) => parts.workers[*worker].lock().await.start_again(),
        Kind::StopWorker(worker) => {
            parts.workers[*worker].lock().await.thaw();
            Ok(())
        }
        Kind::RestartWorker(worker, _) => restart(parts, *worker, None).await,
        Kind::KillTemporal => parts.temporal.lock().await.server.start(),
        Kind::KillDatabase => match &mut parts.temporal.lock().await.database {
            Some(database) => database.start(),
            None => Ok(()),
        },
        Kind::KillStore => parts.store.lock().await.part.start(),
        Kind::KillEverything => start_everything(parts).await,
        Kind::Cut(link) | Kind::Slow(link) | Kind::HalfOpen(link) => {
            set_link(parts, *link, Mode::Open)
        }
        Kind::FullDisk => free(parts.disks.archive.as_ref()),
        Kind::FullStore => free(parts.disks.store.as_ref()),
        Kind::Answer(account, _) => {
            set_answer(world, *account, None);
            Ok(())
        }
        Kind::List(account, _) => {
            set_list_answer(world, *account, None);
            Ok(())
        }
    }
}

/// Restarts a worker as an orchestrator does, with a change.
async fn restart(parts: &Parts, worker: usize, change: Option<Change>) -> anyhow::Result<()> {
    let mut worker = parts.workers[worker].clone().lock_owned().await;
    // Waiting for the process would block other faults.
    tokio::task::spawn_blocking(move || {
        worker.set_change(change);
        worker.stop();
        worker.start_again()
    })
    .await?
}

async fn kill_everything(parts: &Parts) -> anyhow::Result<()> {
    let mut temporal = parts.temporal.lock().await;
    temporal.server.kill()?;
    if let Some(database) = &mut temporal.database {
        database.kill()?;
    }
    parts.store.lock().await.part.kill()?;
    for worker in &parts.workers {
        worker.lock().await.kill()?;
    }
    Ok(())
}

async fn start_everything(parts: &Parts) -> anyhow::Result<()> {
    let mut temporal = parts.temporal.lock().await;
    if let Some(database) = &mut temporal.database {
        database.start()?;
    }
    temporal.server.start()?;
    parts.store.lock().await.part.start()?;
    for worker in &parts.workers {
        worker.lock().await.start_again()?;
    }
    Ok(())
}

async fn fill(disk: Option<&Disk>) -> anyhow::Result<()> {
    match disk {
        Some(disk) => disk.fill().await,
        None => Ok(()),
    }
}

fn free(disk: Option<&Disk>) -> anyhow::Result<()> {
    disk.map_or(Ok(()), Disk::empty)
}

fn set_link(parts: &Parts, link: LinkTo, mode: Mode) -> anyhow::Result<()> {
    if let Some(link) = parts.links.get(link) {
        link.set(mode);
    }
    Ok(())
}

fn set_answer(world: &SharedWorld, account: Account, answer: Option<Answer>) {
    let simulator = world.simulator(account);
    match answer {
        Some(Answer::Fault(fault)) => simulator.set_fault(Some(fault)),
        Some(Answer::Date) => simulator.set_date(Some(wrong_date())),
        None => {
            simulator.set_fault(None);
            simulator.set_date(None);
        }
    }
}

fn wrong_date() -> SystemTime {
    Clock::default().now() + MAX_CLOCK_ERROR
}

fn set_list_answer(world: &SharedWorld, account: Account, answer: Option<ListAnswer>) {
    let simulator = world.simulator(account);
    match answer {
        Some(ListAnswer::Fault(fault)) => simulator.set_list_fault(Some(fault)),
        Some(ListAnswer::Dialect(dialect)) => simulator.set_list_dialect(Some(dialect)),
        None => {
            simulator.set_list_fault(None);
            simulator.set_list_dialect(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_with_a_change_is_disturbed_only_when_it_is_restarted() {
        let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let times = [10, 12, 80, 83].map(at);
        let of = |kind: Kind| {
            let periods = periods(&kind, times).into_iter();
            let spans = periods.map(|it| (it.began_at, it.ended_at));
            spans.collect::<Vec<_>>()
        };
        let restarts = [(at(10), at(12)), (at(80), at(83))];
        assert_eq!(of(Kind::RestartWorker(1, Change::ClockAhead)), restarts);
        assert_eq!(of(Kind::StopWorker(1)), [(at(10), at(83))]);
    }
}
