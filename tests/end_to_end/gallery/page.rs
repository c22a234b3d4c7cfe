//! The page in a browser: its contents, and its reactions to clicks and keys.

use std::sync::Arc;

use anyhow::{Context, ensure};
use futures::future::try_join_all;
use seedance_archiver_proto::v1::Manifest;
use serde_json::json;

use super::generate::{Gallery, generate, set_prompt};
use crate::harness::{Fixture, Server, browser::Browser, created_task::create_task, register};

// WebDriver's codes of keys without a character.
const ENTER: char = '\u{e007}';
const ESCAPE: char = '\u{e00c}';
const LEFT: char = '\u{e012}';
const RIGHT: char = '\u{e014}';

/// A prompt that tries to inject HTML and scripts.
const HOSTILE: &str = "</script><script>window.broken = 1</script><!--<script> \
                       <img src=https://elsewhere.example/a.png onerror=\"window.broken = 1\">\
                       {{script}} ${window.broken = 1} \u{2028}&lt;b&gt;";

/// An expression for the number of cards in the page.
const CARDS: &str = "document.querySelectorAll('.card').length";

async fn shows_plays_and_finds_videos(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let tasks = [
        ("seedance-1-0-pro-250528", "last_frame=png"),
        ("seedance-1-5-pro-251215", "other_video=true,digests=served"),
        ("seedance-1-0-lite-t2v-250428", "bytes=9000000"),
    ];
    let receipts = fixture
        .with_worker(
            &server,
            try_join_all(tasks.map(|(model, script)| archive(&server, &fixture, model, script))),
        )
        .await?;
    for (receipt, prompt) in receipts.iter().zip(["a kite over the sea", HOSTILE]) {
        let path = receipt.manifest_url.trim_start_matches("file://");
        set_prompt(path.as_ref(), prompt)?;
    }
    let archive = fixture.config.archive_url.as_str();
    let gallery = generate(&[("SEEDANCE_ARCHIVE_URL", archive)], &[]).await?;
    let browser = Browser::start().await?;
    let result = check_page(&browser, &gallery, &receipts, archive).await;
    browser.stop().await?;
    result
}
register!(shows_plays_and_finds_videos, needs = [chromedriver]);

/// Creates a task of a model, with a script for the simulator, and returns the receipt of its video.
async fn archive(
    server: &Server,
    fixture: &Fixture,
    model: &str,
    script: &str,
) -> anyhow::Result<Manifest> {
    let prompt = format!("--simulate {script}");
    let body = json!({"model": model, "content": [{"type": "text", "text": prompt}]});
    let id = create_task(&fixture.simulator, &body).await?;
    let result = fixture.start_lifecycle(server, &id).await?.result().await?;
    result.manifest.context("no receipt")
}

async fn check_page(
    browser: &Browser,
    gallery: &Gallery,
    receipts: &[Manifest],
    archive: &str,
) -> anyhow::Result<()> {
    browser.open(&gallery.url()).await?;
    check_cards(browser).await?;
    check_player(browser, &receipts[0]).await?;
    check_that_hostile_text_stays_text(browser).await?;
    check_search_and_filters(browser).await?;
    check_keys(browser).await?;
    check_that_the_url_keeps_the_state(browser, gallery).await?;
    check_phone_layout(browser, gallery).await?;
    for url in browser.requests().await? {
        let is_own = url.starts_with(archive) || url.starts_with(&gallery.url());
        ensure!(
            is_own
                || url.starts_with("data:")
                || url.starts_with("about:")
                || url.starts_with("chrome:"),
            "the page requested {url}"
        );
    }
    Ok(())
}

async fn check_cards(browser: &Browser) -> anyhow::Result<()> {
    browser.wait_until(&format!("{CARDS} === 3")).await?;
    // A card shows the last frame if there is one, otherwise the first frame of the video.
    browser
        .wait_until("document.querySelector('.poster img').naturalWidth === 864")
        .await?;
    browser
        .wait_until("[...document.querySelectorAll('.poster video')].filter(it => it.readyState >= 2).length === 2")
        .await?;
    browser.save_screenshot("gallery").await?;
    let text = browser.evaluate("document.body.innerText").await?;
    let text = text.as_str().unwrap_or_default();
    for part in [
        "3 videos",
        "a kite over the sea",
        "seedance-1-0-lite-t2v-250428",
        "1 warning",
        "8.6 MiB",
    ] {
        ensure!(text.contains(part), "no {part:?} in {text}");
    }
    Ok(())
}

/// Checks that a click opens the viewer, which plays the video and shows its details.
async fn check_player(browser: &Browser, receipt: &Manifest) -> anyhow::Result<()> {
    browser.click(".card:has(.poster img)").await?;
    browser
        .wait_until("(it => it.readyState >= 2 && it.currentTime > 0.3 && !it.paused)(document.querySelector('#stage video'))")
        .await?;
    browser.save_screenshot("gallery-dialog").await?;
    let text = browser
        .evaluate("document.getElementById('viewer').innerText")
        .await?;
    let text = text.as_str().unwrap_or_default();
    let seed = receipt.seed.context("no seed")?.to_string();
    let object = receipt.objects.first().context("no object")?;
    for part in [
        &receipt.task_id,
        &receipt.model,
        &receipt.account,
        &seed,
        &object.sha256,
        "480p",
        "16:9",
        "5 s",
        "frame rate",
        "864x480",
        "last_frame.png",
        "Receipt",
    ] {
        ensure!(text.contains(part), "no {part:?} in {text}");
    }
    browser.click("#close").await?;
    browser
        .wait_until("!document.getElementById('viewer').open")
        .await
}

