//! User actions on a page, and the state and requests of a page.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use fantoccini::{
    Locator,
    actions::{InputSource, KeyAction, KeyActions},
    wd::WebDriverCompatibleCommand,
};
use reqwest::{Method, Url};
use serde_json::{Value, json};

use super::Browser;
use crate::until::until_async;

impl Browser {
    /// Opens a page, and waits until it is loaded.
    pub(crate) async fn open(&self, url: &str) -> anyhow::Result<()> {
        // Opens a blank page first, because a URL that differs only in its fragment would not be loaded.
        self.client.goto("about:blank").await?;
        self.client.goto(url).await?;
        self.wait_until("document.readyState === 'complete' && location.href !== 'about:blank'")
            .await
    }

    /// Evaluates an expression in the page.
    pub(crate) async fn evaluate(&self, expression: &str) -> anyhow::Result<Value> {
        let script = format!("return {expression}");
        let value = self.client.execute(&script, Vec::new()).await;
        value.with_context(|| expression.to_owned())
    }

    /// Waits until an expression is true in the page.
    pub(crate) async fn wait_until(&self, expression: &str) -> anyhow::Result<()> {
        // The script fails while the page changes from one document to the next.
        let is_true = || async {
            Ok(self
                .evaluate(expression)
                .await
                .is_ok_and(|value| value == true))
        };
        let waited = until_async(expression, is_true).await;
        if waited.is_err() {
            let text = self.evaluate("document.body.innerText").await?;
            return waited.with_context(|| text.to_string());
        }
        waited
    }

    /// Clicks the element that a CSS selector finds.
    pub(crate) async fn click(&self, selector: &str) -> anyhow::Result<()> {
        let element = self.client.find(Locator::Css(selector)).await?;
        Ok(element.click().await?)
    }

    /// Presses keys in sequence, in the focused element.
    pub(crate) async fn press(&self, keys: &[char]) -> anyhow::Result<()> {
        let actions = keys
            .iter()
            .fold(KeyActions::new("keyboard".into()), |actions, &value| {
                actions
                    .then(KeyAction::Down { value })
                    .then(KeyAction::Up { value })
            });
        Ok(self.client.perform_actions(actions).await?)
    }

    /// Emulates a phone screen, which can be narrower than a desktop window.
    pub(crate) async fn resize(&self, width: u32, height: u32) -> anyhow::Result<()> {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": true});
        let body = json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics});
        self.command("goog/cdp/execute", body).await.map(drop)
    }

    /// Returns the URLs that pages requested since the last call.
    pub(crate) async fn requests(&self) -> anyhow::Result<Vec<String>> {
        let log = self
            .command("se/log", json!({"type": "performance"}))
            .await?;
        let mut urls = Vec::new();
        for entry in log.as_array().context("no log")? {
            let entry: Value = serde_json::from_str(entry["message"].as_str().unwrap_or_default())?;
            let message = &entry["message"];
            if message["method"] == "Network.requestWillBeSent" {
                let url = message["params"]["request"]["url"].as_str();
                urls.push(url.unwrap_or_default().to_owned());
            }
        }
        ensure!(!urls.is_empty(), "no requests in the log: {log}");
        Ok(urls)
    }

    /// Saves a screenshot of the page, if the environment variable `SCREENSHOTS` names a directory.
    pub(crate) async fn save_screenshot(&self, name: &str) -> anyhow::Result<()> {
        if let Some(directory) = std::env::var_os("SCREENSHOTS") {
            let screenshot = self.client.screenshot().await?;
            std::fs::write(
                PathBuf::from(directory).join(format!("{name}.png")),
                screenshot,
            )?;
        }
        Ok(())
    }

    async fn command(&self, endpoint: &'static str, body: Value) -> anyhow::Result<Value> {
        Ok(self
            .client
            .issue_cmd(ChromeCommand { endpoint, body })
            .await?)
    }
}

/// A command that only chromedriver has.
#[derive(Debug)]
struct ChromeCommand {
    endpoint: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for ChromeCommand {
    fn endpoint(
        &self,
        base: &Url,
        session: Option<&str>,
    ) -> Result<Url, <Url as std::str::FromStr>::Err> {
        let session = session.unwrap_or_default();
        base.join(&format!("session/{session}/{}", self.endpoint))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
