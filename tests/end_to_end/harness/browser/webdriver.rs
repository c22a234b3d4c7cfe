//! A client of chromedriver's HTTP API, for the few commands that the tests use.

use anyhow::{Context, ensure};
use reqwest::Method;
use serde_json::{Value, json};

/// A session of a browser. Its commands: <https://www.w3.org/TR/webdriver2/#endpoints>.
pub(super) struct Session {
    http: reqwest::Client,
    url: String,
}

impl Session {
    /// Starts a browser.
    pub(super) async fn start(port: u16, capabilities: Value) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let url = format!("http://127.0.0.1:{port}/session");
        let body = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let session = send(&http, Method::POST, &url, Some(body)).await?;
        let id = session["sessionId"].as_str().context("no session id")?;
        let url = format!("{url}/{id}");
        Ok(Self { http, url })
    }

    pub(super) async fn get(&self, command: &str) -> anyhow::Result<Value> {
        send(&self.http, Method::GET, &self.command_url(command), None).await
    }

    pub(super) async fn post(&self, command: &str, body: Value) -> anyhow::Result<Value> {
        let url = self.command_url(command);
        send(&self.http, Method::POST, &url, Some(body)).await
    }

    /// Closes the browser.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        send(&self.http, Method::DELETE, &self.url, None).await?;
        Ok(())
    }

    fn command_url(&self, command: &str) -> String {
        format!("{}/{command}", self.url)
    }
}

/// Sends a command, and returns the value in the response.
async fn send(
    http: &reqwest::Client,
    method: Method,
    url: &str,
    body: Option<Value>,
) -> anyhow::Result<Value> {
    let request = http.request(method, url);
    let request = match body {
        Some(body) => request.body(body.to_string()),
        None => request,
    };
    let response = request.send().await?;
    let status = response.status();
    let body = response.bytes().await?;
    let mut body: Value = serde_json::from_slice(&body)?;
    let value = body["value"].take();
    ensure!(status.is_success(), "{url}: HTTP {status}: {value}");
    Ok(value)
}
