//! Links to a private bucket.

use std::{
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, ensure};
use reqwest::{StatusCode, Url};
use seedance_archiver_simulator::Script;

use super::{Made, make};
use crate::{
    browser::Browser,
    minio::Minio,
    world::{Server, World},
};

const HOUR: i64 = 3600;

pub(super) async fn signed_links_work(
    server: Arc<Server>,
    minio: PathBuf,
    driver: PathBuf,
) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let minio = Minio::start(minio).await?;
    let bucket = minio.bucket("videos")?;
    let id = world.simulator.create(Script::default());
    {
        let _worker = world.spawn_worker_with(&server, &bucket.environment())?;
        let result = world.start(&server, &id).await?.result().await?;
        ensure!(result.outcome == "archived", "{result:?}");
    }
    let made = make(&bucket.environment(), &["--expires", "1h"]).await?;
    is_discreet(&made)?;

    let data = made.data()?;
    let video = &data["videos"][0];
    let link = video["files"][0]["link"].as_str().context("no link")?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let served = http.get(link).send().await?.error_for_status()?;
    let made_by_service = world.simulator.source(&id).context("no source")?.bytes();
    ensure!(served.bytes().await? == made_by_service, "another video");
    let receipt = video["receipt"].as_str().context("no receipt")?;
    let receipt = http.get(receipt).send().await?.error_for_status()?;
    ensure!(receipt.text().await?.contains(&id), "another receipt");
    let mut unsigned: Url = link.parse()?;
    unsigned.set_query(None);
    let refused = http.get(unsigned).send().await?.status();
    ensure!(refused == StatusCode::FORBIDDEN, "the bucket is public");

    let browser = Browser::start(&driver).await?;
    let looked = look(&browser, &made).await;
    browser.stop().await?;
    looked
}

/// Links are in the page alone, which says until when they work.
fn is_discreet(made: &Made) -> anyhow::Result<()> {
    let said = format!("{}{}", made.report, made.errors);
    ensure!(!said.contains("X-Amz-"), "a signed link: {said}");
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() as i64;
    let until = made.report["links_until"].as_i64().context("no end")?;
    ensure!((now..=now + HOUR).contains(&until), "{}", made.report);
    ensure!(
        made.data()?["links_until"] == until,
        "the page says another"
    );
    let mode = std::fs::metadata(made.page())?.permissions().mode();
    ensure!(mode & 0o077 == 0, "others can read the page: {mode:o}");
    Ok(())
}

/// The page's policy lets the bucket through.
async fn look(browser: &Browser, made: &Made) -> anyhow::Result<()> {
    browser.open(&made.url()).await?;
    browser
        .until("document.getElementById('notice').textContent.includes('Anyone with the page')")
        .await?;
    browser
        .until("document.querySelector('.poster video')?.readyState >= 2")
        .await?;
    browser.picture("gallery-bucket").await?;
    browser.click(".card").await?;
    browser
        .until("document.querySelector('#stage video').currentTime > 0.3")
        .await
}
