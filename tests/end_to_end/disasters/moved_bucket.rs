//! Moving a bucket: nothing is downloaded twice, and nothing is left behind.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver::{archive::KeyTemplate, temporal::lifecycles::Lifecycle};
use seedance_archiver_simulator::Script;
use tokio::process::Child;

use super::{
    buckets::{add_remote, assert_stored, directory_url, has_receipt, install_aws},
    paused::{PausedTransfer, archive_another, archived},
    procedure::{Procedure, check_promise},
    terminal::Terminal,
};
use crate::harness::{
    Fixture, HOUR, Server, lifecycle::until_running, minio::Minio, read_local, register, sweeps,
    task_prefix, tools, until, until_async,
};

/// So many that the watcher lists them.
const RUNNING_TASKS: usize = 5;
const OLD: &str = "s3://old/prefix";
const NEW: &str = "s3://new/prefix";

/// The account archives every video, so that everything that starts lifecycles by itself takes part.
async fn a_moved_archive_is_complete_and_nothing_is_archived_twice(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let mut text = Procedure::below("Moving a bucket")?;
    let server = server.with_new_namespace().await?;
    let minio = Minio::start(tools::minio()?).await?;
    minio.new_bucket("old")?;
    let fixture = Fixture::new(&server).await?;
    let simulator = &fixture.simulator;
    let mut terminal = Terminal::open(&server, &fixture).await?;
    terminal.set_all(minio.environment());
    install_aws(&mut terminal, &minio)?;
    add_remote(&mut terminal, "s3", &minio);
    terminal.set("SEEDANCE_ARCHIVE_URL", OLD);
    // A receipt without a lifecycle, as those that are older than the retention of the namespace.
    let rescued = simulator.create(Script::default());
    until("the task has succeeded", || {
        simulator.status(&rescued) == Some("succeeded")
    })
    .await?;
    terminal.run("seedance-archiver rescue").await?;
    set_accounts(&mut terminal, &fixture, "")?;
    let worker = terminal.start_worker()?;
    let running = start_running(&fixture, &server).await?;
    let (archived, _) = archive_another(&fixture, &server).await?;
    let uploading = PausedTransfer::start(&fixture, &server).await?;
    uploading.until_stored(&server, 2).await?;
    let to_old = PausedTransfer::start_to(&fixture, &server, OLD).await?;
    until_scheduled(&terminal).await?;

    text.step(
        "Create the new bucket, grant the workers [permissions](stores.md#permissions), and test them: \
         `SEEDANCE_ARCHIVE_URL=s3://new/prefix seedance-archiver doctor`.",
    )?;
    let new = minio.new_bucket("new")?;
    let checks = terminal.run_doctor(&text.command()?).await?;
    ensure!(checks.contains(NEW), "{checks}");

    text.step(
        "Pause sweeps, which would start a lifecycle for every task without a receipt in the new bucket: \
         `temporal schedule toggle --schedule-id sweep-video-tasks/default --pause --reason \"moving the bucket\"`.",
    )?;
    terminal.run(&text.command()?).await?;

    text.step("Copy the old prefix to the new one, without `.staging/`.")?;
    text.says("Do not change keys: tasks are found by them.")?;
    text.says("`aws s3 sync s3://old/prefix s3://new/prefix --exclude '.staging/*'`")?;
    terminal.run(&text.command()?).await?;
    ensure!(
        has_receipt(&new, "prefix", &archived).await?,
        "the receipt was not copied"
    );
    let (archived_meanwhile, _) = archive_another(&fixture, &server).await?;

    text.step("Restart the workers with the new `SEEDANCE_ARCHIVE_URL`.")?;
    terminal.set("SEEDANCE_ARCHIVE_URL", NEW);
    text.says(
        "If callers name the old archive as their `destination`, add it to `archive.destinations`.",
    )?;
    set_accounts(&mut terminal, &fixture, OLD)?;
    let transfers = [&uploading, &to_old];
    let downloads = transfers.map(|it| it.downloads(&fixture));
    let _worker: Child = terminal.restart(worker).await?;
    for (transfer, downloads) in transfers.iter().zip(downloads) {
        transfer.continued(&fixture, downloads).await?;
    }
    // A task that nobody asked for, and lists that show it and the ones before.
    let created_meanwhile = simulator.create(Script::default());
    let lists = simulator.lists();
    until("the watcher lists the tasks", || {
        simulator.lists() >= lists + 4
    })
    .await?;

    text.says(
        "Open lifecycles archive to it from their next attempt on; uploads in progress start over.",
    )?;
    let uploaded = uploading.finish(&fixture).await?;
    ensure!(uploaded.manifest_url.starts_with(NEW), "{uploaded:?}");
    ensure!(uploaded.bytes_fetched_again > 0, "{uploaded:?}");
    text.says("Requests with a listed `destination` are not affected.")?;
    let sent_to_old = to_old.finish(&fixture).await?;
    ensure!(sent_to_old.manifest_url.starts_with(OLD), "{sent_to_old:?}");

    text.step(
        "Copy what was written to the old prefix since step 3, without replacing what the workers wrote to the new one.",
    )?;
    text.says(
        "With a [remote](https://rclone.org/s3/) of rclone that is called `s3`: \
         `rclone copy s3:old/prefix s3:new/prefix --exclude '/.staging/**' --ignore-existing --metadata`",
    )?;
    terminal.run(&text.command()?).await?;

    text.step(
        "Run `SEEDANCE_ARCHIVE_URL=s3://new/prefix seedance-archiver verify --deep`, which compares every byte with the \
         receipts.",
    )?;
    text.says(
        "`verify` and `gallery` ignore them and look next to the receipt; programs of yours that read `url` from a receipt \
         must do the same.",
    )?;
    let verified = terminal.run(&text.command()?).await?;
    ensure!(
        verified == "5 receipts with 10 objects: 5 verified\n",
        "{verified}"
    );
    text.says("Receipts contain absolute URLs, which still name the old bucket.")?;
    let receipt = format!("prefix/{}/manifest.json", task_prefix(&archived)?);
    let receipt = String::from_utf8(new.read(&receipt).await?)?;
    ensure!(receipt.contains(OLD) && !receipt.contains(NEW), "{receipt}");
    let started = Lifecycle::for_task(&server.client, "", &created_meanwhile);
    ensure!(
        !started.exists().await?,
        "archived although sweeps are paused"
    );

    text.step(
        "Resume: `temporal schedule toggle --schedule-id sweep-video-tasks/default --unpause --reason moved`, and \
         `seedance-archiver sweep`, which starts lifecycles for missing tasks.",
    )?;
    terminal.run(&text.command()?).await?;
    let swept = terminal.run_json(&text.command()?).await?;
    ensure!(swept["archived"] == 5, "{swept}");
    // The schedule may have been faster.
    let others = swept["running"].as_u64().unwrap_or_default()
        + swept["started"].as_u64().unwrap_or_default();
    ensure!(others == RUNNING_TASKS as u64 + 1, "{swept}");
    until_async("the missing video is archived", || {
        has_receipt(&new, "prefix", &created_meanwhile)
    })
    .await?;

    for id in [
        &rescued,
        &archived,
        &archived_meanwhile,
        &uploading.id,
        &to_old.id,
        &created_meanwhile,
    ] {
        assert_stored(&fixture, &new, "prefix", id).await?;
    }
    for id in [&rescued, &archived, &archived_meanwhile] {
        let downloads = simulator.stats(id).downloads;
        ensure!(downloads == 1, "{id}: {downloads} downloads");
    }
    ensure!(running.len() == RUNNING_TASKS);
    text.end()
}
register!(
    a_moved_archive_is_complete_and_nothing_is_archived_twice,
    needs = [minio, aws, rclone],
    takes_long
);

