//! Lists that fail, differ from the documented one, or have many pages.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver_simulator::{Fault, ListDialect, RecordDialect, Script};

use crate::harness::{HOUR, Server, register, until, watchers::Watched};

/// The tasks are queried one by one, by the watcher.
async fn tasks_that_no_list_shows_are_queried(server: Arc<Server>) -> anyhow::Result<()> {
    let watched = Watched::new(&server).await?;
    let ids = watched.create(6);
    let fixture = &watched.fixture;
    for id in &ids[..3] {
        fixture.simulator.set_unlisted(id, true);
    }
    fixture
        .with_worker(&server, async {
            let lifecycles = watched.start(&ids).await?;
            watched.until_watched(6).await?;
            fixture.advance_clock(HOUR).await;
            watched.until_running(&lifecycles).await?;
            for id in &ids[3..] {
                fixture.simulator.set_unlisted(id, true);
            }
            fixture.advance_clock(HOUR).await;
            watched.archived(&lifecycles).await
        })
        .await
}
register!(tasks_that_no_list_shows_are_queried);

async fn a_list_that_fails_is_replaced_by_queries(server: Arc<Server>) -> anyhow::Result<()> {
    let watched = Watched::new(&server).await?;
    let ids = watched.create(6);
    let fixture = &watched.fixture;
    fixture
        .with_worker(&server, async {
            let lifecycles = watched.start(&ids).await?;
            watched.until_watched(6).await?;
            for (fault, error) in [
                (Fault::Unavailable, "HTTP 500"),
                (Fault::Unauthorized, "HTTP 401"),
            ] {
                fixture.simulator.set_list_fault(Some(fault));
                fixture.advance_clock(HOUR).await;
                watched
                    .until("the watcher says that the list fails", |progress| {
                        progress.last_error.contains(error) || progress.watched == 0
                    })
                    .await?;
                if fault == Fault::Unavailable {
                    watched.until_running(&lifecycles).await?;
                }
            }
            watched.archived(&lifecycles).await
        })
        .await
}
register!(a_list_that_fails_is_replaced_by_queries, takes_long);

/// A new watcher first learns from each list. One that is refused, or that the service does not have, holds up no other.
async fn refused_lists_hold_up_no_other(server: Arc<Server>) -> anyhow::Result<()> {
    for dialect in [ListDialect::RefusesTiers, ListDialect::LacksTiers] {
        let watched = Watched::new(&server).await?;
        let ids = watched.create(6);
        let fixture = &watched.fixture;
        fixture.simulator.set_list_dialects([dialect]);
        fixture
            .with_worker(&server, async {
                let lifecycles = watched.start(&ids).await?;
                watched.until_watched(6).await?;
                until("every list was requested", || fixture.simulator.lists() > 2).await?;
                fixture.advance_clock(HOUR).await;
                watched.until_running(&lifecycles).await?;
                let progress = watched.progress().await?;
                ensure!(progress.last_error.is_empty(), "{progress:?}");
                fixture.advance_clock(HOUR).await;
                watched.archived(&lifecycles).await
            })
            .await
            .with_context(|| format!("{dialect:?}"))?;
    }
    Ok(())
}
register!(refused_lists_hold_up_no_other);

/// A list shows what was true when it was requested. While it is on its way, the tasks end.
async fn a_late_list_dates_from_its_request(server: Arc<Server>) -> anyhow::Result<()> {
    let watched = Watched::new(&server).await?;
    let ids = watched.create(6);
    let fixture = &watched.fixture;
    let simulator = &fixture.simulator;
    fixture
        .with_worker(&server, async {
            let lifecycles = watched.start(&ids).await?;
            watched.until_watched(6).await?;
            simulator.set_list_fault(Some(Fault::LateResponse));
            let lists = simulator.lists();
            fixture.advance_clock(HOUR).await;
            until("the tasks are listed", || simulator.lists() > lists).await?;
            fixture.advance_clock(HOUR).await;
            simulator.set_list_fault(None);
            watched.archived(&lifecycles).await
        })
        .await
}
register!(a_late_list_dates_from_its_request);

/// More than one page, which shifts while it is read because tasks are created meanwhile.
async fn many_tasks_are_listed_page_by_page(server: Arc<Server>) -> anyhow::Result<()> {
    let watched = Watched::with(&server, |account| account.endpoint.list_page_size = 10).await?;
    let ids = watched.create(60);
    let fixture = &watched.fixture;
    fixture
        .with_worker(&server, async {
            let lifecycles = watched.start(&ids).await?;
            watched.until_watched(60).await?;
            for _ in 0..2 {
                fixture.advance_clock(HOUR).await;
                watched.create(5);
            }
            watched.archived(&lifecycles).await
        })
        .await
}
register!(many_tasks_are_listed_page_by_page);

