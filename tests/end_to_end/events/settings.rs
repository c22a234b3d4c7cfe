//! The settings of a webhook: on the command line, and in a file that changes.

use std::{path::PathBuf, sync::Arc};

use anyhow::{anyhow, ensure};
use reqwest::Url;
use seedance_archiver::config::Secret;
use seedance_archiver_simulator::Script;
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{
    Fixture, Server, command,
    deliveries::Delivery,
    receiver::{KEY, Receiver, TOKEN},
    register,
};

/// An accounts file with a webhook.
struct AccountsFile {
    directory: TempDir,
    path: PathBuf,
}

impl AccountsFile {
    fn new(webhook: &str) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("accounts.toml");
        let text = format!(
            "[accounts.eu]\nbase_url = \"https://127.0.0.1:1\"\napi_key = \"an-api-key\"\n\n[accounts.eu.webhook]\n{webhook}\n"
        );
        std::fs::write(&path, text)?;
        Ok(Self { directory, path })
    }

    /// Runs a command, and returns what it prints.
    async fn run(&self, server: &Server, arguments: &[&str]) -> anyhow::Result<String> {
        let archive = Url::from_directory_path(self.directory.path());
        let archive = archive.map_err(|()| anyhow!("no file URL"))?;
        let output = command()
            .args(arguments)
            .envs(server.environment())
            .env("SEEDANCE_ACCOUNTS_FILE", &self.path)
            .env("SEEDANCE_ARCHIVE_URL", archive.as_str())
            .output()
            .await?;
        let text = [output.stdout, output.stderr].concat();
        Ok(String::from_utf8(text)?)
    }
}

async fn the_configuration_shows_that_there_is_a_webhook(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let webhook = format!("url = \"https://r.example/{TOKEN}\"\nkey = \"{KEY}\"");
    let file = AccountsFile::new(&webhook)?;
    let shown = file.run(&server, &["config", "show"]).await?;
    for name in ["accounts.eu.webhook.url", "accounts.eu.webhook.key"] {
        let line = shown.lines().find(|line| line.contains(name));
        let is_secret = line.is_some_and(|line| line.contains("(a secret)"));
        ensure!(is_secret, "{name}: {shown}");
    }
    ensure!(!shown.contains(TOKEN) && !shown.contains(KEY), "{shown}");
    Ok(())
}
register!(the_configuration_shows_that_there_is_a_webhook);

async fn a_wrong_url_is_reported_with_its_line(server: Arc<Server>) -> anyhow::Result<()> {
    let webhook = format!("url = \"receiver.example/{TOKEN}\"\nkey = \"{KEY}\"");
    let file = AccountsFile::new(&webhook)?;
    let shown = file.run(&server, &["worker"]).await?;
    let expected = "accounts.toml:6: accounts.eu.webhook.url is not a URL; use a URL such as";
    ensure!(shown.contains(expected), "{shown}");
    ensure!(!shown.contains(TOKEN), "{shown}");
    Ok(())
}
register!(a_wrong_url_is_reported_with_its_line);

/// The file of the URL is replaced while the worker runs.
async fn a_url_that_would_be_sent_unencrypted_is_not_used(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let receiver = Receiver::start()?;
    let url_file = tempfile::NamedTempFile::new()?;
    std::fs::write(&url_file, format!("http://receiver.example/{TOKEN}"))?;
    let fixture = Fixture::with_account(&server, |account| {
        receiver.set_webhook(account);
        if let Some(webhook) = &mut account.webhook {
            webhook.url = Secret::File(url_file.path().to_owned());
        }
    })
    .await?;
    let id = fixture.simulator.create(Script::default());
    fixture
        .with_worker(&server, async {
            fixture.start_lifecycle(&server, &id).await?;
            let delivery = Delivery::about(&server, &id).await?;
            let message = delivery
                .until_waiting("plain HTTP over a public network")
                .await?;
            ensure!(!message.contains(TOKEN), "{message}");
            std::fs::write(&url_file, receiver.url())?;
            ensure!(delivery.result().await?.status == 204);
            Ok(())
        })
        .await
}
register!(a_url_that_would_be_sent_unencrypted_is_not_used);

async fn doctor_finds_a_receiver_that_is_down(server: Arc<Server>) -> anyhow::Result<()> {
    let mut receiver = Receiver::reserve()?;
    let webhook = format!("url = \"{}\"\nkey = \"{KEY}\"", receiver.url());
    let file = AccountsFile::new(&webhook)?;
    let finding = async || {
        let shown = file.run(&server, &["doctor", "--output", "json"]).await?;
        ensure!(!shown.contains(TOKEN) && !shown.contains(KEY), "{shown}");
        let findings: Value = serde_json::from_str(&shown)?;
        let findings = findings["findings"].as_array().cloned().unwrap_or_default();
        let mut findings = findings.into_iter();
        let finding = findings.find(|it| it["name"] == "webhook of `eu`");
        Ok(finding.unwrap_or_default())
    };
    let down = finding().await?;
    ensure!(down["state"] == "warning", "{down:#}");
    receiver.listen()?;
    let up = finding().await?;
    ensure!(up["state"] == "ok", "{up:#}");
    let received = receiver.received();
    ensure!(
        received.len() == 1 && received[0].body.is_empty(),
        "{received:?}"
    );
    Ok(())
}
register!(doctor_finds_a_receiver_that_is_down);
