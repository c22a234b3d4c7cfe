//! Sealed video URLs: access to them, and the outcome for a video whose URL cannot be opened.

use std::{path::Path, sync::Arc};

use anyhow::{Context, ensure};
use seedance_archiver::config::Account;
use seedance_archiver_simulator::Script;
use serde_json::{Value, json};

use crate::harness::{
    Fixture, Server, URL_LIFETIME,
    caller::{call_json, with_worker_and_caller},
    lifecycle::until_waiting,
    register,
};

async fn urls_are_revealed_only_on_request(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::with_account(&server, |account| account.allow_reveal = true).await?;
    let id = fixture.simulator.create(Script::default());
    let request = |reveal_urls: bool| json!({"task_id": id, "known_status": "running", "reveal_urls": reveal_urls});
    let (sealed, plain) = with_worker_and_caller(&server, &fixture, async {
        let sealed = call_json(&server, &fixture, "QueryVideoTask", &request(false)).await?;
        let plain = call_json(&server, &fixture, "QueryVideoTask", &request(true)).await?;
        Ok((video_url(&sealed)?, video_url(&plain)?))
    })
    .await?;
    ensure!(sealed.starts_with("sealed:v2:"), "{sealed}");
    let video = reqwest::get(&plain).await?.error_for_status()?;
    let served = fixture.simulator.source(&id).context("no source")?.bytes();
    ensure!(
        video.bytes().await? == served,
        "the URL serves a different video"
    );
    Ok(())
}
register!(urls_are_revealed_only_on_request);

fn video_url(record: &Value) -> anyhow::Result<String> {
    let url = record["content"]["video_url"].as_str();
    Ok(url.context("no URL")?.to_owned())
}

/// The task is hidden, so no fresh URL is available.
async fn a_url_sealed_with_an_earlier_key_opens_while_the_key_is_listed(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    check_archiving_with_keys(&server, "new\nold\n", true).await
}
register!(a_url_sealed_with_an_earlier_key_opens_while_the_key_is_listed);

async fn a_task_is_queried_again_if_the_key_of_its_url_was_removed(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    check_archiving_with_keys(&server, "new\n", false).await
}
register!(a_task_is_queried_again_if_the_key_of_its_url_was_removed);

/// Seals a URL with the key `old`, writes other keys to the key file, and checks that the video is archived in
/// the first attempt. If `is_hidden` is set, the API no longer returns the task.
async fn check_archiving_with_keys(
    server: &Server,
    keys: &str,
    is_hidden: bool,
) -> anyhow::Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(&file, "old")?;
    let path = file.path().to_owned();
    let fixture = Fixture::with_account(server, |account| seal_with(account, &path)).await?;
    let id = fixture.simulator.create(Script::default());
    with_worker_and_caller(server, &fixture, async {
        let request = json!({"task_id": id, "known_status": "running"});
        let record = call_json(server, &fixture, "QueryVideoTask", &request).await?;
        std::fs::write(&file, keys)?;
        fixture.simulator.set_hidden(&id, is_hidden);
        let manifest =
            call_json(server, &fixture, "ArchiveVideo", &json!({"task": record})).await?;
        ensure!(manifest["attempts"] == 1, "{manifest:#}");
        Ok(())
    })
    .await
}

fn seal_with(account: &mut Account, keys: &Path) {
    account.endpoint.seal_keys_file = Some(keys.to_owned());
}

async fn a_video_is_lost_if_the_key_of_its_url_was_removed_and_the_query_window_has_closed(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(&file, "old")?;
    let keys = file.path().to_owned();
    let fixture = Fixture::with_account(&server, |account| seal_with(account, &keys)).await?;
    let id = fixture.simulator.create(Script {
        url_lifetime: Some(URL_LIFETIME),
        ..Script::default()
    });
    let result = fixture
        .with_worker(&server, async {
            // Nothing is archived before the query window has closed.
            let blocked = fixture.block_archive()?;
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            until_waiting(&lifecycle, "store").await?;
            std::fs::write(&file, "new")?;
            fixture.close_query_window().await;
            blocked.end()?;
            until_waiting(&lifecycle, "seal keys").await?;
            fixture.advance_clock(URL_LIFETIME).await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(
        result.outcome == "lost" && result.reason == "seal_key_missing",
        "{result:?}"
    );
    ensure!(result.message.contains("seal keys"), "{result:?}");
    fixture.assert_outcome_recorded(&result)
}
register!(
    a_video_is_lost_if_the_key_of_its_url_was_removed_and_the_query_window_has_closed,
    takes_long
);
