//! Who can read a video's URL, and what becomes of a video whose URL nobody can read.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::{Context, ensure};
use seedance_archiver::{config::Account, temporal::lifecycles::Doing};
use seedance_archiver_simulator::Script;
use serde_json::{Value, json};

use crate::{
    Suite,
    callers::call,
    relay::with_callers,
    world::{Server, World, until, until_async},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test("secrets::urls_are_revealed_on_request_only", reveal_urls)
        .test("secrets::an_earlier_key_that_is_listed_opens", |server| {
            archive_with(server, "new\nold\n", Hidden(true))
        })
        .test(
            "secrets::a_url_whose_key_is_gone_is_asked_for_again",
            |server| archive_with(server, "new\n", Hidden(false)),
        )
        .test(
            "secrets::a_url_whose_key_is_gone_is_lost_outside_the_window",
            key_is_gone,
        )
}

const SECOND: Duration = Duration::from_secs(1);

async fn reveal_urls(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script::default());
    let ask = |reveal_urls: bool| json!({"task_id": id, "known_status": "running", "reveal_urls": reveal_urls});
    let (sealed, plain) = with_callers(&server, &world, async {
        let sealed = call(&server, &world, "QueryVideoTask", &ask(false)).await?;
        let plain = call(&server, &world, "QueryVideoTask", &ask(true)).await?;
        Ok((url_in(&sealed)?, url_in(&plain)?))
    })
    .await?;
    ensure!(sealed.starts_with("sealed:v1:"), "{sealed}");
    let video = reqwest::get(&plain).await?.error_for_status()?;
    let served = world.simulator.source(&id).context("no source")?.bytes();
    ensure!(video.bytes().await? == served, "another video");
    Ok(())
}

fn url_in(record: &Value) -> anyhow::Result<String> {
    let url = record["content"]["video_url"].as_str();
    Ok(url.context("no URL")?.to_owned())
}

/// Whether the service no longer knows the task: then no fresh URL helps.
struct Hidden(bool);

/// The URL was sealed by the key `old`; then the file of keys changes.
async fn archive_with(server: Arc<Server>, keys: &str, hidden: Hidden) -> anyhow::Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(&file, "old")?;
    let path = file.path().to_owned();
    let world = World::with(&server, |it| it, |account| seal_with(account, &path)).await?;
    let id = world.simulator.create(Script::default());
    with_callers(&server, &world, async {
        let request = json!({"task_id": id, "known_status": "running"});
        let record = call(&server, &world, "QueryVideoTask", &request).await?;
        std::fs::write(&file, keys)?;
        world.simulator.set_hidden(&id, hidden.0);
        let manifest = call(&server, &world, "ArchiveVideo", &json!({"task": record})).await?;
        ensure!(manifest["attempts"] == 1, "{manifest:#}");
        Ok(())
    })
    .await
}

fn seal_with(account: &mut Account, keys: &Path) {
    account.seal_keys_file = Some(keys.to_owned());
}

async fn key_is_gone(server: Arc<Server>) -> anyhow::Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(&file, "old")?;
    let keys = file.path().to_owned();
    let window = 6 * SECOND;
    let change = |account: &mut Account| {
        seal_with(account, &keys);
        account.windows.query_window = window;
        account.windows.margin = SECOND;
        account.windows.url_lifetime = 10 * SECOND;
    };
    let world = World::with(&server, |it| it, change).await?;
    let id = world.simulator.create(Script::default());
    let created = SystemTime::now();
    let path = world.directory.path();
    let result = world
        .with_worker(&server, async {
            // Nothing can be archived before the window has closed.
            std::fs::remove_dir(path)?;
            std::fs::write(path, "in the way")?;
            let lifecycle = world.start(&server, &id).await?;
            until_async("the store's fault is shown", || async {
                let doing = lifecycle.doing().await?;
                Ok(matches!(doing, Some(Doing::Waiting(words)) if words.contains("store")))
            })
            .await?;
            std::fs::write(&file, "new")?;
            until("the window has closed", || {
                created.elapsed().is_ok_and(|age| age > window + SECOND)
            })
            .await?;
            std::fs::remove_file(path)?;
            std::fs::create_dir(path)?;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(
        result.outcome == "lost" && result.reason == "seal_key_missing",
        "{result:?}"
    );
    ensure!(result.message.contains("seal keys"), "{result:?}");
    world.holds_outcome(&result)
}
