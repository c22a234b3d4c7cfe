//! What a person sees and does, over what a worker has archived.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, ensure};
use futures::future::try_join_all;
use seedance_archiver_proto::v1::Manifest;
use serde_json::{Value, json};

use super::{Made, make, set_prompt};
use crate::{
    browser::Browser,
    world::{Server, World},
};

/// What WebDriver calls keys without a character.
const ENTER: char = '\u{e007}';
const ESCAPE: char = '\u{e00c}';
const LEFT: char = '\u{e012}';
const RIGHT: char = '\u{e014}';

/// A prompt that tries to be more than text.
const HOSTILE: &str = "</script><script>window.broken = 1</script><!--<script> \
                       <img src=https://elsewhere.example/a.png onerror=\"window.broken = 1\">\
                       {{script}} ${window.broken = 1} \u{2028}&lt;b&gt;";

/// Number of cards in the page.
const CARDS: &str = "document.querySelectorAll('.card').length";

pub(super) async fn shows_an_archive(server: Arc<Server>, driver: PathBuf) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let tasks = [
        ("seedance-1-0-pro-250528", "last_frame=png"),
        ("seedance-1-5-pro-251215", "other_video=true,digests=served"),
        ("seedance-1-0-lite-t2v-250428", "bytes=9000000"),
    ];
    let receipts = world
        .with_worker(
            &server,
            try_join_all(tasks.map(|(model, script)| archive(&server, &world, model, script))),
        )
        .await?;
    for (receipt, prompt) in receipts.iter().zip(["a kite over the sea", HOSTILE]) {
        let path = receipt.manifest_url.trim_start_matches("file://");
        set_prompt(path.as_ref(), prompt)?;
    }
    let archive = world.config.archive_url.as_str();
    let made = make(&[("SEEDANCE_ARCHIVE_URL", archive)], &[]).await?;
    let browser = Browser::start(&driver).await?;
    let looked = look(&browser, &made, &receipts, archive).await;
    browser.stop().await?;
    looked
}

/// The receipt of a task of this model, which does as the script says.
async fn archive(
    server: &Server,
    world: &World,
    model: &str,
    script: &str,
) -> anyhow::Result<Manifest> {
    let prompt = format!("--simulate {script}");
    let body = json!({"model": model, "content": [{"type": "text", "text": prompt}]});
    let http = reqwest::Client::builder().no_proxy().build()?;
    let url = format!("{}/contents/generations/tasks", world.simulator.base_url());
    let created = http
        .post(url)
        .bearer_auth(world.simulator.api_key())
        .body(body.to_string())
        .send()
        .await?
        .bytes()
        .await?;
    let created: Value = serde_json::from_slice(&created)?;
    let id = created["id"].as_str().context("no id")?;
    let result = world.start(server, id).await?.result().await?;
    result.manifest.context("no receipt")
}

async fn look(
    browser: &Browser,
    made: &Made,
    receipts: &[Manifest],
    archive: &str,
) -> anyhow::Result<()> {
    browser.open(&made.url()).await?;
    shows_cards(browser).await?;
    plays(browser, &receipts[0]).await?;
    hostile_text_stays_text(browser).await?;
    finds(browser).await?;
    obeys_keys(browser).await?;
    keeps_its_state(browser, made).await?;
    fits_a_phone(browser, made).await?;
    for url in browser.requests().await? {
        let is_own = url.starts_with(archive) || url.starts_with(&made.url());
        ensure!(
            is_own
                || url.starts_with("data:")
                || url.starts_with("about:")
                || url.starts_with("chrome:"),
            "the page asked for {url}"
        );
    }
    Ok(())
}

async fn shows_cards(browser: &Browser) -> anyhow::Result<()> {
    browser.until(&format!("{CARDS} === 3")).await?;
    // The last frame; the first one of the others.
    browser
        .until("document.querySelector('.poster img').naturalWidth === 864")
        .await?;
    browser
        .until("[...document.querySelectorAll('.poster video')].filter(it => it.readyState >= 2).length === 2")
        .await?;
    browser.picture("gallery").await?;
    let text = browser.value("document.body.innerText").await?;
    let text = text.as_str().unwrap_or_default();
    for words in [
        "3 videos",
        "a kite over the sea",
        "seedance-1-0-lite-t2v-250428",
        "1 warning",
        "8.6 MiB",
    ] {
        ensure!(text.contains(words), "no {words:?} in {text}");
    }
    Ok(())
}

async fn plays(browser: &Browser, receipt: &Manifest) -> anyhow::Result<()> {
    browser.click(".card:has(.poster img)").await?;
    browser
        .until("(it => it.readyState >= 2 && it.currentTime > 0.3 && !it.paused)(document.querySelector('#stage video'))")
        .await?;
    browser.picture("gallery-dialog").await?;
    let text = browser
        .value("document.getElementById('viewer').innerText")
        .await?;
    let text = text.as_str().unwrap_or_default();
    let seed = receipt.seed.context("no seed")?.to_string();
    let object = receipt.objects.first().context("no object")?;
    for words in [
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
        ensure!(text.contains(words), "no {words:?} in {text}");
    }
    browser.click("#close").await?;
    browser
        .until("!document.getElementById('viewer').open")
        .await
}

