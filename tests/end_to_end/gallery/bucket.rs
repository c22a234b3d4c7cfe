//! A gallery with presigned URLs for a private bucket.

use std::{os::unix::fs::PermissionsExt, sync::Arc};

use anyhow::{Context, ensure};
use reqwest::{StatusCode, Url};
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::time::unix_seconds;
use seedance_archiver_simulator::Script;

use super::generate::{Gallery, generate};
use crate::harness::{Fixture, Server, browser::Browser, minio::Minio, register, tools};

const HOUR: i64 = 3600;

async fn presigned_urls_for_a_private_bucket_work(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let minio = Minio::start(tools::minio()?).await?;
    let bucket = minio.new_bucket("videos")?;
    let id = fixture.simulator.create(Script::default());
    {
        let _worker = fixture.spawn_worker_with(&server, &bucket.environment())?;
        let result = fixture
            .start_lifecycle(&server, &id)
            .await?
            .result()
            .await?;
        ensure!(result.outcome == "archived", "{result:?}");
    }
    let gallery = generate(&bucket.environment(), &["--expires", "1h"]).await?;
    check_that_urls_are_secret(&gallery)?;

    let data = gallery.data()?;
    let video = &data["videos"][0];
    let url = video["files"][0]["link"].as_str().context("no URL")?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let served = http.get(url).send().await?.error_for_status()?;
    let source = fixture.simulator.source(&id).context("no source")?.bytes();
    ensure!(
        served.bytes().await? == source,
        "the URL serves a different video"
    );
    let receipt = video["receipt"].as_str().context("no receipt")?;
    let receipt = http.get(receipt).send().await?.error_for_status()?;
    ensure!(
        receipt.text().await?.contains(&id),
        "the URL serves a different receipt"
    );
    let mut unsigned: Url = url.parse()?;
    unsigned.set_query(None);
    let status = http.get(unsigned).send().await?.status();
    ensure!(status == StatusCode::FORBIDDEN, "the bucket is public");

    let browser = Browser::start().await?;
    let result = check_page(&browser, &gallery).await;
    browser.stop().await?;
    result
}
register!(
    presigned_urls_for_a_private_bucket_work,
    needs = [minio, chromedriver]
);

/// Checks that only the page contains the presigned URLs, that only its owner can read the page, and that the
/// page shows when the URLs expire.
fn check_that_urls_are_secret(gallery: &Gallery) -> anyhow::Result<()> {
    let output = format!("{}{}", gallery.report, gallery.stderr);
    ensure!(
        !output.contains("X-Amz-"),
        "a presigned URL was printed: {output}"
    );
    let now = unix_seconds(Clock::default().now());
    let expires_at = gallery.report["links_until"]
        .as_i64()
        .context("no expiry")?;
    ensure!(
        (now..=now + HOUR).contains(&expires_at),
        "{}",
        gallery.report
    );
    ensure!(
        gallery.data()?["links_until"] == expires_at,
        "the page shows a different expiry"
    );
    let mode = std::fs::metadata(gallery.page())?.permissions().mode();
    ensure!(mode & 0o077 == 0, "others can read the page: {mode:o}");
    Ok(())
}

/// Checks that the page's content security policy allows the bucket.
async fn check_page(browser: &Browser, gallery: &Gallery) -> anyhow::Result<()> {
    browser.open(&gallery.url()).await?;
    browser
        .wait_until(
            "document.getElementById('notice').textContent.includes('Anyone with the page')",
        )
        .await?;
    browser
        .wait_until("document.querySelector('.poster video')?.readyState >= 2")
        .await?;
    browser.save_screenshot("gallery-bucket").await?;
    browser.click(".card").await?;
    browser
        .wait_until("document.querySelector('#stage video').currentTime > 0.3")
        .await
}