/// Writes the accounts file of the workers.
fn set_accounts(
    terminal: &mut Terminal,
    fixture: &Fixture,
    destination: &str,
) -> anyhow::Result<()> {
    let destinations = match destination {
        "" => String::new(),
        url => format!("archive = {{ destinations = [\"{url}\"] }}\n"),
    };
    let accounts = format!(
        "[accounts.default]\nbase_url = \"{}\"\napi_key = \"{}\"\nauto_archive = true\n{destinations}",
        fixture.simulator.base_url(),
        fixture.simulator.api_key()
    );
    let path = terminal.write_file("accounts.toml", &accounts)?;
    terminal.set("SEEDANCE_ACCOUNTS_FILE", path);
    terminal.unset("SEEDANCE_API_KEY");
    terminal.unset("SEEDANCE_BASE_URL");
    Ok(())
}

/// Starts the lifecycles of tasks that run for longer than the test.
async fn start_running(fixture: &Fixture, server: &Server) -> anyhow::Result<Vec<Lifecycle>> {
    let mut lifecycles = Vec::new();
    for _ in 0..RUNNING_TASKS {
        let id = fixture.simulator.create(Script {
            queued: Some(Duration::ZERO),
            running: Some(HOUR),
            ..Script::default()
        });
        let lifecycle = fixture.start_lifecycle(server, &id).await?;
        until_running(&lifecycle).await?;
        lifecycles.push(lifecycle);
    }
    Ok(lifecycles)
}

/// Waits until the worker has created the schedule of the account.
async fn until_scheduled(terminal: &Terminal) -> anyhow::Result<()> {
    let describe = "temporal schedule describe --schedule-id sweep-video-tasks/default";
    until_async("the schedule exists", || async {
        Ok(terminal.run(describe).await.is_ok())
    })
    .await
}

