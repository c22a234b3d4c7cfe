//! A page of 5,000 videos.

use std::{path::PathBuf, time::Instant};

use anyhow::{Context, ensure};
use seedance_archiver_proto::v1::{ArchivedObject, Manifest, ObjectCheck};
use serde_json::json;

use super::{Made, make};
use crate::browser::Browser;

const VIDEOS: i64 = 5000;
const ELEMENTS: &str = "document.querySelectorAll('*').length";
/// More than any window needs, and far less than 5,000 cards.
const FEW_ELEMENTS: u64 = 1500;

pub(super) async fn is_quick(driver: PathBuf) -> anyhow::Result<()> {
    let archive = tempfile::tempdir()?;
    for number in 0..VIDEOS {
        write(archive.path(), number)?;
    }
    let url = format!("file://{}", archive.path().display());
    let begun = Instant::now();
    let made = make(&[("SEEDANCE_ARCHIVE_URL", &url)], &[]).await?;
    eprintln!(
        "gallery: {VIDEOS} receipts to a page of {} bytes in {:?}",
        made.html()?.len(),
        begun.elapsed()
    );
    let browser = Browser::start(&driver).await?;
    let looked = look(&browser, &made).await;
    browser.stop().await?;
    looked
}

async fn look(browser: &Browser, made: &Made) -> anyhow::Result<()> {
    browser.open(&made.url()).await?;
    browser
        .until("document.querySelectorAll('.card').length > 0")
        .await?;
    let loaded = browser
        .value("performance.getEntriesByType('navigation')[0].loadEventEnd")
        .await?;
    let elements = few_elements(browser).await?;
    eprintln!("gallery: loaded in {loaded} ms, with {elements} elements");

    // From the last key to the page that shows what was found.
    let search = |words: &str| {
        let words = json!(words);
        format!(
            "(() => {{ const it = document.getElementById('q'), begun = performance.now(); \
             it.value = {words}; it.dispatchEvent(new Event('input')); document.body.offsetHeight; \
             return performance.now() - begun; }})()"
        )
    };
    let with = |digits: &str| {
        (0..VIDEOS)
            .filter(|it| it.to_string().contains(digits))
            .count()
    };
    for (words, found) in [("scene 47", with("47")), ("4711 scene", 1), ("", with(""))] {
        let time = browser.value(&search(words)).await?;
        let count = browser.value("shown.length").await?;
        eprintln!("gallery: {count} found for {words:?} in {time} ms");
        ensure!(count == found, "{count} found for {words:?}");
        few_elements(browser).await?;
    }

    browser
        .value("scrollTo(0, document.body.scrollHeight)")
        .await?;
    browser
        .until(&format!("document.querySelector('[aria-posinset=\"{VIDEOS}\"] .name')?.textContent === 'scene 0'"))
        .await?;
    few_elements(browser).await?;
    browser
        .value("scrollTo(0, document.body.scrollHeight / 2)")
        .await?;
    browser
        .until("document.elementFromPoint(innerWidth / 3, innerHeight / 2).closest('#grid') !== null && [...document.querySelectorAll('#grid li')].every(it => it.ariaPosInSet > 2000 && it.ariaPosInSet < 3000)")
        .await?;
    few_elements(browser).await.map(drop)
}

async fn few_elements(browser: &Browser) -> anyhow::Result<u64> {
    let elements = browser
        .value(ELEMENTS)
        .await?
        .as_u64()
        .context("no number")?;
    ensure!(elements < FEW_ELEMENTS, "{elements} elements");
    Ok(elements)
}

/// A receipt and a record, as a worker leaves them; the video is not looked for.
fn write(archive: &std::path::Path, number: i64) -> anyhow::Result<()> {
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
    let folder = archive.join(format!("default/{}", manifest.task_id));
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("manifest.json"), serde_json::to_vec(&manifest)?)?;
    let record = json!({"id": manifest.task_id, "prompt": format!("scene {number}")});
    Ok(std::fs::write(
        folder.join("task.json"),
        record.to_string(),
    )?)
}
