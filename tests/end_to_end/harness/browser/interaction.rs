//! User actions on a page, and the state and requests of a page.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::Browser;
use crate::until::until_async;

impl Browser {
    /// Opens a page, and waits until it is loaded.
    pub(crate) async fn open(&self, url: &str) -> anyhow::Result<()> {
        // Opens a blank page first, because a URL that differs only in its fragment would not be loaded.
        self.go_to("about:blank").await?;
        self.go_to(url).await?;
        self.wait_until("document.readyState === 'complete' && location.href !== 'about:blank'")
            .await
    }

    /// Evaluates an expression in the page.
    pub(crate) async fn evaluate(&self, expression: &str) -> anyhow::Result<Value> {
        let value = self.execute(&format!("return {expression}")).await;
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
        let locator = json!({"using": "css selector", "value": selector});
        let element = self.session.post("element", locator).await?;
        let ids = element.as_object().context("no element")?;
        let id = ids.values().next().and_then(Value::as_str);
        let command = format!("element/{}/click", id.context("no element id")?);
        self.session.post(&command, json!({})).await?;
        Ok(())
    }

    /// Presses keys in sequence, in the focused element.
    pub(crate) async fn press(&self, keys: &[char]) -> anyhow::Result<()> {
        let actions: Vec<_> = keys
            .iter()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key})))
            .collect();
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": actions});
        let body = json!({"actions": [keyboard]});
        self.session.post("actions", body).await?;
        Ok(())
    }

    /// Emulates a phone screen, which can be narrower than a desktop window.
    pub(crate) async fn resize(&self, width: u32, height: u32) -> anyhow::Result<()> {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": true});
        let body = json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics});
        self.session.post("goog/cdp/execute", body).await?;
        Ok(())
    }

    /// Returns the URLs that pages requested since the last call.
    pub(crate) async fn requests(&self) -> anyhow::Result<Vec<String>> {
        let log = self
            .session
            .post("se/log", json!({"type": "performance"}))
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
            let screenshot = self.screenshot().await?;
            std::fs::write(
                PathBuf::from(directory).join(format!("{name}.png")),
                screenshot,
            )?;
        }
        Ok(())
    }
}
