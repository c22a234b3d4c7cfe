//! Commands for installation: `setup`, `config show`, `completions` and `--help`.

use std::sync::Arc;

use anyhow::{Context, ensure};
use serde_json::Value;
use temporalio_client::NamespacedClient;

use crate::harness::{Fixture, Server, command, nexus, register};

async fn setup_creates_what_is_missing_exactly_once(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let namespace = server.unique_name("setup");
    let setup = async |arguments: &[&str]| {
        let mut command = command();
        command
            .arg("setup")
            .args(arguments)
            .envs(server.environment())
            .env("TEMPORAL_NAMESPACE", &namespace)
            .env("SEEDANCE_API_KEY", "very-secret")
            .env("SEEDANCE_ARCHIVE_URL", fixture.config.archive_url.as_str());
        let output = command.output().await?;
        let text = String::from_utf8(output.stdout)?;
        ensure!(output.status.success(), "{}: {text}", output.status);
        ensure!(!text.contains("very-secret"), "{text}");
        Ok(text)
    };
    let endpoint = server.unique_name("setup");
    let first = setup(&["--namespace-retention", "3d", "--nexus-endpoint", &endpoint]).await?;
    let name = format!("namespace `{namespace}`");
    for part in [
        format!("created   {name}: created with a retention of 3d"),
        "created   search attributes: registered SeedanceTaskId, ".to_owned(),
        format!(
            "created   Nexus endpoint: created `{endpoint}` with the target `seedance-archiver-nexus` in the \
             namespace `{namespace}`"
        ),
        "ok        archive file://".to_owned(),
        " 0 failed".to_owned(),
    ] {
        ensure!(first.contains(&part), "no {part:?} in {first}");
    }
    let again: Value = serde_json::from_str(&setup(&["--output", "json"]).await?)?;
    let findings = again["findings"].as_array().context("no findings")?;
    ensure!(findings.len() >= 5, "{again:#}");
    ensure!(
        findings.iter().all(|finding| finding["state"] == "ok"),
        "{again:#}"
    );
    let found = findings.iter().find(|it| it["name"] == "Nexus endpoint");
    ensure!(
        found.is_some_and(|it| it["found"] == format!("`{endpoint}` exists")),
        "{again:#}"
    );
    ensure!(
        fixture.archived_files()?.is_empty(),
        "a test object was left behind in the archive"
    );
    Ok(())
}
register!(setup_creates_what_is_missing_exactly_once);

async fn setup_leaves_an_endpoint_with_another_target_unchanged(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let other = server.with_new_namespace().await?;
    let output = command()
        .args(["setup", "--nexus-endpoint", &endpoint])
        .envs(other.environment())
        .env("SEEDANCE_API_KEY", "very-secret")
        .env("SEEDANCE_ARCHIVE_URL", fixture.config.archive_url.as_str())
        .output()
        .await?;
    let text = String::from_utf8(output.stdout)?;
    ensure!(output.status.success(), "{}: {text}", output.status);
    let line = format!(
        "warning   Nexus endpoint: `{endpoint}` leads to the task queue `{}-nexus` in the namespace `{}` and was left \
         unchanged; fix: choose another name: seedance-archiver setup --nexus-endpoint NAME",
        fixture.config.task_queue,
        server.client.namespace()
    );
    ensure!(text.contains(&line), "no {line:?} in {text}");
    Ok(())
}
register!(setup_leaves_an_endpoint_with_another_target_unchanged);

async fn setup_reports_what_it_cannot_create(_: Arc<Server>) -> anyhow::Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    let output = command()
        .arg("setup")
        .env("TEMPORAL_ADDRESS", "127.0.0.1:1")
        .env(
            "SEEDANCE_ARCHIVE_URL",
            format!("file://{}/videos", file.path().display()),
        )
        .output()
        .await?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    let text = String::from_utf8(output.stdout)?;
    for part in [
        "failed    Temporal: no usable Temporal server at http://127.0.0.1:1",
        "failed    archive file://",
        "fix: set TEMPORAL_ADDRESS",
        "fix: create the directory",
    ] {
        ensure!(text.contains(part), "no {part:?} in {text}");
    }
    Ok(())
}
register!(setup_reports_what_it_cannot_create);

