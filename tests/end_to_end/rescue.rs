//! `rescue`, which archives the videos of the last 7 days and needs only an API key.

mod availability;

use std::{process::Output, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver_simulator::{Ending, Fault, ListDialect, Script};
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{DAY, Fixture, HOUR, Server, command, register, task_prefix, until};

/// Returns the script of a task that ended `age` ago, with URLs of this lifetime.
fn ended(age: Duration, url_lifetime: Duration) -> Script {
    Script {
        queued: Some(Duration::ZERO),
        running: Some(Duration::ZERO),
        age,
        url_lifetime: Some(url_lifetime),
        ..Script::default()
    }
}

/// Runs `rescue` in a directory.
async fn rescue(
    fixture: &Fixture,
    directory: &TempDir,
    arguments: &[&str],
) -> anyhow::Result<Output> {
    Ok(command()
        .arg("rescue")
        .args(arguments)
        .env("SEEDANCE_BASE_URL", fixture.simulator.base_url())
        .env("SEEDANCE_API_KEY", fixture.simulator.api_key())
        .current_dir(directory)
        .kill_on_drop(true)
        .output()
        .await?)
}

/// Runs `rescue` in a directory, and returns its report.
async fn rescue_json(
    fixture: &Fixture,
    directory: &TempDir,
    arguments: &[&str],
) -> anyhow::Result<Value> {
    let arguments = [arguments, &["--output", "json"]].concat();
    let output = rescue(fixture, directory, &arguments).await?;
    ensure!(output.status.success(), "{output:?}");
    ensure!(
        !printed(&output).contains("X-Tos"),
        "a signed URL was printed"
    );
    serde_json::from_slice(&output.stdout).context("stdout is not JSON")
}

/// Returns standard output and standard error together.
fn printed(output: &Output) -> String {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

/// Returns the task id and the state of each video in a report, in order.
fn found(report: &Value) -> anyhow::Result<Vec<(String, String)>> {
    let videos = report["found"]["videos"].as_array().context("no videos")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let found = videos.iter();
    Ok(found
        .map(|video| (text(&video["task_id"]), text(&video["state"])))
        .collect())
}

async fn archives_every_available_video_most_urgent_first(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let create = |script| fixture.simulator.create(script);
    let last = create(Script {
        signs_once: true,
        ..ended(20 * HOUR, 24 * HOUR)
    });
    let dead = create(Script {
        signs_once: true,
        ..ended(72 * HOUR, 24 * HOUR)
    });
    let second = create(ended(2 * HOUR, HOUR));
    let first = create(Script {
        flex: true,
        ..ended(24 * HOUR, HOUR / 2)
    });
    let too_old = create(ended(8 * 24 * HOUR, 24 * HOUR));
    create(Script {
        ending: Ending::Failed,
        ..ended(HOUR, HOUR)
    });
    let open = create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    let directory = tempfile::tempdir()?;

    let listed = rescue_json(&fixture, &directory, &["--dry-run"]).await?;
    let all = |state: &str| {
        let found = [&first, &second, &last].map(|id| (id.clone(), state.to_owned()));
        [found.as_slice(), &[(dead.clone(), "dead".to_owned())]].concat()
    };
    ensure!(found(&listed)? == all("missing"), "{listed:#}");
    ensure!(!listed.to_string().contains(&too_old), "{listed:#}");
    ensure!(listed["found"]["unfinished"][0] == open, "{listed:#}");
    let of_account = &listed["found"]["unfinished_by_account"]["default"];
    ensure!(of_account[0] == open, "{listed:#}");
    ensure!(listed["found"]["unsuccessful"] == 1, "{listed:#}");
    ensure!(
        fixture.simulator.stats(&first).downloads == 0,
        "the dry run downloaded a video"
    );
    let files = std::fs::read_dir(&directory)?.count();
    ensure!(files == 0, "the dry run wrote files");

    let table = rescue(&fixture, &directory, &["--dry-run"]).await?;
    let table = String::from_utf8(table.stdout)?;
    let rows: Vec<_> = table.lines().skip(2).collect();
    for (row, (id, left)) in rows.iter().zip([
        (&first, "29m"),
        (&second, "59m"),
        (&last, "3h 59m"),
        (&dead, "none"),
    ]) {
        ensure!(
            row.contains(id) && row.trim_start().starts_with(left),
            "{table}"
        );
    }

    let saved = rescue_json(&fixture, &directory, &[]).await?;
    let videos = saved["videos"].as_array().context("no videos")?;
    ensure!(videos.len() == 3, "{saved:#}");
    for (video, id) in videos.iter().zip([&first, &second, &last]) {
        ensure!(video["task_id"] == **id, "{saved:#}");
        ensure!(video["outcome"] == "archived", "{saved:#}");
    }
    let again = rescue_json(&fixture, &directory, &[]).await?;
    ensure!(found(&again)? == all("archived"), "{again:#}");
    ensure!(again["videos"] == Value::Array(Vec::new()), "{again:#}");
    for id in [&first, &second, &last] {
        let downloads = fixture.simulator.stats(id).downloads;
        ensure!(downloads == 1, "{downloads} downloads");
    }
    Ok(())
}
register!(archives_every_available_video_most_urgent_first);

/// A loop of symbolic links stands for any object that the store cannot read.
async fn a_receipt_that_cannot_be_read_does_not_end_the_rescue(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let [unreadable, good] = [(); 2].map(|()| fixture.simulator.create(ended(HOUR, DAY)));
    let directory = tempfile::tempdir()?;
    let archive = directory.path().join("seedance-archive");
    let receipt = archive
        .join(task_prefix(&unreadable)?)
        .join("manifest.json");
    std::fs::create_dir_all(receipt.parent().context("no parent")?)?;
    std::os::unix::fs::symlink(&receipt, &receipt)?;
    let listed = rescue_json(&fixture, &directory, &["--dry-run"]).await?;
    let videos = listed["found"]["videos"].to_string();
    for id in [unreadable, good] {
        ensure!(videos.contains(&id), "{listed:#}");
    }
    Ok(())
}
register!(a_receipt_that_cannot_be_read_does_not_end_the_rescue);

/// Such a worker serves one of two queues, has a version, and accepts callbacks where another process listens.
async fn archives_in_the_environment_of_a_worker(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let directory = tempfile::tempdir()?;
    let accounts = directory.path().join("accounts.toml");
    let settings = format!(
        "[accounts.default]\nbase_url = \"{}\"\napi_key = \"{}\"\n\
         callbacks = {{ token = \"0123456789abcdef\" }}\n",
        fixture.simulator.base_url(),
        fixture.simulator.api_key()
    );
    std::fs::write(&accounts, settings)?;
    for queues in ["query", "transfer"] {
        let id = fixture.simulator.create(ended(HOUR, DAY));
        let output = command()
            .args(["rescue", "--output", "json"])
            .env("SEEDANCE_ACCOUNTS_FILE", &accounts)
            .env("SEEDANCE_QUEUES", queues)
            .env("TEMPORAL_DEPLOYMENT_NAME", "archiver")
            .env("TEMPORAL_WORKER_BUILD_ID", "1")
            .current_dir(&directory)
            .kill_on_drop(true)
            .output()
            .await?;
        ensure!(output.status.success(), "{queues}: {output:?}");
        let report: Value = serde_json::from_slice(&output.stdout)?;
        ensure!(report["videos"][0]["task_id"] == id, "{report:#}");
        ensure!(report["videos"][0]["outcome"] == "archived", "{report:#}");
    }
    Ok(())
}
register!(archives_in_the_environment_of_a_worker);

async fn reports_a_rejected_key_immediately(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    fixture.simulator.set_fault(Some(Fault::Unauthorized));
    let output = rescue(&fixture, &tempfile::tempdir()?, &[]).await?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    let text = printed(&output);
    for part in ["account `default`", "HTTP 401", "SEEDANCE_API_KEY"] {
        ensure!(text.contains(part), "no {part:?} in {text}");
    }
    ensure!(text.matches("HTTP 401").count() == 1, "{text}");
    ensure!(output.stdout.is_empty(), "{output:?}");
    Ok(())
}
register!(reports_a_rejected_key_immediately);

async fn retries_a_rate_limited_list_request(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    fixture.simulator.create(ended(HOUR, HOUR));
    fixture.simulator.set_fault(Some(Fault::RateLimited {
        retry_after: Some(1),
    }));
    let directory = tempfile::tempdir()?;
    let (listed, retried) =
        tokio::join!(rescue_json(&fixture, &directory, &["--dry-run"]), async {
            let retried = until("the list request was retried", || {
                fixture.simulator.lists() > 1
            })
            .await;
            fixture.simulator.set_fault(None);
            retried
        });
    retried?;
    let listed = listed?;
    ensure!(found(&listed)?.len() == 1, "{listed:#}");
    Ok(())
}
register!(retries_a_rate_limited_list_request);

async fn reports_an_account_whose_tasks_cannot_be_listed(_: Arc<Server>) -> anyhow::Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(
        &file,
        "[accounts.gateway]\nbase_url = \"http://127.0.0.1:1\"\napi_key = \"key\"\n\
         task_path = \"video/{task_id}/record\"\n",
    )?;
    let directory = tempfile::tempdir()?;
    let output = command()
        .arg("rescue")
        .env("SEEDANCE_ACCOUNTS_FILE", file.path())
        .current_dir(&directory)
        .output()
        .await?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    ensure!(
        printed(&output).contains("account `gateway`: the path of the list"),
        "{output:?}"
    );
    Ok(())
}
register!(reports_an_account_whose_tasks_cannot_be_listed);

/// Otherwise nobody would hear of the videos that are not listed.
async fn reports_a_list_whose_pages_are_all_the_same(server: Arc<Server>) -> anyhow::Result<()> {
    const PAGE_SIZE: usize = 500;
    let fixture = Fixture::new(&server).await?;
    for _ in 0..=PAGE_SIZE {
        fixture.simulator.create(ended(HOUR, DAY));
    }
    fixture
        .simulator
        .set_list_dialect(Some(ListDialect::IgnoresPageNum));
    let directory = tempfile::tempdir()?;
    let arguments = ["--dry-run", "--output", "json"];
    let output = rescue(&fixture, &directory, &arguments).await?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    let listed: Value = serde_json::from_slice(&output.stdout)?;
    ensure!(found(&listed)?.len() == PAGE_SIZE, "{listed:#}");
    let not_listed = listed["found"]["not_listed"].to_string();
    ensure!(
        not_listed.contains("the service returned the same page again"),
        "{not_listed}"
    );
    Ok(())
}
register!(reports_a_list_whose_pages_are_all_the_same);

/// A round number of tasks could be the maximum of a page, so the next page is requested in doubt.
async fn a_page_with_all_tasks_that_comes_again_is_complete(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    const TASKS: usize = 10;
    let fixture = Fixture::new(&server).await?;
    for _ in 0..TASKS {
        fixture.simulator.create(ended(HOUR, DAY));
    }
    fixture
        .simulator
        .set_list_dialect(Some(ListDialect::IgnoresPageNum));
    let directory = tempfile::tempdir()?;
    let listed = rescue_json(&fixture, &directory, &["--dry-run"]).await?;
    ensure!(found(&listed)?.len() == TASKS, "{listed:#}");
    let not_listed = &listed["found"]["not_listed"];
    ensure!(*not_listed == Value::Array(Vec::new()), "{not_listed:#}");
    Ok(())
}
register!(a_page_with_all_tasks_that_comes_again_is_complete);

async fn continues_with_other_accounts_after_one_fails(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(ended(HOUR, HOUR));
    let file = tempfile::NamedTempFile::new()?;
    let base_url = fixture.simulator.base_url();
    std::fs::write(
        &file,
        format!(
            "[accounts.a]\nbase_url = \"{base_url}\"\napi_key = \"of-another-region\"\n\
             [accounts.b]\nbase_url = \"{base_url}\"\napi_key = \"{}\"\n",
            fixture.simulator.api_key()
        ),
    )?;
    let directory = tempfile::tempdir()?;
    let output = command()
        .args(["rescue", "--output", "json"])
        .env("SEEDANCE_ACCOUNTS_FILE", file.path())
        .current_dir(&directory)
        .kill_on_drop(true)
        .output()
        .await?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout)?;
    ensure!(report["videos"][0]["task_id"] == id, "{report:#}");
    ensure!(report["videos"][0]["outcome"] == "archived", "{report:#}");
    let not_listed = &report["found"]["not_listed"];
    ensure!(not_listed[0]["account"] == "a", "{report:#}");
    ensure!(not_listed.as_array().map(Vec::len) == Some(1), "{report:#}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(
        stderr.contains("account `a`") && stderr.contains("HTTP 401"),
        "{stderr}"
    );
    Ok(())
}
register!(continues_with_other_accounts_after_one_fails);

/// The procedure after an outage: videos are rescued first, then the workers come back and resume their lifecycles.
async fn a_lifecycle_that_resumes_after_a_rescue_is_archived(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(ended(HOUR, DAY));
    let lifecycle = fixture.start_lifecycle(&server, &id).await?;
    let rescued = command()
        .args(["rescue", "--output", "json"])
        .env("SEEDANCE_BASE_URL", fixture.simulator.base_url())
        .env("SEEDANCE_API_KEY", fixture.simulator.api_key())
        .env("SEEDANCE_ARCHIVE_URL", fixture.config.archive_url.as_str())
        .output()
        .await?;
    ensure!(rescued.status.success(), "{rescued:?}");
    fixture.simulator.set_hidden(&id, true);
    let result = fixture
        .with_worker(&server, async {
            fixture.polled(&id, 1).await?;
            fixture.advance_clock(fixture.not_found_grace()?).await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(
        result.outcome == "archived" && result.manifest.is_some(),
        "{result:?}"
    );
    Ok(())
}
register!(a_lifecycle_that_resumes_after_a_rescue_is_archived);
