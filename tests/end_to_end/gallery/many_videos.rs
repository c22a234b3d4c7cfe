//! A gallery of 5,000 videos.

use std::{path::Path, sync::Arc, time::Instant};

use anyhow::{Context, ensure};
use seedance_archiver_proto::v1::{ArchivedObject, Manifest, ObjectCheck};
use serde_json::json;

use super::generate::{Gallery, generate};
use crate::harness::{Server, browser::Browser, register};

const VIDEOS: i64 = 5000;
const ELEMENTS: &str = "document.querySelectorAll('*').length";
/// More elements than fit into a window, and far fewer than those of 5,000 cards.
const MAX_ELEMENTS: u64 = 1500;

async fn a_page_of_5000_videos_renders_few_elements(_: Arc<Server>) -> anyhow::Result<()> {
    let archive = tempfile::tempdir()?;
    for number in 0..VIDEOS {
        write_archived_task(archive.path(), number)?;
    }
    let url = format!("file://{}", archive.path().display());
    let started_at = Instant::now();
    let gallery = generate(&[("SEEDANCE_ARCHIVE_URL", &url)], &[]).await?;
    eprintln!(
        "gallery: generated a page of {} bytes from {VIDEOS} receipts in {:?}",
        gallery.html()?.len(),
        started_at.elapsed()
    );
    let browser = Browser::start().await?;
    let result = check_page(&browser, &gallery).await;
    browser.stop().await?;
    result
}
register!(
    a_page_of_5000_videos_renders_few_elements,
    needs = [chromedriver],
    takes_long
);

async fn check_page(browser: &Browser, gallery: &Gallery) -> anyhow::Result<()> {
    browser.open(&gallery.url()).await?;
    browser
        .wait_until("document.querySelectorAll('.card').length > 0")
        .await?;
    let loaded = browser
        .evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
        .await?;
    let elements = count_elements(browser).await?;
    eprintln!("gallery: loaded in {loaded} ms, with {elements} elements");

    // Measures the time from the input event until the page is laid out again.
    let search = |query: &str| {
        let query = json!(query);
        format!(
            "(() => {{ const it = document.getElementById('q'), begun = performance.now(); \
             it.value = {query}; it.dispatchEvent(new Event('input')); document.body.offsetHeight; \
             return performance.now() - begun; }})()"
        )
    };
    let count_with = |digits: &str| {
        (0..VIDEOS)
            .filter(|number| number.to_string().contains(digits))
            .count()
    };
    for (query, expected) in [
        ("scene 47", count_with("47")),
        ("4711 scene", 1),
        ("", count_with("")),
    ] {
        let time = browser.evaluate(&search(query)).await?;
        let count = browser.evaluate("shown.length").await?;
        eprintln!("gallery: {count} results for {query:?} in {time} ms");
        ensure!(count == expected, "{count} results for {query:?}");
        count_elements(browser).await?;
    }

    browser
        .evaluate("scrollTo(0, document.body.scrollHeight)")
        .await?;
    browser
        .wait_until(&format!("document.querySelector('[aria-posinset=\"{VIDEOS}\"] .name')?.textContent === 'scene 0'"))
        .await?;
    count_elements(browser).await?;
    browser
        .evaluate("scrollTo(0, document.body.scrollHeight / 2)")
        .await?;
    browser
        .wait_until("document.elementFromPoint(innerWidth / 3, innerHeight / 2).closest('#grid') !== null && [...document.querySelectorAll('#grid li')].every(it => it.ariaPosInSet > 2000 && it.ariaPosInSet < 3000)")
        .await?;
    count_elements(browser).await?;
    Ok(())
}

/// Counts the elements in the page, and checks that there are not too many.
async fn count_elements(browser: &Browser) -> anyhow::Result<u64> {
    let elements = browser
        .evaluate(ELEMENTS)
        .await?
        .as_u64()
        .context("not a number")?;
    ensure!(elements < MAX_ELEMENTS, "{elements} elements");
    Ok(elements)
}

/// Writes a receipt and a task record, as a worker does. The gallery does not need the video.
fn write_archived_task(archive: &Path, number: i64) -> anyhow::Result<()> {
    let checks = [
        "length",
        "crc64",
        "mp4",
        "duration",
        "frame_rate",
        "resolution",
        "ratio",
        "audio",
    ];
    let manifest = Manifest {
        task_id: format!("cgt-{number:06}"),
        account: ["default", "studio"][number as usize % 2].to_owned(),
        model: ["seedance-1-0-pro-250528", "seedance-1-5-pro-251215"][number as usize % 2]
            .to_owned(),
        task_created_at: 1_780_000_000 + number * 60,
        archived_at: 1_780_000_090 + number * 60,
        duration: Some(5),
        objects: vec![ArchivedObject {
            name: "video.mp4".to_owned(),
            size_bytes: 7_000_000 + number,
            sha256: format!("{number:064x}"),
            content_type: "video/mp4".to_owned(),
            checks: checks
                .map(|name| ObjectCheck {
                    name: name.to_owned(),
                    result: "passed".to_owned(),
                    expected: "864x480".to_owned(),
                    found: "864x480".to_owned(),
                })
                .to_vec(),
            ..ArchivedObject::default()
        }],
        ..Manifest::default()
    };
    let directory = archive.join(format!("default/{}", manifest.task_id));
    std::fs::create_dir_all(&directory)?;
    std::fs::write(
        directory.join("manifest.json"),
        serde_json::to_vec(&manifest)?,
    )?;
    let record = json!({"id": manifest.task_id, "prompt": format!("scene {number}")});
    Ok(std::fs::write(
        directory.join("task.json"),
        record.to_string(),
    )?)
}
