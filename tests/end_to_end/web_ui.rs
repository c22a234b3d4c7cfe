//! What a person sees in Temporal's Web UI.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::ensure;
use seedance_archiver::dev_server::NAMESPACE;
use seedance_archiver_simulator::Script;
use temporalio_client::WorkflowDescribeOptions;

use crate::{
    Suite,
    browser::Browser,
    tools,
    world::{Server, World, until_async},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    let (has_driver, driver) = tools::split(tools::chromedriver());
    suite.test_with(
        "web_ui::shows_status_deadline_and_no_url",
        has_driver,
        |server| shows_a_lifecycle(server, driver),
    )
}

async fn shows_a_lifecycle(server: Arc<Server>, driver: PathBuf) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let [running, finished] = [Some(Duration::from_secs(3600)), None].map(|running| {
        world.simulator.create(Script {
            running,
            ..Script::default()
        })
    });
    world
        .with_worker(&server, async {
            let lifecycle = world.start(&server, &finished).await?;
            world.start(&server, &running).await?;
            lifecycle.result().await?;
            until_async("it is seen running", || async {
                let lifecycle = server.lifecycle(&running);
                let options = WorkflowDescribeOptions::default();
                let description = lifecycle.describe(options).await?;
                let pending = &description.raw().pending_activities;
                let failure = pending.first().and_then(|it| it.last_failure.as_ref());
                Ok(failure.is_some_and(|it| it.message.starts_with("still running")))
            })
            .await?;
            // The browser goes before the worker, which answers for the pages.
            let browser = Browser::start(&driver).await?;
            let read = read_pages(&server, &browser, &running, &finished).await;
            browser.stop().await?;
            read
        })
        .await
}

async fn read_pages(
    server: &Server,
    browser: &Browser,
    running: &str,
    finished: &str,
) -> anyhow::Result<()> {
    let list = format!("{}/namespaces/{NAMESPACE}/workflows", server.ui_url);
    let page = |run: &str, id: &str, page: &str| {
        format!("{list}/video-task%2Fdefault%2F{id}/{run}/{page}")
    };
    let run = server.run_id(running).await?;
    let running_pages = [
        (
            "history",
            vec!["Running", "QueryVideoTask", "poll while running"],
        ),
        (
            "user-metadata",
            vec!["Status: running since", "Archive deadline:"],
        ),
        (
            "pending-activities",
            vec![
                "still running since",
                "polled",
                "next poll in",
                "StillWaiting",
            ],
        ),
        (
            "search-attributes",
            vec![
                "SeedanceStatus",
                "running",
                "SeedanceArchiveDeadline",
                running,
            ],
        ),
    ];
    let mut texts = Vec::new();
    for (name, parts) in running_pages {
        texts.push(browser.read(&page(&run, running, name), &parts).await?);
    }
    let run = server.run_id(finished).await?;
    let finished_pages = [
        (
            "history",
            vec!["Completed", "ArchiveVideo", "archived", "sealed:v1:"],
        ),
        (
            "user-metadata",
            vec!["Receipt:", "Status: succeeded since", "Archive deadline:"],
        ),
        (
            "search-attributes",
            vec!["SeedanceOutcome", "archived", "SeedanceArchiveDeadline"],
        ),
    ];
    for (name, parts) in finished_pages {
        texts.push(browser.read(&page(&run, finished, name), &parts).await?);
    }
    for text in texts {
        ensure!(!text.contains("X-Tos-Signature"), "a signed URL: {text}");
    }
    Ok(())
}
