//! A headless Chromium, driven by chromedriver.

mod driving;

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, anyhow, ensure};
use fantoccini::{Client, ClientBuilder, wd::Capabilities};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// Longest time for a page.
const PAGE: Duration = Duration::from_secs(60);
/// The UI shows current details in a frame, which the text of a page leaves out.
const TEXT: &str =
    "return [document, ...[...document.querySelectorAll('iframe')].map(it => it.contentDocument)]
    .map(it => it?.body?.innerText ?? '').join('\\n')";

pub(crate) struct Browser {
    client: Client,
    // Chromium ends with its driver, because it hangs on a pipe to it.
    _driver: Child,
    _profile: TempDir,
}

impl Browser {
    pub(crate) async fn start(chromedriver: &Path) -> anyhow::Result<Self> {
        let profile = tempfile::tempdir()?;
        let mut driver = Command::new(chromedriver)
            .arg("--port=0")
            .env("TMPDIR", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let port = port_of(&mut driver).await?;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(profile.path()))
            .connect(&format!("http://127.0.0.1:{port}"))
            .await?;
        Ok(Self {
            client,
            _driver: driver,
            _profile: profile,
        })
    }

    /// The text of a page, once it has all of these parts. With `SCREENSHOTS` set to a folder, a picture
    /// of the page is left there.
    pub(crate) async fn read(&self, url: &str, parts: &[&str]) -> anyhow::Result<String> {
        // A blank page first, so that no text is taken for that of the next page.
        self.client.goto("about:blank").await?;
        self.client.goto(url).await?;
        let mut text = String::new();
        let read = async {
            while !parts.iter().all(|part| text.contains(part)) {
                tokio::time::sleep(Duration::from_millis(100)).await;
                // The page may be in between two documents.
                if let Ok(value) = self.client.execute(TEXT, Vec::new()).await {
                    text = value.as_str().unwrap_or_default().to_owned();
                }
            }
        };
        let is_read = tokio::time::timeout(PAGE, read).await.is_ok();
        self.take_screenshot(url).await?;
        ensure!(is_read, "{url} has not all of {parts:?}:\n{text}");
        Ok(text)
    }

    async fn take_screenshot(&self, url: &str) -> anyhow::Result<()> {
        let Some(folder) = std::env::var_os("SCREENSHOTS") else {
            return Ok(());
        };
        let name = url.rsplit("/workflows").next().unwrap_or_default();
        let name = format!("{}.png", name.replace(['/', '%'], "-"));
        std::fs::write(
            PathBuf::from(folder).join(name),
            self.client.screenshot().await?,
        )?;
        Ok(())
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        Ok(self.client.close().await?)
    }
}

/// The port that the driver has chosen, from what it prints.
async fn port_of(driver: &mut Child) -> anyhow::Result<u16> {
    let output = driver.stdout.take().context("no output")?;
    let mut lines = BufReader::new(output).lines();
    let read = async {
        while let Some(line) = lines.next_line().await? {
            if let Some((_, port)) = line.split_once("successfully on port ") {
                return Ok(port.trim_end_matches('.').parse()?);
            }
        }
        Err(anyhow!("chromedriver ended"))
    };
    tokio::time::timeout(PAGE, read).await?
}

fn capabilities(profile: &Path) -> Capabilities {
    let profile = format!("--user-data-dir={}", profile.join("profile").display());
    let arguments = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--no-proxy-server",
        "--remote-debugging-pipe",
        "--lang=en-US",
        "--window-size=1400,1600",
        &profile,
    ];
    let mut capabilities = Capabilities::new();
    // A page that is never done loading is read all the same.
    capabilities.insert("pageLoadStrategy".into(), json!("none"));
    // Every request, for whoever asks.
    capabilities.insert("goog:loggingPrefs".into(), json!({ "performance": "ALL" }));
    capabilities.insert("goog:chromeOptions".into(), json!({ "args": arguments }));
    capabilities
}