async fn hostile_text_stays_text(browser: &Browser) -> anyhow::Result<()> {
    let hostile = json!(HOSTILE);
    browser
        .until(&format!(
            "[...document.querySelectorAll('.name')].some(it => it.textContent === {hostile})"
        ))
        .await?;
    browser.click(".card:has(.chip.warned)").await?;
    browser
        .until(&format!(
            "document.getElementById('title').textContent === {hostile}"
        ))
        .await?;
    let text = browser
        .value("document.getElementById('viewer').innerText")
        .await?;
    ensure!(
        text.as_str()
            .is_some_and(|it| it.contains("audio: expected no sound, found sound")),
        "{text}"
    );
    browser.picture("gallery-hostile").await?;
    browser.click("#close").await?;
    let broken = browser
        .value("'broken' in window || document.scripts.length !== 2")
        .await?;
    ensure!(broken == false, "text became more than text");
    // What is not the page's own does not run, however it gets in.
    let runs = browser
        .value("(() => { const it = document.createElement('script'); it.textContent = 'window.broken = 1'; document.body.append(it); it.remove(); return 'broken' in window; })()")
        .await?;
    ensure!(runs == false, "another script ran");
    Ok(())
}

async fn finds(browser: &Browser) -> anyhow::Result<()> {
    browser.press(&['/', 'k', 'I', 't', 'e']).await?;
    browser.until(&format!("{CARDS} === 1")).await?;
    browser
        .until("document.getElementById('count').textContent === '1 of 3 videos' && location.hash === '#q=kIte'")
        .await?;
    browser.press(&['x']).await?;
    browser.until(&format!("{CARDS} === 0")).await?;
    browser.click("#clear").await?;
    browser.until(&format!("{CARDS} === 3")).await?;
    browser.click("#warnings").await?;
    browser
        .until(&format!(
            "{CARDS} === 1 && document.querySelector('.warned') !== null"
        ))
        .await?;
    browser.click("#warnings").await?;
    browser
        .click("#model option[value='seedance-1-0-lite-t2v-250428']")
        .await?;
    browser
        .until(&format!(
            "{CARDS} === 1 && document.querySelector('.model').textContent.includes('lite')"
        ))
        .await?;
    browser.click("#model option[value='']").await?;
    browser.click("#sort option[value='largest']").await?;
    browser
        .until(&format!(
            "{CARDS} === 3 && document.querySelector('.facts').textContent.includes('8.6 MiB')"
        ))
        .await
}

/// From the search on, without a mouse.
async fn obeys_keys(browser: &Browser) -> anyhow::Result<()> {
    let place = |number: u32| {
        format!(
            "document.getElementById('viewer').open && document.getElementById('position').textContent === '{number} of 3'"
        )
    };
    let focused =
        |number: u32| format!("document.activeElement.parentElement.ariaPosInSet === '{number}'");
    browser.click("#q").await?;
    browser.press(&[ENTER]).await?;
    browser.until(&focused(1)).await?;
    browser.press(&[RIGHT, RIGHT, RIGHT]).await?;
    browser.until(&focused(3)).await?;
    browser.press(&[LEFT]).await?;
    browser.until(&focused(2)).await?;
    browser.picture("gallery-focus").await?;
    browser.press(&[ENTER]).await?;
    browser.until(&place(2)).await?;
    browser.press(&['n']).await?;
    browser.until(&place(3)).await?;
    browser.press(&['p', LEFT]).await?;
    browser.until(&place(1)).await?;
    browser.press(&[RIGHT]).await?;
    browser.until(&place(2)).await?;
    browser.press(&[ESCAPE]).await?;
    browser
        .until(&format!(
            "!document.getElementById('viewer').open && {}",
            focused(2)
        ))
        .await?;
    browser.until("location.hash === '#sort=largest'").await
}

async fn keeps_its_state(browser: &Browser, made: &Made) -> anyhow::Result<()> {
    browser.press(&[ENTER]).await?;
    browser
        .until("document.getElementById('viewer').open")
        .await?;
    let hash = browser.value("location.hash").await?;
    let hash = hash.as_str().context("no hash")?;
    ensure!(
        hash.starts_with("#sort=largest&video=default%2Fcgt-"),
        "{hash}"
    );
    browser.open(&format!("{}{hash}", made.url())).await?;
    browser
        .until("document.getElementById('viewer').open && document.getElementById('sort').value === 'largest' && document.getElementById('position').textContent === '2 of 3'")
        .await
}

async fn fits_a_phone(browser: &Browser, made: &Made) -> anyhow::Result<()> {
    browser.resize(360, 740).await?;
    browser.open(&made.url()).await?;
    browser
        .until(&format!("innerWidth === 360 && {CARDS} === 3"))
        .await?;
    let widest = "document.documentElement.scrollWidth";
    browser.picture("gallery-phone").await?;
    ensure!(
        browser.value(widest).await? == 360,
        "the grid is wider than a phone"
    );
    browser.click(".card").await?;
    browser
        .until("document.getElementById('viewer').open")
        .await?;
    browser.picture("gallery-phone-dialog").await?;
    let wide = browser
        .value("[document.documentElement, document.getElementById('viewer')].filter(it => it.scrollWidth > 360).length")
        .await?;
    ensure!(wide == 0, "the dialog is wider than a phone");
    Ok(())
}
