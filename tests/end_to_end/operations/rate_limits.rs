//! The rate limits of an account, which all workers share.

use std::sync::Arc;

use anyhow::ensure;
use seedance_archiver::{config::Account, seedance::RateLimit};
use seedance_archiver_proto::names::failure;
use seedance_archiver_simulator::{Builder, Fault, Script};
use temporalio_client::WorkflowFetchHistoryOptions;
use temporalio_common::protos::temporal::api::{
    failure::v1::failure::FailureInfo, history::v1::HistoryEvent,
};

use crate::harness::{
    Fixture, HOUR, Server,
    attempts::last_failure,
    register,
    sweeps::{self, spawn_worker},
    until,
};

/// Queries a second that the account of the test is allowed.
const QUERIES_PER_SECOND: f64 = 6.0;
/// Queries after which three workers that do not share the limit would have exceeded it: the simulator tolerates a
/// burst of a minute's worth, because a busy machine delays requests.
const QUERIES: u64 = 650;

async fn three_workers_together_stay_within_the_rate_limit(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let account = server.unique_name("shared");
    let simulator = |simulator: Builder| simulator.query_rate(QUERIES_PER_SECOND);
    let name = |it: &mut Account| it.endpoint.account = account.clone();
    let fixture = Fixture::with(&server, simulator, name).await?;
    // The watcher of the account then queries the tasks, too.
    fixture.simulator.set_list_fault(Some(Fault::Unavailable));
    let limits = format!("limits = {{ queries_per_second = {QUERIES_PER_SECOND} }}");
    let workers: Vec<_> = (0..3)
        .map(|_| spawn_worker(&fixture, &server, &account, &limits))
        .collect::<Result<_, _>>()?;
    let ids: Vec<_> = (0..100)
        .map(|_| {
            fixture.simulator.create(Script {
                queued: Some(HOUR),
                ..Script::default()
            })
        })
        .collect();
    for id in &ids {
        sweeps::start_lifecycle(&fixture, &server, &account, id).await?;
    }
    let queries = || {
        let queries = ids.iter().map(|id| fixture.simulator.stats(id).queries);
        queries.sum::<u64>()
    };
    until("the tasks were polled many times", || queries() >= QUERIES).await?;
    let misuse = fixture.simulator.misuse();
    ensure!(misuse.above_rate == 0, "{misuse:?}");
    drop(workers);
    Ok(())
}
register!(
    three_workers_together_stay_within_the_rate_limit,
    takes_long
);

/// A list request waits for longer than any timeout of a request.
async fn a_sweep_waits_for_the_rate_limit_within_one_attempt(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let (fixture, account) = sweeps::fixture(&server, |_| {}).await?;
    fixture.simulator.create(Script::default());
    let limits = "limits = { lists_per_second = 0.08 }";
    let _workers = [
        spawn_worker(&fixture, &server, &account, limits)?,
        spawn_worker(&fixture, &server, &account, limits)?,
    ];
    let swept = sweeps::run(&fixture, &server, &account).await?;
    ensure!(swept.listed == 1 && swept.started == 1, "{swept:?}");
    let handle = sweeps::handle(&server, &account);
    let history = handle.fetch_history(WorkflowFetchHistoryOptions::default());
    // An attempt that did not wait would fail for this reason. One whose wait is not part of its heartbeat would never end.
    ensure_none_was_throttled(&history.into_events().await?)
}
register!(
    a_sweep_waits_for_the_rate_limit_within_one_attempt,
    takes_long
);

/// The query window may close before the next attempt.
async fn a_transfer_waits_for_the_rate_limit_to_ask_for_another_url(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    // The poll takes a turn, and the next one is later than a poll waits for.
    let rarely = RateLimit::per_second(0.2);
    let set_limit = |account: &mut Account| account.endpoint.query_limit = rarely;
    let fixture = Fixture::with_account(&server, set_limit).await?;
    let id = fixture.simulator.create(Script {
        dead_urls: 1,
        ..Script::default()
    });
    let result = fixture.run_lifecycle(&server, &id).await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let history = server
        .lifecycle(&id)
        .fetch_history(WorkflowFetchHistoryOptions::default());
    ensure_none_was_throttled(&history.into_events().await?)
}
register!(a_transfer_waits_for_the_rate_limit_to_ask_for_another_url);

/// Checks that no attempt of an activity failed because the rate limit was used up.
fn ensure_none_was_throttled(events: &[HistoryEvent]) -> anyhow::Result<()> {
    let mut last_failures = events.iter().filter_map(last_failure);
    let is_throttled = |failure: &FailureInfo| match failure {
        FailureInfo::ApplicationFailureInfo(info) => info.r#type == failure::RATE_LIMITED,
        _ => false,
    };
    ensure!(!last_failures.any(is_throttled), "{events:?}");
    Ok(())
}
