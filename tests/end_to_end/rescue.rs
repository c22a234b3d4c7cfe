//! `rescue`: with nothing but an API key, every video of the last 7 days.

use std::{process::Output, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver_simulator::{Ending, Fault, Script};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    Suite,
    world::{Server, World, command, until},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test(
            "rescue::saves_what_can_be_had_most_urgent_first",
            saves_what_can_be_had,
        )
        .test(
            "rescue::does_not_wait_for_what_has_died",
            does_not_wait_for_what_has_died,
        )
        .test("rescue::a_refused_key_is_told_at_once", refused_key)
        .test("rescue::a_busy_service_is_asked_again", busy_service)
        .test("rescue::an_account_without_a_list_is_told", no_list)
        .test(
            "rescue::an_account_that_fails_does_not_stop_the_others",
            one_of_two,
        )
}

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A task that ended so long ago, with URLs that live so long.
fn ended(age: Duration, url_lifetime: Duration) -> Script {
    Script {
        queued: Some(Duration::ZERO),
        running: Some(Duration::ZERO),
        age,
        url_lifetime: Some(url_lifetime),
        ..Script::default()
    }
}

/// Runs `rescue` in a directory of its own, with a key and a base URL.
async fn rescue(world: &World, directory: &TempDir, arguments: &[&str]) -> anyhow::Result<Output> {
    Ok(command()
        .arg("rescue")
        .args(arguments)
        .env("SEEDANCE_BASE_URL", world.simulator.base_url())
        .env("SEEDANCE_API_KEY", world.simulator.api_key())
        .current_dir(directory)
        .kill_on_drop(true)
        .output()
        .await?)
}

async fn rescue_json(
    world: &World,
    directory: &TempDir,
    arguments: &[&str],
) -> anyhow::Result<Value> {
    let arguments = [arguments, &["--output", "json"]].concat();
    let output = rescue(world, directory, &arguments).await?;
    ensure!(output.status.success(), "{output:?}");
    ensure!(!said(&output).contains("X-Tos"), "a signed URL is shown");
    serde_json::from_slice(&output.stdout).context("stdout is no JSON")
}

