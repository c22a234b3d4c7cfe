//! What a person does to a page, and what a page asks for.

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
    pub(crate) async fn open(&self, url: &str) -> anyhow::Result<()> {
        // A blank page first, so that another `#` is another page.
        self.client.goto("about:blank").await?;
        self.client.goto(url).await?;
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")
            .await
    }

    /// What an expression comes to in the page.
    pub(crate) async fn value(&self, expression: &str) -> anyhow::Result<Value> {
        let script = format!("return {expression}");
        let value = self.client.execute(&script, Vec::new()).await;
        value.with_context(|| expression.to_owned())
    }

    /// Waits until an expression is true in the page.
    pub(crate) async fn until(&self, expression: &str) -> anyhow::Result<()> {
        // The page may be in between two documents.
        let is_true = || async { Ok(self.value(expression).await.is_ok_and(|it| it == true)) };
        let waited = until_async(expression, is_true).await;
        if waited.is_err() {
            let text = self.value("document.body.innerText").await?;
            return waited.with_context(|| text.to_string());
        }
        waited
    }

    pub(crate) async fn click(&self, selector: &str) -> anyhow::Result<()> {
        let element = self.client.find(Locator::Css(selector)).await?;
        Ok(element.click().await?)
    }

    /// Presses keys one after another, whatever has the focus.
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

    /// A window as wide as a phone has it, which is less than a desktop allows.
    pub(crate) async fn resize(&self, width: u32, height: u32) -> anyhow::Result<()> {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": true});
        let body = json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics});
        self.ask("goog/cdp/execute", body).await.map(drop)
    }

    /// Every URL that pages have asked for since the last call.
    pub(crate) async fn requests(&self) -> anyhow::Result<Vec<String>> {
        let log = self.ask("se/log", json!({"type": "performance"})).await?;
        let mut urls = Vec::new();
        for entry in log.as_array().context("no log")? {
            let entry: Value = serde_json::from_str(entry["message"].as_str().unwrap_or_default())?;
            let message = &entry["message"];
            if message["method"] == "Network.requestWillBeSent" {
                let url = message["params"]["request"]["url"].as_str();
                urls.push(url.unwrap_or_default().to_owned());
            }
        }
        ensure!(!urls.is_empty(), "the log has no requests: {log}");
        Ok(urls)
    }

    /// With `SCREENSHOTS` set to a folder, a picture of the page is left there.
    pub(crate) async fn picture(&self, name: &str) -> anyhow::Result<()> {
        if let Some(folder) = std::env::var_os("SCREENSHOTS") {
            let picture = self.client.screenshot().await?;
            std::fs::write(PathBuf::from(folder).join(format!("{name}.png")), picture)?;
        }
        Ok(())
    }

    async fn ask(&self, endpoint: &'static str, body: Value) -> anyhow::Result<Value> {
        Ok(self.client.issue_cmd(Vendor { endpoint, body }).await?)
    }
}

/// A command of chromedriver's own.
#[derive(Debug)]
struct Vendor {
    endpoint: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Vendor {
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