/// The schedule is not there either, because nothing archives all videos.
async fn after_the_loss_of_a_bucket_listed_videos_are_archived_again(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let mut text = Procedure::below("Moving a bucket")?;
    let server = server.with_new_namespace().await?;
    let mut fixture = Fixture::new(&server).await?;
    let listed = fixture.simulator.create(Script::default());
    let too_old = fixture.simulator.create(Script {
        queued: Some(Duration::ZERO),
        running: Some(Duration::ZERO),
        age: 7 * 24 * HOUR - HOUR / 2,
        ..Script::default()
    });
    fixture
        .with_worker(&server, async {
            for id in [&listed, &too_old] {
                let result = fixture.start_lifecycle(&server, id).await?.result().await?;
                ensure!(result.outcome == "archived", "{result:?}");
            }
            Ok(())
        })
        .await?;
    fixture.delete_archived_files()?;
    let new = tempfile::tempdir()?;
    let new_url = directory_url(new.path())?;
    let terminal = Terminal::open(&server, &fixture).await?;
    let in_new = |command: String| command.replace(NEW, new_url.as_str());

    text.step("Create the new bucket")?;
    terminal.run_doctor(&in_new(text.command()?)).await?;
    text.says(
        "If the old bucket is gone, skip steps 2, 3 and 5: the sweep archives videos that are listed and still available \
         again.",
    )?;
    text.skip("Pause sweeps")?;
    text.skip("Copy the old prefix")?;
    text.step("Restart the workers with the new `SEEDANCE_ARCHIVE_URL`")?;
    fixture.config.archive_url = new_url.clone();
    text.skip("Copy what was written to the old prefix since step 3")?;
    fixture
        .with_worker(&server, async {
            text.step("Run ")?;
            let verified = terminal.run(&in_new(text.command()?)).await?;
            ensure!(
                verified == "0 receipts with 0 objects: 0 verified\n",
                "{verified}"
            );
            text.step("Resume: ")?;
            let _unpause = text.command()?;
            let sweep = text.command()?;
            text.says(
                "It leaves out tasks whose lifecycle ended within the last hour, so repeat it an hour later.",
            )?;
            let swept = terminal.run_json(&sweep).await?;
            ensure!(swept["ended"] == 2 && swept["started"] == 0, "{swept}");
            fixture.advance_clock(HOUR).await;
            text.says("Videos older than 7 days cannot be recovered.")?;
            let swept = terminal.run_json(&sweep).await?;
            ensure!(swept["listed"] == 1 && swept["started"] == 1, "{swept}");
            let lifecycle = fixture.start_lifecycle(&server, &listed).await?;
            let result = lifecycle.result().await?;
            let manifest = result.manifest.context("no receipt")?;
            let video = manifest.objects.first().context("no object")?;
            let served = fixture.simulator.source(&listed).context("no source")?;
            ensure!(video.url.starts_with(new_url.as_str()), "{video:?}");
            ensure!(read_local(&video.url)? == served.bytes());
            Ok(())
        })
        .await?;
    text.end()
}
register!(after_the_loss_of_a_bucket_listed_videos_are_archived_again);

async fn after_a_new_prefix_or_template_listed_videos_are_archived_again(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let promise = "A new `prefix` or `keys` template of an account has the same effect: existing objects keep their keys, \
                   and a sweep does not find them there. It archives the tasks that are still listed again, and their \
                   objects exist twice.";
    check_promise("Moving a bucket", promise)?;
    let (mut fixture, account) = sweeps::fixture(&server, |_| {}).await?;
    let id = fixture.simulator.create(Script::default());
    let default = KeyTemplate::default();
    let mut archived_files = Vec::new();
    for (prefix, keys) in [
        ("", default.clone()),
        ("new", default),
        ("new", "{task_id}".parse()?),
    ] {
        fixture.change_account(|account| {
            account.archive.objects.prefix = prefix.into();
            account.archive.keys = keys;
        })?;
        let swept = fixture.with_worker(&server, async {
            let swept = sweeps::run(&fixture, &server, &account).await?;
            let lifecycle = Lifecycle::for_task(&server.client, &account, &id);
            archived(&lifecycle).await?;
            Ok(swept)
        });
        let swept = swept.await?;
        ensure!(swept == sweeps::counts([1, 0, 0, 0, 1]), "{swept:?}");
        let files = fixture.archived_files()?;
        let is_kept = archived_files.iter().all(|file| files.contains(file));
        ensure!(
            is_kept && files.len() == archived_files.len() + 3,
            "{files:?} after {archived_files:?}"
        );
        archived_files = files;
        // A sweep leaves out tasks whose lifecycle ended within the last hour.
        fixture.advance_clock(HOUR).await;
    }
    Ok(())
}
register!(after_a_new_prefix_or_template_listed_videos_are_archived_again);
