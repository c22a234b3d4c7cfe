//! A task whose queries fail delays no other.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use seedance_archiver_simulator::{Fault, ListDialect};

use crate::harness::{HOUR, Server, register, until, watchers::Watched};

/// Number of tasks whose queries are answered.
const OTHERS: usize = 5;

/// Archives the videos of tasks that no list shows, while the queries of one more task have a fault, and then its video too.
/// Returns how often that task was queried from the end of the others until they were archived.
async fn archive_beside(server: &Server, fault: Fault) -> anyhow::Result<u64> {
    let watched = Watched::new(server).await?;
    let ids = watched.create(OTHERS + 1);
    let (fixture, broken) = (&watched.fixture, &ids[OTHERS]);
    let simulator = &fixture.simulator;
    for id in &ids {
        simulator.set_unlisted(id, true);
    }
    let queries = || simulator.stats(broken).queries;
    // No answer may be on its way when the clock is advanced: it would be dated an hour too late.
    let until_queried = async |times: usize| {
        let queries = (times * ids.len()) as i64;
        watched
            .until("the watcher has queried the tasks", |progress| {
                progress.queries >= queries
            })
            .await
    };
    fixture
        .with_worker(server, async {
            let lifecycles = watched.start(&ids).await?;
            let (others, last) = lifecycles.split_at(OTHERS);
            watched.until_watched(ids.len()).await?;
            until_queried(1).await?;
            simulator.set_task_fault(broken, Some(fault));
            fixture.advance_clock(HOUR).await;
            until_queried(2).await?;
            watched.until_running(others).await?;
            let before = queries();
            fixture.advance_clock(HOUR).await;
            until("the task was queried in vain", || queries() > before).await?;
            watched.archived(others).await?;
            let in_vain = queries() - before;
            simulator.set_task_fault(broken, None);
            fixture.advance_clock(HOUR).await;
            watched.archived(last).await?;
            Ok(in_vain)
        })
        .await
}

/// The others are archived before its `Retry-After` is over: until then, it is not queried again.
async fn a_task_whose_queries_are_refused_delays_no_other(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let retry_after = Some(HOUR.as_secs());
    let queries = archive_beside(&server, Fault::RateLimited { retry_after }).await?;
    ensure!(queries == 1, "{queries} queries");
    Ok(())
}
register!(a_task_whose_queries_are_refused_delays_no_other);

/// Longer than what else queries the task waits because of its `Retry-After`.
const PAUSE: Duration = Duration::from_secs(2 * 60);

/// Its items have no URL, so that each look at them asks for the record.
async fn a_task_whose_queries_are_refused_is_not_queried_because_a_list_shows_it(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let watched = Watched::new(&server).await?;
    let ids = watched.create(OTHERS + 1);
    let (fixture, refused) = (&watched.fixture, &ids[OTHERS]);
    let simulator = &fixture.simulator;
    simulator.set_list_dialect(Some(ListDialect::NoContent));
    let queries = || simulator.stats(refused).queries;
    let retry_after = Some(HOUR.as_secs());
    fixture
        .with_worker(&server, async {
            let lifecycles = watched.start(&ids).await?;
            let (others, last) = lifecycles.split_at(OTHERS);
            watched.until_watched(ids.len()).await?;
            fixture.advance_clock(HOUR).await;
            watched.until_running(&lifecycles).await?;
            simulator.set_task_fault(refused, Some(Fault::RateLimited { retry_after }));
            let before = queries();
            fixture.advance_clock(HOUR).await;
            until("the task was queried in vain", || queries() > before).await?;
            watched.archived(others).await?;
            fixture.advance_clock(PAUSE).await;
            let lists = simulator.lists();
            until("it was listed twice", || simulator.lists() > lists + 1).await?;
            let in_vain = queries() - before;
            ensure!(in_vain == 1, "{in_vain} queries");
            simulator.set_task_fault(refused, None);
            fixture.advance_clock(HOUR).await;
            watched.archived(last).await
        })
        .await
}
register!(
    a_task_whose_queries_are_refused_is_not_queried_because_a_list_shows_it,
    takes_long
);

async fn a_task_whose_queries_fail_delays_no_other(server: Arc<Server>) -> anyhow::Result<()> {
    archive_beside(&server, Fault::Unavailable).await.map(drop)
}
register!(a_task_whose_queries_fail_delays_no_other);

/// Its query waits for the timeout of a call.
async fn a_task_whose_queries_hang_delays_no_other(server: Arc<Server>) -> anyhow::Result<()> {
    archive_beside(&server, Fault::NoResponse).await.map(drop)
}
register!(a_task_whose_queries_hang_delays_no_other, takes_long);