/// Items without content, an item that cannot be read, and statuses of a minute ago.
async fn a_list_that_differs_loses_nothing(server: Arc<Server>) -> anyhow::Result<()> {
    let watched = Watched::new(&server).await?;
    let ids = watched.create(6);
    let fixture = &watched.fixture;
    fixture.simulator.set_list_dialects([
        ListDialect::NoContent,
        ListDialect::UnreadableItem,
        ListDialect::Lags(Duration::from_secs(60)),
    ]);
    fixture
        .with_worker(&server, async {
            let lifecycles = watched.start(&ids).await?;
            watched.until_watched(6).await?;
            for _ in 0..2 {
                fixture.advance_clock(HOUR).await;
                fixture.advance_clock(HOUR).await;
            }
            watched.archived(&lifecycles).await
        })
        .await
}
register!(a_list_that_differs_loses_nothing);

async fn a_list_that_ignores_ids_is_read_page_by_page(server: Arc<Server>) -> anyhow::Result<()> {
    let watched = Watched::new(&server).await?;
    // Tasks that no lifecycle waits for: they show that the filter is ignored.
    watched.create(3);
    let ids = watched.create(6);
    let fixture = &watched.fixture;
    fixture
        .simulator
        .set_list_dialects([ListDialect::IgnoresTaskIds]);
    fixture
        .with_worker(&server, async {
            let lifecycles = watched.start(&ids).await?;
            watched.until_watched(6).await?;
            for _ in 0..2 {
                fixture.advance_clock(HOUR).await;
            }
            watched.archived(&lifecycles).await?;
            for id in &ids {
                let queries = fixture.simulator.stats(id).queries;
                ensure!(queries <= 3, "{queries} queries");
            }
            Ok(())
        })
        .await
}
register!(a_list_that_ignores_ids_is_read_page_by_page);

/// The list has ten pages. Only pages show the tasks, because the service ignores ids.
async fn old_tasks_are_found_among_thousands(server: Arc<Server>) -> anyhow::Result<()> {
    let watched = Watched::new(&server).await?;
    watched.create(2_500);
    let ids = watched.create(6);
    watched.create(2_500);
    let fixture = &watched.fixture;
    let ignores_ids = ListDialect::IgnoresTaskIds;
    fixture.simulator.set_list_dialects([ignores_ids]);
    fixture
        .with_worker(&server, async {
            let lifecycles = watched.start(&ids).await?;
            watched.until_watched(6).await?;
            for _ in 0..2 {
                fixture.advance_clock(HOUR).await;
                watched.create(100);
            }
            watched.archived(&lifecycles).await
        })
        .await
}
register!(old_tasks_are_found_among_thousands, takes_long);

/// Long ids, or a small page: not all ids fit into a request.
async fn tasks_that_do_not_fit_into_a_request_are_listed_too(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let watched = Watched::with(&server, |account| account.endpoint.list_page_size = 2).await?;
    let ids = watched.create(9);
    let fixture = &watched.fixture;
    fixture
        .with_worker(&server, async {
            let lifecycles = watched.start(&ids).await?;
            watched.until_watched(9).await?;
            fixture.advance_clock(HOUR).await;
            watched.until_running(&lifecycles).await?;
            fixture.advance_clock(HOUR).await;
            watched.archived(&lifecycles).await
        })
        .await
}
register!(tasks_that_do_not_fit_into_a_request_are_listed_too);

/// The other tasks that no list shows must not wait for it.
async fn a_task_whose_query_fails_delays_no_other(server: Arc<Server>) -> anyhow::Result<()> {
    let watched = Watched::new(&server).await?;
    let mut ids = watched.create(5);
    let unreadable = watched.create_with(1, |script| Script {
        dialect: Some(RecordDialect::Unreadable),
        ..script
    });
    for id in ids.iter().chain(&unreadable) {
        watched.fixture.simulator.set_unlisted(id, true);
    }
    ids.extend(unreadable);
    let fixture = &watched.fixture;
    fixture
        .with_worker(&server, async {
            let lifecycles = watched.start(&ids).await?;
            watched.until_watched(6).await?;
            fixture.advance_clock(HOUR).await;
            watched.until_running(&lifecycles[..5]).await?;
            fixture.advance_clock(HOUR).await;
            watched.archived(&lifecycles[..5]).await
        })
        .await
}
register!(a_task_whose_query_fails_delays_no_other);
