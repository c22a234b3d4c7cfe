//! Lifecycles in Temporal's Web UI.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver_simulator::Script;
use temporalio_client::{NamespacedClient, WorkflowDescribeOptions};

use crate::harness::{Fixture, Server, browser::Browser, register, until_async};

async fn shows_status_and_deadline_but_no_signed_url(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let [running, finished] = [Some(Duration::from_secs(3600)), None].map(|running| {
        fixture.simulator.create(Script {
            running,
            ..Script::default()
        })
    });
    fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &finished).await?;
            fixture.start_lifecycle(&server, &running).await?;
            lifecycle.result().await?;
            until_async("the lifecycle shows that the task is running", || async {
                let lifecycle = server.lifecycle(&running);
                let options = WorkflowDescribeOptions::default();
                let description = lifecycle.describe(options).await?;
                let pending = &description.raw().pending_activities;
                let failure = pending
                    .first()
                    .and_then(|activity| activity.last_failure.as_ref());
                Ok(failure.is_some_and(|failure| failure.message.starts_with("still running")))
            })
            .await?;
            // The browser stops before the worker, because pages send queries to the worker.
            let browser = Browser::start().await?;
            let result = check_pages(&server, &browser, &running, &finished).await;
            browser.stop().await?;
            result
        })
        .await
}
register!(
    shows_status_and_deadline_but_no_signed_url,
    needs = [chromedriver, web_ui]
);

async fn check_pages(
    server: &Server,
    browser: &Browser,
    running: &str,
    finished: &str,
) -> anyhow::Result<()> {
    let ui_url = server.ui_url.as_ref().context("the server has no Web UI")?;
    let list = format!(
        "{ui_url}/namespaces/{}/workflows",
        server.client.namespace()
    );
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
            vec!["Completed", "ArchiveVideo", "archived", "sealed:v2:"],
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
        ensure!(
            !text.contains("X-Tos-Signature"),
            "a signed URL is shown: {text}"
        );
    }
    Ok(())
}
