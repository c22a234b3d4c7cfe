//! Which videos `rescue` tries, and which ones it counts as dead.

use std::{
    path::{Path, PathBuf},
    process::Output,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use seedance_archiver_simulator::{Fault, HostDialect, ListDialect, Script};
use serde_json::Value;
use tempfile::TempDir;

use super::{ended, found, rescue, rescue_json};
use crate::{
    free_address::free_address,
    harness::{DAY, Fixture, HOUR, Server, command, register, until},
};

/// The expiry in the URL has not passed, but the host rejects the URL.
async fn does_not_wait_for_a_video_whose_url_is_dead(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let refused = fixture.simulator.create(Script {
        signs_once: true,
        dead_urls: 1,
        // Long enough to be listed on a busy machine. The rescue waits until then.
        ..ended(HOUR, HOUR + Duration::from_secs(60))
    });
    let good = fixture.simulator.create(ended(HOUR, HOUR));
    let directory = tempfile::tempdir()?;
    let output = rescue(&fixture, &directory, &["--output", "json"]).await?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    let saved: Value = serde_json::from_slice(&output.stdout)?;
    let videos = &saved["videos"];
    ensure!(videos[0]["task_id"] == refused, "{saved:#}");
    let message = videos[0]["message"].as_str().unwrap_or_default();
    ensure!(
        message.contains("gave up after the expiry of the URL"),
        "{saved:#}"
    );
    ensure!(videos[1]["task_id"] == good, "{saved:#}");
    ensure!(videos[1]["outcome"] == "archived", "{saved:#}");
    Ok(())
}
register!(does_not_wait_for_a_video_whose_url_is_dead, takes_long);

/// Writes an accounts file in which URLs work for an hour.
fn write_url_lifetime(fixture: &Fixture, directory: &TempDir) -> anyhow::Result<PathBuf> {
    let settings = format!(
        "[accounts.default]\nbase_url = \"{}\"\napi_key = \"{}\"\nwindows = {{ url_lifetime = \"1h\" }}\n",
        fixture.simulator.base_url(),
        fixture.simulator.api_key()
    );
    let path = directory.path().join("accounts.toml");
    std::fs::write(&path, settings)?;
    Ok(path)
}

/// A failure of the host says nothing about the URL.
async fn a_video_is_dead_only_if_its_host_says_so(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let mut expected = Vec::new();
    for status in [408, 429, 503] {
        let host = HostDialect {
            busy: u64::MAX,
            busy_status: Some(status),
            ..HostDialect::default()
        };
        let id = fixture.simulator.create(Script {
            host,
            ..ended(2 * HOUR, DAY)
        });
        expected.push((id, "missing".to_owned()));
    }
    for status in [403, 410] {
        let host = HostDialect {
            refusal_status: Some(status),
            ..HostDialect::default()
        };
        let id = fixture.simulator.create(Script {
            host,
            signs_once: true,
            ..ended(2 * HOUR, HOUR)
        });
        expected.push((id, "dead".to_owned()));
    }
    let directory = tempfile::tempdir()?;
    let accounts = write_url_lifetime(&fixture, &directory)?;
    let output = rescue_with(&accounts, &directory, &["--dry-run"]).await?;
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let mut found = found(&report)?;
    found.sort();
    expected.sort();
    ensure!(found == expected, "{report:#}");
    // The rescue waits for such a host no longer than for a URL that has just expired.
    let mut videos = report["found"]["videos"].as_array().into_iter().flatten();
    ensure!(
        videos.all(|video| video["url_expires_at"].is_i64()),
        "{report:#}"
    );
    Ok(())
}
register!(a_video_is_dead_only_if_its_host_says_so);

/// Returns the script of a task whose URL has expired, on a host that nobody can reach.
fn unreachable() -> anyhow::Result<Script> {
    Ok(Script {
        video_url: Some(format!("http://{}/video.mp4", free_address()?)),
        ..ended(2 * HOUR, DAY)
    })
}

/// One failure of the host, or of the way to it, decides nothing.
async fn a_host_that_fails_is_asked_again(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let host = HostDialect {
        busy: 2,
        ..HostDialect::default()
    };
    let busy = fixture.simulator.create(Script {
        host,
        ..ended(2 * HOUR, DAY)
    });
    let unreachable = fixture.simulator.create(unreachable()?);
    let directory = tempfile::tempdir()?;
    let accounts = write_url_lifetime(&fixture, &directory)?;
    let output = rescue_with(&accounts, &directory, &["--dry-run"]).await?;
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let missing = [unreachable, busy].map(|id| (id, "missing".to_owned()));
    ensure!(found(&report)? == missing, "{report:#}");
    let videos = &report["found"]["videos"];
    ensure!(videos[0]["url_expires_at"].is_i64(), "{report:#}");
    // The host says that the URL works for longer than the configuration says.
    ensure!(videos[1]["url_expires_at"].is_null(), "{report:#}");
    Ok(())
}
register!(a_host_that_fails_is_asked_again);

/// Runs `rescue` with an accounts file in a directory.
async fn rescue_with(
    accounts: &Path,
    directory: &TempDir,
    arguments: &[&str],
) -> anyhow::Result<Output> {
    let mut command = command();
    command
        .args(["rescue", "--output", "json"])
        .args(arguments)
        .env("SEEDANCE_ACCOUNTS_FILE", accounts)
        .current_dir(directory)
        .kill_on_drop(true);
    Ok(command.output().await?)
}

/// It would retry for the days in which a query could return a fresh URL.
async fn gives_up_a_video_whose_host_is_unavailable(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let host = HostDialect {
        busy: u64::MAX,
        ..HostDialect::default()
    };
    let busy = fixture.simulator.create(Script {
        host,
        ..ended(2 * HOUR, DAY)
    });
    let unreachable = fixture.simulator.create(unreachable()?);
    let directory = tempfile::tempdir()?;
    let accounts = write_url_lifetime(&fixture, &directory)?;
    let output = rescue_with(&accounts, &directory, &[]).await?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let videos = report["videos"].as_array().context("no videos")?;
    ensure!(videos.len() == 2, "{report:#}");
    for id in [busy, unreachable] {
        let video = videos.iter().find(|video| video["task_id"] == id);
        let video = video.context("not tried")?;
        ensure!(video["outcome"] != "archived", "{report:#}");
        // Not that the URL is dead, which nobody said.
        let message = video["message"].as_str().unwrap_or_default();
        ensure!(
            message.contains("gave up after the expiry of the URL; last status: cannot download"),
            "{report:#}"
        );
    }
    Ok(())
}
register!(gives_up_a_video_whose_host_is_unavailable, takes_long);

/// A URL that looks dead is tried when there is no other: only the host knows whether it works.
async fn a_video_whose_url_works_for_longer_than_configured_is_archived(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let works = fixture.simulator.create(ended(2 * HOUR, DAY));
    let dead = fixture.simulator.create(Script {
        signs_once: true,
        ..ended(3 * HOUR, HOUR)
    });
    let directory = tempfile::tempdir()?;
    let accounts = write_url_lifetime(&fixture, &directory)?;
    let output = rescue_with(&accounts, &directory, &[]).await?;
    let report: Value = serde_json::from_slice(&output.stdout)?;
    ensure!(
        found(&report)?
            == [
                (works.clone(), "missing".to_owned()),
                (dead, "dead".to_owned())
            ],
        "{report:#}"
    );
    let listed = &report["found"]["videos"][0];
    ensure!(listed["url_expires_at"].is_null(), "{report:#}");
    let videos = report["videos"].as_array().context("no videos")?;
    ensure!(
        matches!(videos.as_slice(), [video] if video["task_id"] == works && video["outcome"] == "archived"),
        "{report:#}"
    );
    Ok(())
}
register!(a_video_whose_url_works_for_longer_than_configured_is_archived);

/// The `Retry-After` of a refused query, in seconds: longer than most of the delays between the attempts of a rescue.
const RETRY_AFTER: u64 = 12;
/// A rescue that did not wait for `Retry-After` would have no attempt left after fewer refusals.
const REFUSALS: u64 = 5;

/// Without an answer, nobody knows until when the video can be had.
async fn queries_a_task_again_each_time_that_the_service_asks_to_wait(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let simulator = &fixture.simulator;
    let [refused, other] = [(); 2].map(|()| simulator.create(ended(HOUR, DAY)));
    // Each task has to be queried for its URL.
    simulator.set_list_dialect(Some(ListDialect::NoContent));
    let retry_after = Some(RETRY_AFTER);
    simulator.set_task_fault(&refused, Some(Fault::RateLimited { retry_after }));
    let directory = tempfile::tempdir()?;
    let listed = rescue_json(&fixture, &directory, &["--dry-run"]);
    tokio::pin!(listed);
    let queries = || simulator.stats(&refused).queries;
    tokio::select! {
        listed = &mut listed => bail!("gave up after {} refusals: {listed:?}", queries()),
        refused = until("the query was refused often", || queries() >= REFUSALS) => refused?,
    }
    simulator.set_task_fault(&refused, None);
    let listed = listed.await?;
    let videos = listed["found"]["videos"].as_array().context("no videos")?;
    for id in [&refused, &other] {
        let mut videos = videos.iter();
        let video = videos.find(|video| video["task_id"] == **id);
        let video = video.with_context(|| format!("no {id}"))?;
        ensure!(video["url_expires_at"].is_i64(), "{listed:#}");
    }
    Ok(())
}
register!(
    queries_a_task_again_each_time_that_the_service_asks_to_wait,
    takes_long
);