async fn check_that_hostile_text_stays_text(browser: &Browser) -> anyhow::Result<()> {
    let hostile = json!(HOSTILE);
    browser
        .wait_until(&format!(
            "[...document.querySelectorAll('.name')].some(it => it.textContent === {hostile})"
        ))
        .await?;
    browser.click(".card:has(.chip.warned)").await?;
    browser
        .wait_until(&format!(
            "document.getElementById('title').textContent === {hostile}"
        ))
        .await?;
    let text = browser
        .evaluate("document.getElementById('viewer').innerText")
        .await?;
    ensure!(
        text.as_str()
            .is_some_and(|text| text.contains("audio: expected no sound, found sound")),
        "{text}"
    );
    browser.save_screenshot("gallery-hostile").await?;
    browser.click("#close").await?;
    let broken = browser
        .evaluate("'broken' in window || document.scripts.length !== 2")
        .await?;
    ensure!(
        broken == false,
        "the hostile prompt ran a script or added one"
    );
    // The content security policy blocks scripts that are not the page's own.
    let runs = browser
        .evaluate("(() => { const it = document.createElement('script'); it.textContent = 'window.broken = 1'; document.body.append(it); it.remove(); return 'broken' in window; })()")
        .await?;
    ensure!(runs == false, "the page ran an injected script");
    Ok(())
}

async fn check_search_and_filters(browser: &Browser) -> anyhow::Result<()> {
    browser.press(&['/', 'k', 'I', 't', 'e']).await?;
    browser.wait_until(&format!("{CARDS} === 1")).await?;
    browser
        .wait_until("document.getElementById('count').textContent === '1 of 3 videos' && location.hash === '#q=kIte'")
        .await?;
    browser.press(&['x']).await?;
    browser.wait_until(&format!("{CARDS} === 0")).await?;
    browser.click("#clear").await?;
    browser.wait_until(&format!("{CARDS} === 3")).await?;
    browser.click("#warnings").await?;
    browser
        .wait_until(&format!(
            "{CARDS} === 1 && document.querySelector('.warned') !== null"
        ))
        .await?;
    browser.click("#warnings").await?;
    browser
        .click("#model option[value='seedance-1-0-lite-t2v-250428']")
        .await?;
    browser
        .wait_until(&format!(
            "{CARDS} === 1 && document.querySelector('.model').textContent.includes('lite')"
        ))
        .await?;
    browser.click("#model option[value='']").await?;
    browser.click("#sort option[value='largest']").await?;
    browser
        .wait_until(&format!(
            "{CARDS} === 3 && document.querySelector('.facts').textContent.includes('8.6 MiB')"
        ))
        .await
}

/// Checks navigation without a mouse, starting from the search field.
async fn check_keys(browser: &Browser) -> anyhow::Result<()> {
    let is_viewing = |number: u32| {
        format!(
            "document.getElementById('viewer').open && document.getElementById('position').textContent === '{number} of 3'"
        )
    };
    let has_focus =
        |number: u32| format!("document.activeElement.parentElement.ariaPosInSet === '{number}'");
    browser.click("#q").await?;
    browser.press(&[ENTER]).await?;
    browser.wait_until(&has_focus(1)).await?;
    browser.press(&[RIGHT, RIGHT, RIGHT]).await?;
    browser.wait_until(&has_focus(3)).await?;
    browser.press(&[LEFT]).await?;
    browser.wait_until(&has_focus(2)).await?;
    browser.save_screenshot("gallery-focus").await?;
    browser.press(&[ENTER]).await?;
    browser.wait_until(&is_viewing(2)).await?;
    browser.press(&['n']).await?;
    browser.wait_until(&is_viewing(3)).await?;
    browser.press(&['p', LEFT]).await?;
    browser.wait_until(&is_viewing(1)).await?;
    browser.press(&[RIGHT]).await?;
    browser.wait_until(&is_viewing(2)).await?;
    browser.press(&[ESCAPE]).await?;
    browser
        .wait_until(&format!(
            "!document.getElementById('viewer').open && {}",
            has_focus(2)
        ))
        .await?;
    browser
        .wait_until("location.hash === '#sort=largest'")
        .await
}

/// Checks that opening the page's URL again restores the order and the open video.
async fn check_that_the_url_keeps_the_state(
    browser: &Browser,
    gallery: &Gallery,
) -> anyhow::Result<()> {
    browser.press(&[ENTER]).await?;
    browser
        .wait_until("document.getElementById('viewer').open")
        .await?;
    let hash = browser.evaluate("location.hash").await?;
    let hash = hash.as_str().context("no hash")?;
    ensure!(
        hash.starts_with("#sort=largest&video=default%2Fcgt-"),
        "{hash}"
    );
    browser.open(&format!("{}{hash}", gallery.url())).await?;
    browser
        .wait_until("document.getElementById('viewer').open && document.getElementById('sort').value === 'largest' && document.getElementById('position').textContent === '2 of 3'")
        .await
}

async fn check_phone_layout(browser: &Browser, gallery: &Gallery) -> anyhow::Result<()> {
    browser.resize(360, 740).await?;
    browser.open(&gallery.url()).await?;
    browser
        .wait_until(&format!("innerWidth === 360 && {CARDS} === 3"))
        .await?;
    let width = "document.documentElement.scrollWidth";
    browser.save_screenshot("gallery-phone").await?;
    ensure!(
        browser.evaluate(width).await? == 360,
        "the grid is wider than the screen"
    );
    browser.click(".card").await?;
    browser
        .wait_until("document.getElementById('viewer').open")
        .await?;
    browser.save_screenshot("gallery-phone-dialog").await?;
    let too_wide = browser
        .evaluate("[document.documentElement, document.getElementById('viewer')].filter(it => it.scrollWidth > 360).length")
        .await?;
    ensure!(too_wide == 0, "the viewer is wider than the screen");
    Ok(())
}
