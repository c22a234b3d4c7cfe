//! A headless Chromium, controlled through chromedriver.

mod interaction;
mod webdriver;

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, anyhow, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use self::webdriver::Session;
use super::tools;

/// Maximum time for a page to show what a test expects.
const PAGE_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// Time after which a page that does not show what a test expects is opened again: the Web UI does not repeat a request that
/// the server refused because it was busy.
const REOPEN_AFTER: Duration = Duration::from_secs(60);
/// Maximum number of starts of the driver, which may exit because of a port.
const MAX_DRIVER_STARTS: usize = 3;
/// A script that returns the text of a page and of its frames: the Web UI shows current details in a frame.
const PAGE_TEXT: &str =
    "return [document, ...[...document.querySelectorAll('iframe')].map(it => it.contentDocument)]
    .map(it => it?.body?.innerText ?? '').join('\\n')";

/// A browser. [`Browser::stop`] closes it cleanly.
pub(crate) struct Browser {
    session: Session,
    // Chromium exits with the driver, because they are connected by a pipe.
    _driver: Child,
    _profile: TempDir,
}

impl Browser {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let profile = tempfile::tempdir()?;
        let (driver, port) = start_driver(profile.path()).await?;
        Ok(Self {
            session: Session::start(port, capabilities(profile.path())).await?,
            _driver: driver,
            _profile: profile,
        })
    }

    /// Opens a page, waits until it contains all of `parts`, and returns its text. The case is ignored, because
    /// style sheets can change it. If the environment variable `SCREENSHOTS` names a directory, a screenshot of the
    /// page is saved there.
    pub(crate) async fn read(&self, url: &str, parts: &[&str]) -> anyhow::Result<String> {
        let mut text = String::new();
        let read = async {
            loop {
                self.load(url).await?;
                let shown = tokio::time::timeout(REOPEN_AFTER, self.show(parts, &mut text));
                if shown.await.is_ok() {
                    return anyhow::Ok(());
                }
            }
        };
        let read = tokio::time::timeout(PAGE_TIMEOUT, read).await;
        let has_parts = read.map_or(Ok(false), |opened| opened.map(|()| true))?;
        self.take_screenshot(url).await?;
        ensure!(has_parts, "not all of {parts:?} appear on {url}:\n{text}");
        Ok(text)
    }

    async fn load(&self, url: &str) -> anyhow::Result<()> {
        // Opens a blank page first, so that the text of the previous page is not mistaken for that of this one.
        self.go_to("about:blank").await?;
        self.go_to(url).await
    }

    /// Waits until the text of the page contains all of `parts`.
    async fn show(&self, parts: &[&str], text: &mut String) {
        loop {
            // The script fails while the page changes from one document to the next.
            if let Ok(value) = self.execute(PAGE_TEXT).await {
                *text = value.as_str().unwrap_or_default().to_owned();
            }
            if contains_all(text, parts) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn take_screenshot(&self, url: &str) -> anyhow::Result<()> {
        let Some(directory) = std::env::var_os("SCREENSHOTS") else {
            return Ok(());
        };
        let name = url.rsplit("/workflows").next().unwrap_or_default();
        let name = format!("{}.png", name.replace(['/', '%'], "-"));
        std::fs::write(
            PathBuf::from(directory).join(name),
            self.screenshot().await?,
        )?;
        Ok(())
    }

    /// Returns a PNG of the page.
    async fn screenshot(&self) -> anyhow::Result<Vec<u8>> {
        let png = self.session.get("screenshot").await?;
        let png = png.as_str().context("no screenshot")?;
        Ok(BASE64_STANDARD.decode(png)?)
    }

    async fn go_to(&self, url: &str) -> anyhow::Result<()> {
        self.session.post("url", json!({ "url": url })).await?;
        Ok(())
    }

    /// Runs a script in the page, and returns what it returns.
    async fn execute(&self, script: &str) -> anyhow::Result<Value> {
        let body = json!({ "script": script, "args": [] });
        self.session.post("execute/sync", body).await
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.session.close().await
    }
}

fn contains_all(text: &str, parts: &[&str]) -> bool {
    let text = text.to_lowercase();
    parts.iter().all(|part| text.contains(&part.to_lowercase()))
}

/// Starts the driver, and returns the port on which it listens.
async fn start_driver(profile: &Path) -> anyhow::Result<(Child, u16)> {
    let mut starts = 1;
    loop {
        let mut driver = Command::new(tools::chromedriver()?)
            .arg("--port=0")
            .env("TMPDIR", profile)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        match driver_port(&mut driver).await {
            Ok(port) => return Ok((driver, port)),
            // It binds one port for IPv4 and IPv6, and exits if another process has the port for one of them.
            Err(_) if starts < MAX_DRIVER_STARTS => starts += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Reads from the driver's output the port on which the driver listens.
async fn driver_port(driver: &mut Child) -> anyhow::Result<u16> {
    let output = driver.stdout.take().context("chromedriver has no stdout")?;
    let mut lines = BufReader::new(output).lines();
    let read = async {
        while let Some(line) = lines.next_line().await? {
            if let Some((_, port)) = line.split_once("successfully on port ") {
                return Ok(port.trim_end_matches('.').parse()?);
            }
        }
        Err(anyhow!("chromedriver exited"))
    };
    tokio::time::timeout(PAGE_TIMEOUT, read).await?
}

fn capabilities(profile: &Path) -> Value {
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
    json!({
        // Do not wait for the load event: the Web UI keeps requests open.
        "pageLoadStrategy": "none",
        // Log requests, for `Browser::requests`.
        "goog:loggingPrefs": { "performance": "ALL" },
        "goog:chromeOptions": { "args": arguments },
    })
}
