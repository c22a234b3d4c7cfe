//! Checks that the receivers of events respond.

use std::time::Duration;

use futures::future::join_all;
use reqwest::Client;

use super::CheckResult;
use crate::{
    config::{Account, Accounts, Webhook},
    http,
};

/// How long a receiver may take to respond.
const TIMEOUT: Duration = Duration::from_secs(15);
const FIX: &str = "correct `webhook.url` (SEEDANCE_WEBHOOK_URL), or start the receiver; events are repeated for three days";

/// Checks the webhooks of all accounts concurrently. Sends a `HEAD` request, which is no event.
pub async fn check(accounts: &Accounts) -> Vec<CheckResult> {
    let checks = accounts.iter().map(async |account| {
        let webhook = account.webhook.as_ref()?;
        let name = format!("webhook of `{}`", account.name());
        Some(match request(account, webhook).await {
            Ok(found) => CheckResult::ok(name, found),
            Err(error) => CheckResult::warning(name, error, FIX),
        })
    });
    join_all(checks).await.into_iter().flatten().collect()
}

/// Requests the URL, and describes the response. The description contains the host, but nothing else of the URL.
async fn request(account: &Account, webhook: &Webhook) -> Result<String, String> {
    let url = webhook
        .receiver(account.proxy.as_ref())
        .map_err(|problem| format!("the URL {problem}"))?;
    let keys = webhook
        .signing_keys()
        .map_err(|problem| format!("the key {problem}"))?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let client = match &account.endpoint.http {
        Some(client) => client.clone(),
        None => client()?,
    };
    let response = client.head(url).timeout(TIMEOUT).send().await;
    let response =
        response.map_err(|error| format!("no response from {host}: {}", http::describe(error)))?;
    Ok(format!(
        "{host} responds (HEAD: {}); each event is signed by {} key{}",
        response.status().as_u16(),
        keys.len(),
        if keys.len() == 1 { "" } else { "s" }
    ))
}

fn client() -> Result<Client, String> {
    http::client().map_err(http::describe)
}
