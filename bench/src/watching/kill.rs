//! Kills the worker that watches the account, and measures how lag recovers.

use std::time::{Duration, SystemTime};

use anyhow::{Context, ensure};
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::names::{self, DEFAULT_ACCOUNT, WATCH_ACTIVITY_ID};
use seedance_archiver_workflows::AccountWatcher;
use serde::Serialize;
use temporalio_client::{Client, WorkflowDescribeOptions};

use super::{
    histories::{self, Facts},
    lags::Lags,
    load,
    options::Options,
    run::Bench,
    system::{System, Variant},
};
use crate::output;

const SYSTEM: System = System::Archiver(Variant::Listed);
const WORKERS: usize = 2;
/// Tasks that ended in this time are shown together.
const STEP: Duration = Duration::from_secs(5);
/// How long before and after the kill tasks are observed.
const BEFORE: Duration = Duration::from_secs(30);
const AFTER: Duration = Duration::from_secs(90);
/// How long after that workflows may take to close.
const PATIENCE: Duration = Duration::from_secs(180);
/// Median lag of a watched account.
const MAX_LAG: f64 = 2.0;

/// The tasks that ended in one step.
#[derive(Serialize)]
struct Step {
    /// Start of the step, in seconds after the kill.
    start: f64,
    tasks: usize,
    lag_seconds: Option<Lags>,
}

pub(super) async fn run(options: &Options) -> anyhow::Result<()> {
    let in_flight = options.in_flight.iter().copied().max().unwrap_or(100);
    let mut bench = Bench::start(options, SYSTEM, in_flight, WORKERS).await?;
    tokio::time::sleep(BEFORE).await;
    bench.check()?;
    let watcher = watching_worker(&bench.server.client).await?;
    let is_watcher = |pid: u32| watcher.split('@').next() == Some(pid.to_string().as_str());
    let mut workers = bench.workers.iter_mut();
    let victim = workers.find(|it| is_watcher(it.process.pid()));
    let victim = victim.with_context(|| format!("no worker has the identity {watcher:?}"))?;
    victim.process.kill()?;
    let killed_at = Clock::default().now();
    output::print(&format!("killed {watcher}, {in_flight} in flight\n"))?;
    tokio::time::sleep(AFTER).await;
    let tasks = load::ended_during(&bench.load.tasks()?, killed_at - BEFORE, BEFORE + AFTER);
    let ended = tasks.len();
    let facts = histories::read(&bench.server.client, SYSTEM, tasks, PATIENCE).await?;
    let open = ended - facts.len();
    let steps = steps(&facts, killed_at);
    output::print(&table(&steps))?;
    let recovered = recovered(&steps);
    let seconds = recovered.map_or("not".to_owned(), |it| format!("{it:.0} s after the kill"));
    output::print(&format!(
        "median lag below {MAX_LAG} s again: {seconds}; {open} of {ended} workflows still open\n"
    ))?;
    let json = serde_json::json!({
        "options": options, "server_version": bench.server.version, "in_flight": in_flight,
        "ended": ended, "open": open, "recovered_after_seconds": recovered, "steps": steps,
    });
    output::write(&options.out, &serde_json::to_string_pretty(&json)?)?;
    ensure!(recovered.is_some(), "lag did not recover");
    Ok(())
}

/// Returns the identity of the worker that watches the account.
async fn watching_worker(client: &Client) -> anyhow::Result<String> {
    let id = names::watcher_workflow_id(DEFAULT_ACCOUNT);
    let watcher = client.get_workflow_handle::<AccountWatcher>(id);
    let watcher = watcher.describe(WorkflowDescribeOptions::default());
    let watcher = watcher.await.context("the account has no watcher")?;
    let mut activities = watcher.raw().pending_activities.iter();
    let activity = activities.find(|it| it.activity_id == WATCH_ACTIVITY_ID);
    let activity = activity.context("the watcher has no activity")?;
    Ok(activity.last_worker_identity.clone())
}

fn steps(facts: &[Facts], killed_at: SystemTime) -> Vec<Step> {
    let count = (BEFORE + AFTER).as_secs() / STEP.as_secs();
    let steps = (0..count).map(|index| {
        let start = STEP * u32::try_from(index).unwrap_or(u32::MAX);
        let start_at = killed_at - BEFORE + start;
        let is_inside = |it: &&Facts| start_at <= it.ended_at && it.ended_at < start_at + STEP;
        let lags: Vec<_> = facts.iter().filter(is_inside).map(|it| it.lag).collect();
        Step {
            start: start.as_secs_f64() - BEFORE.as_secs_f64(),
            tasks: lags.len(),
            lag_seconds: Lags::of(lags),
        }
    });
    steps.collect()
}

/// Returns how long after the kill the median lag stays below the maximum, in seconds.
fn recovered(steps: &[Step]) -> Option<f64> {
    let is_late = |step: &Step| step.lag_seconds.is_some_and(|lag| lag.p50 >= MAX_LAG);
    let mut after_kill = steps.iter().filter(|step| step.start >= 0.0);
    let last_late = after_kill.rfind(|step| is_late(step));
    let end = last_late.map_or(0.0, |step| step.start + STEP.as_secs_f64());
    steps.iter().any(|step| step.start >= end).then_some(end)
}

fn table(steps: &[Step]) -> String {
    let mut table =
        "\n| ended after the kill | tasks | lag p50 | mean | p95 |\n|---|---|---|---|---|\n"
            .to_owned();
    for step in steps {
        let lag = |part: fn(&Lags) -> f64| {
            let lag = step.lag_seconds.as_ref().map(part);
            lag.map_or("-".to_owned(), |lag| format!("{lag:.1} s"))
        };
        let lags = [lag(|it| it.p50), lag(|it| it.mean), lag(|it| it.p95)].join(" | ");
        table += &format!("| {:.0} s | {} | {lags} |\n", step.start, step.tasks);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_has_recovered_after_the_last_late_step() {
        let steps = |lags: &[f64]| {
            let steps = lags.iter().enumerate().map(|(index, lag)| Step {
                start: 5.0 * (index as f64 - 1.0),
                tasks: 1,
                lag_seconds: Lags::of([*lag]),
            });
            steps.collect::<Vec<_>>()
        };
        assert_eq!(
            recovered(&steps(&[9.0, 1.0, 8.0, 4.0, 1.0, 1.0])),
            Some(15.0)
        );
        assert_eq!(recovered(&steps(&[1.0, 1.0, 1.0])), Some(0.0));
        assert_eq!(recovered(&steps(&[1.0, 1.0, 9.0])), None);
    }
}