async fn config_show_names_the_source_of_every_setting(_: Arc<Server>) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let path = |name: &str| directory.path().join(name).display().to_string();
    std::fs::write(
        path("accounts.toml"),
        "[accounts.eu]\npreset = \"byteplus\"\napi_key = \"very-secret\"\n",
    )?;
    std::fs::write(
        path("temporal.toml"),
        "[profile.default]\naddress = \"host.of.file:7233\"\nnamespace = \"of-file\"\n\
         api_key = \"very-secret\"\n",
    )?;
    let show = async |arguments: &[&str], address: Option<&str>| {
        let output = command()
            .args(["config", "show"])
            .args(arguments)
            .envs(address.map(|address| ("TEMPORAL_ADDRESS", address)))
            .env("TEMPORAL_CONFIG_FILE", path("temporal.toml"))
            .env("TEMPORAL_NAMESPACE", "of-variable")
            .env("SEEDANCE_ACCOUNTS_FILE", path("accounts.toml"))
            .env("SEEDANCE_ARCHIVE_URL", "s3://bucket/videos")
            .output()
            .await?;
        ensure!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout)?;
        ensure!(!text.contains("very-secret"), "{text}");
        Ok(text)
    };
    let table = show(&[], None).await?;
    let accounts = path("accounts.toml");
    let temporal = format!("{}, profile default", path("temporal.toml"));
    for (name, value, source) in [
        ("temporal.address", "host.of.file:7233", temporal.as_str()),
        ("temporal.namespace", "of-variable", "TEMPORAL_NAMESPACE"),
        ("temporal.api_key", "(a secret)", &temporal),
        ("temporal.profile", "default", "default"),
        ("temporal.tls", "on, because of the API key", &temporal),
        ("accounts_file", &accounts, "SEEDANCE_ACCOUNTS_FILE"),
        ("archive_url", "s3://bucket/videos", "SEEDANCE_ARCHIVE_URL"),
        ("task_queue", "seedance-archiver", "default"),
        ("accounts.eu.preset", "byteplus", &format!("{accounts}:2")),
        (
            "accounts.eu.api_key",
            "(a secret)",
            &format!("{accounts}:3"),
        ),
        ("accounts.eu.windows.url_lifetime", "1d", "preset byteplus"),
    ] {
        let mut rows = table.lines().map(str::trim);
        let row = rows.find(|row| row.split_whitespace().next() == Some(name));
        let row = row.with_context(|| format!("no {name} in {table}"))?;
        ensure!(row.contains(value) && row.ends_with(source), "{row}");
    }
    // The scheme of the address counts more than the API key.
    let table = show(&[], Some("http://temporal.example:7233")).await?;
    let off = "off, because the address begins with `http://`";
    ensure!(table.contains(off), "{table}");
    let shown: Value = serde_json::from_str(&show(&["--output", "json"], None).await?)?;
    let settings = shown["settings"].as_array().context("no settings")?;
    let setting = |name: &str| settings.iter().find(|setting| setting["name"] == name);
    let source = &setting("accounts.eu.preset").context("no preset")?["source"];
    ensure!(source["line"]["line"] == 2, "{source}");
    ensure!(setting("task_queue").context("no queue")?["source"] == "default");
    Ok(())
}
register!(config_show_names_the_source_of_every_setting);

/// A template that sets every variable leaves those empty that are not needed.
async fn an_empty_variable_of_temporal_is_not_set(_: Arc<Server>) -> anyhow::Result<()> {
    let empty = [
        "TEMPORAL_ADDRESS",
        "TEMPORAL_API_KEY",
        "TEMPORAL_TLS_SERVER_NAME",
    ];
    let output = command()
        .args(["config", "show"])
        .envs(empty.map(|name| (name, "")))
        .env("SEEDANCE_API_KEY", "very-secret")
        .env("SEEDANCE_ARCHIVE_URL", "s3://bucket/videos")
        .output()
        .await?;
    ensure!(output.status.success(), "{output:?}");
    let table = String::from_utf8(output.stdout)?;
    for (name, value) in [
        ("temporal.address", "localhost:7233"),
        ("temporal.api_key", "(none)"),
        ("temporal.tls", "off"),
    ] {
        let mut rows = table.lines().map(|row| row.split_whitespace());
        let is_expected = rows.any(|row| row.eq([name, value, "default"]));
        ensure!(is_expected, "no {name} {value} in {table}");
    }
    Ok(())
}
register!(an_empty_variable_of_temporal_is_not_set);

async fn config_show_reports_invalid_settings(_: Arc<Server>) -> anyhow::Result<()> {
    let output = command()
        .args(["config", "show"])
        .env("SEEDANCE_API_KEY", "very-secret")
        .env("SEEDANCE_ARCHIVE_URL", "videos")
        .output()
        .await?;
    ensure!(output.status.code() == Some(78), "{output:?}");
    let (table, stderr) = (
        String::from_utf8(output.stdout)?,
        String::from_utf8(output.stderr)?,
    );
    ensure!(table.contains("(cannot be used)"), "{table}");
    ensure!(table.contains("accounts.default.base_url"), "{table}");
    ensure!(
        stderr.contains("SEEDANCE_ARCHIVE_URL is not a URL"),
        "{stderr}"
    );
    ensure!(!table.contains("very-secret"), "{table}");
    Ok(())
}
register!(config_show_reports_invalid_settings);

async fn completions_are_generated_for_every_shell(_: Arc<Server>) -> anyhow::Result<()> {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = command().args(["completions", shell]).output().await?;
        let script = String::from_utf8(output.stdout)?;
        ensure!(output.status.success(), "{shell}");
        for word in ["doctor", "before-deadline", "submission-id"] {
            ensure!(script.contains(word), "no {word} in the script for {shell}");
        }
    }
    let output = command().arg("--help").output().await?;
    let help = String::from_utf8(output.stdout)?;
    let [examples, commands, codes] =
        ["Examples:", "Commands:", "Exit codes:"].map(|part| help.find(part));
    ensure!(
        examples.is_some() && examples < commands && commands < codes,
        "{help}"
    );
    Ok(())
}
register!(completions_are_generated_for_every_shell);