/// What it printed, wherever.
fn said(output: &Output) -> String {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

/// The videos that were found, in their order, each with its state.
fn found(document: &Value) -> anyhow::Result<Vec<(String, String)>> {
    let videos = document["found"]["videos"].as_array().context("none")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let found = videos.iter();
    Ok(found
        .map(|video| (text(&video["task_id"]), text(&video["state"])))
        .collect())
}

async fn saves_what_can_be_had(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let create = |script| world.simulator.create(script);
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

    let listed = rescue_json(&world, &directory, &["--dry-run"]).await?;
    let all = |state: &str| {
        let found = [&first, &second, &last].map(|id| (id.clone(), state.to_owned()));
        [found.as_slice(), &[(dead.clone(), "dead".to_owned())]].concat()
    };
    ensure!(found(&listed)? == all("missing"), "{listed:#}");
    ensure!(!listed.to_string().contains(&too_old), "{listed:#}");
    ensure!(listed["found"]["unfinished"][0] == open, "{listed:#}");
    ensure!(listed["found"]["unsuccessful"] == 1, "{listed:#}");
    ensure!(world.simulator.stats(&first).downloads == 0, "downloaded");
    let files = std::fs::read_dir(&directory)?.count();
    ensure!(files == 0, "something was written");

    let table = rescue(&world, &directory, &["--dry-run"]).await?;
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

    let saved = rescue_json(&world, &directory, &[]).await?;
    let videos = saved["videos"].as_array().context("no videos")?;
    ensure!(videos.len() == 3, "{saved:#}");
    for (video, id) in videos.iter().zip([&first, &second, &last]) {
        ensure!(video["task_id"] == **id, "{saved:#}");
        ensure!(video["outcome"] == "archived", "{saved:#}");
    }
    let again = rescue_json(&world, &directory, &[]).await?;
    ensure!(found(&again)? == all("archived"), "{again:#}");
    ensure!(again["videos"] == Value::Array(Vec::new()), "{again:#}");
    for id in [&first, &second, &last] {
        let downloads = world.simulator.stats(id).downloads;
        ensure!(downloads == 1, "{downloads} downloads");
    }
    Ok(())
}

/// Its URL says that it works, and does not, until the end.
async fn does_not_wait_for_what_has_died(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let refused = world.simulator.create(Script {
        signs_once: true,
        dead_urls: 1,
        ..ended(HOUR, HOUR + Duration::from_secs(20))
    });
    let good = world.simulator.create(ended(HOUR, HOUR));
    let directory = tempfile::tempdir()?;
    let output = rescue(&world, &directory, &["--output", "json"]).await?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    let saved: Value = serde_json::from_slice(&output.stdout)?;
    let videos = &saved["videos"];
    ensure!(videos[0]["task_id"] == refused, "{saved:#}");
    let message = videos[0]["message"].as_str().unwrap_or_default();
    ensure!(message.contains("has died"), "{saved:#}");
    ensure!(videos[1]["task_id"] == good, "{saved:#}");
    ensure!(videos[1]["outcome"] == "archived", "{saved:#}");
    Ok(())
}

async fn refused_key(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    world.simulator.set_fault(Some(Fault::Unauthorized));
    let output = rescue(&world, &tempfile::tempdir()?, &[]).await?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    let words = said(&output);
    for part in ["account `default`", "HTTP 401", "SEEDANCE_API_KEY"] {
        ensure!(words.contains(part), "no {part:?} in {words}");
    }
    ensure!(words.matches("HTTP 401").count() == 1, "{words}");
    ensure!(output.stdout.is_empty(), "{output:?}");
    Ok(())
}

async fn busy_service(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    world.simulator.create(ended(HOUR, HOUR));
    world.simulator.set_fault(Some(Fault::RateLimited {
        retry_after: Some(1),
    }));
    let directory = tempfile::tempdir()?;
    let (listed, asked_again) =
        tokio::join!(rescue_json(&world, &directory, &["--dry-run"]), async {
            let asked_again = until("it was asked again", || world.simulator.lists() > 1).await;
            world.simulator.set_fault(None);
            asked_again
        });
    asked_again?;
    let listed = listed?;
    ensure!(found(&listed)?.len() == 1, "{listed:#}");
    Ok(())
}

async fn no_list(_: Arc<Server>) -> anyhow::Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(
        &file,
        "[accounts.gateway]\nbase_url = \"http://127.0.0.1:1\"\napi_key = \"key\"\n\
         task_path = \"video/query?id={task_id}\"\n",
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
        said(&output).contains("account `gateway` has a task_path of its own"),
        "{output:?}"
    );
    Ok(())
}

async fn one_of_two(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(ended(HOUR, HOUR));
    let file = tempfile::NamedTempFile::new()?;
    let base_url = world.simulator.base_url();
    std::fs::write(
        &file,
        format!(
            "[accounts.a]\nbase_url = \"{base_url}\"\napi_key = \"of-another-region\"\n\
             [accounts.b]\nbase_url = \"{base_url}\"\napi_key = \"{}\"\n",
            world.simulator.api_key()
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
    let document: Value = serde_json::from_slice(&output.stdout)?;
    ensure!(document["videos"][0]["task_id"] == id, "{document:#}");
    ensure!(
        document["videos"][0]["outcome"] == "archived",
        "{document:#}"
    );
    let not_listed = &document["found"]["not_listed"];
    ensure!(not_listed[0]["account"] == "a", "{document:#}");
    ensure!(
        not_listed.as_array().map(Vec::len) == Some(1),
        "{document:#}"
    );
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(
        words.contains("account `a`") && words.contains("HTTP 401"),
        "{words}"
    );
    Ok(())
}
