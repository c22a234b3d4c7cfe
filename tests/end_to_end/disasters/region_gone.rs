//! A region gone: that of the bucket, of the workers, or of the API.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, anyhow, ensure};
use reqwest::Url;
use seedance_archiver::{archive::PART_SIZE, temporal::lifecycles::Lifecycle};
use seedance_archiver_simulator::Script;

use super::{
    buckets::{add_remote, assert_stored, has_receipt},
    paused::{PausedTransfer, archive_another, archived},
    procedure::{Procedure, check_promise, command_of},
    terminal::Terminal,
};
use crate::harness::{
    DAY, Fixture, HOUR, Server,
    lifecycle::{until_running, until_waiting},
    minio::Minio,
    read_local, register,
    simulator::TestSimulator,
    sweeps, task_prefix,
    tcp_proxy::TcpProxy,
    tools, until_async,
};

/// Each region has its own store.
async fn a_bucket_in_another_region_takes_the_videos_meanwhile(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let mut text = Procedure::below("The region of the bucket")?;
    let server = server.with_new_namespace().await?;
    let mut gone = Minio::start(tools::minio()?).await?;
    gone.new_bucket("bucket")?;
    let fixture = Fixture::new(&server).await?;
    let mut terminal = Terminal::open(&server, &fixture).await?;
    terminal.set_all(gone.environment());
    add_remote(&mut terminal, "gone", &gone);
    terminal.set("SEEDANCE_ARCHIVE_URL", "s3://bucket/prefix");
    let worker = terminal.start_worker()?;
    let (before, _) = archive_another(&fixture, &server).await?;
    let uploading = PausedTransfer::start(&fixture, &server).await?;
    uploading.until_stored(&server, 2).await?;
    gone.kill().await?;
    fixture.simulator.release(&uploading.id);
    until_waiting(&uploading.lifecycle, "next attempt in").await?;

    text.step("Test a bucket in another region")?;
    let elsewhere = Minio::start(tools::minio()?).await?;
    let other = elsewhere.new_bucket("other")?;
    terminal.set_all(elsewhere.environment());
    add_remote(&mut terminal, "other", &elsewhere);
    let checks = terminal.run(&text.command()?).await?;
    ensure!(
        checks.contains("s3://other/prefix") && checks.contains(" 0 failed"),
        "{checks}"
    );

    text.step("Restart the workers with these variables")?;
    terminal.set("SEEDANCE_ARCHIVE_URL", "s3://other/prefix");
    terminal.set("AWS_REGION", "eu-west-1");
    let _worker = terminal.restart(worker).await?;
    let uploaded = archived(&uploading.lifecycle).await?;
    ensure!(
        uploaded.manifest_url.starts_with("s3://other/prefix"),
        "{uploaded:?}"
    );

    text.step("Leave sweeps on")?;
    let created_meanwhile = fixture.simulator.create(Script::default());
    let swept = terminal.run_json("seedance-archiver sweep").await?;
    ensure!(swept["listed"] == 3 && swept["started"] == 1, "{swept}");
    until_async("the new video is archived", || {
        has_receipt(&other, "prefix", &created_meanwhile)
    })
    .await?;

    text.step("When the region is back, copy the old prefix to the new one")?;
    gone.start_again().await?;
    // As an attempt leaves it that writes no receipt.
    let key = format!("{}/video.mp4", task_prefix(&before)?);
    other.write(&format!("prefix/{key}"), "other bytes").await?;
    terminal.run(&text.command()?).await?;

    text.step("Run ")?;
    let verify = text.command()?;
    let findings = terminal.run_failing(&verify).await?;
    ensure!(
        findings.contains(&before) && findings.contains("2 verified, 1 failed"),
        "{findings}"
    );
    terminal.run(&text.command()?.replace("KEY", &key)).await?;
    let verified = terminal.run(&verify).await?;
    ensure!(
        verified == "3 receipts with 6 objects: 3 verified\n",
        "{verified}"
    );
    for id in [&before, &uploading.id, &created_meanwhile] {
        assert_stored(&fixture, &other, "prefix", id).await?;
    }
    let downloads = fixture.simulator.stats(&before).downloads;
    ensure!(downloads == 1, "{downloads} downloads");
    text.end()
}
register!(
    a_bucket_in_another_region_takes_the_videos_meanwhile,
    needs = [minio, rclone],
    takes_long
);

/// Two videos are only in the gone bucket, because their URLs are dead. One is given up before the region is back.
async fn videos_of_a_bucket_that_is_back_are_found_again(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let promise = "When the region is back, copy the old prefix to the new one without `.staging/`, without changing keys, \
                   and without replacing objects. Lifecycles that wait for a video find its receipt.";
    let copy = command_of("The region of the bucket", promise)?;
    let server = server.with_new_namespace().await?;
    let mut fixture = Fixture::new(&server).await?;
    let given_up = fixture.simulator.create(ended_now(4 * DAY));
    let waiting = fixture.simulator.create(ended_now(Duration::ZERO));
    fixture
        .with_worker(&server, async {
            for id in [&given_up, &waiting] {
                archived(&fixture.start_lifecycle(&server, id).await?).await?;
            }
            Ok(())
        })
        .await?;
    let region = fixture.block_archive()?;
    let other = tempfile::tempdir()?;
    fixture.config.archive_url = Url::from_directory_path(other.path())
        .map_err(|()| anyhow!("the directory has no file URL"))?;
    let terminal = Terminal::open(&server, &fixture).await?;
    fixture.advance_clock(2 * DAY).await;
    fixture
        .with_worker(&server, async {
            let swept = terminal.run_json("seedance-archiver sweep").await?;
            ensure!(swept["started"] == 2, "{swept}");
            let lifecycle = |id| Lifecycle::for_task(&server.client, "", id);
            until_waiting(&lifecycle(&waiting), "next attempt in").await?;
            fixture.advance_clock(2 * DAY).await;
            let result = lifecycle(&given_up).result().await?;
            ensure!(
                result.outcome == "lost" && result.reason == "url_expired",
                "{result:?}"
            );

            region.end()?;
            let copy = copy
                .replace(
                    "gone:bucket/prefix",
                    &fixture.directory.path().display().to_string(),
                )
                .replace("other:other/prefix", &other.path().display().to_string());
            terminal.run(&copy).await?;
            archived(&lifecycle(&waiting)).await?;
            let verified = terminal.run("seedance-archiver verify --deep").await?;
            ensure!(
                verified == "2 receipts with 4 objects: 2 verified\n",
                "{verified}"
            );
            let swept = terminal.run_json("seedance-archiver sweep").await?;
            ensure!(swept["archived"] == 1 && swept["started"] == 0, "{swept}");
            Ok(())
        })
        .await?;
    for id in [&given_up, &waiting] {
        let downloads = fixture.simulator.stats(id).downloads;
        ensure!(downloads == 1, "{id}: {downloads} downloads");
    }
    Ok(())
}
register!(
    videos_of_a_bucket_that_is_back_are_found_again,
    needs = [rclone]
);

/// Returns the script of a task that was created `age` ago and ends now, with a URL that works for a day.
fn ended_now(age: Duration) -> Script {
    Script {
        age,
        queued: Some(Duration::ZERO),
        running: Some(age),
        url_lifetime: Some(DAY),
        signs_once: true,
        ..Script::default()
    }
}

async fn workers_in_another_region_take_over(server: Arc<Server>) -> anyhow::Result<()> {
    let mut text = Procedure::below("The region of the workers")?;
    let minio = Minio::start(tools::minio()?).await?;
    let bucket = minio.new_bucket("bucket")?;
    let fixture = Fixture::new(&server).await?;
    let mut terminal = Terminal::open(&server, &fixture).await?;
    for (name, value) in bucket.environment() {
        terminal.set(name, value);
    }
    let mut workers = [terminal.start_worker()?, terminal.start_worker()?];
    let transfer = PausedTransfer::start(&fixture, &server).await?;
    transfer.until_stored(&server, 2).await?;
    let polled = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    let polled_lifecycle = fixture.start_lifecycle(&server, &polled).await?;
    until_running(&polled_lifecycle).await?;
    for worker in &mut workers {
        worker.kill().await?;
    }
    fixture.release_stopped_download(&transfer.id).await?;

    text.step("Start workers in another region with the same settings and keys")?;
    let _worker = terminal.start_worker()?;

    text.step("Run `seedance-archiver doctor`, and check")?;
    let checks = terminal.run(&text.command()?).await?;
    ensure!(checks.contains(" 0 failed"), "{checks}");
    terminal.run_json(&text.command()?).await?;

    let manifest = archived(&transfer.lifecycle).await?;
    let again = manifest.bytes_fetched_again;
    ensure!(
        again <= PART_SIZE as i64,
        "{again} bytes were fetched again"
    );
    fixture.advance_clock(HOUR).await;
    archived(&polled_lifecycle).await?;
    for id in [&transfer.id, &polled] {
        assert_stored(&fixture, &bucket, "team-a", id).await?;
    }
    text.end()
}
register!(
    workers_in_another_region_take_over,
    needs = [minio],
    takes_long
);

/// The proxy is the way to the API of the region, and to the host of its videos.
async fn the_same_tasks_at_another_url_are_archived(server: Arc<Server>) -> anyhow::Result<()> {
    let mut text = Procedure::below("The region of the API")?;
    let fixture = Fixture::new(&server).await?;
    let direct: Url = fixture.simulator.base_url().parse()?;
    let region = TcpProxy::start(direct.authority()).await?;
    let mut in_region = direct.clone();
    in_region
        .set_port(Some(region.address.port()))
        .map_err(|()| anyhow!("the URL has no port"))?;
    let mut terminal = Terminal::open(&server, &fixture).await?;
    terminal.set("SEEDANCE_BASE_URL", in_region.as_str());
    let worker = terminal.start_worker()?;
    let create = || {
        fixture.simulator.create(Script {
            running: Some(HOUR),
            ..Script::default()
        })
    };
    let waiting = fixture.start_lifecycle(&server, &create()).await?;
    until_running(&waiting).await?;
    region.disconnect();
    until_waiting(&waiting, "error sending request").await?;
    // The region is back.
    region.reconnect();
    fixture.advance_clock(HOUR).await;
    archived(&waiting).await?;

    let moved = create();
    let lifecycle = fixture.start_lifecycle(&server, &moved).await?;
    until_running(&lifecycle).await?;
    region.disconnect();
    text.step("Test the new URL with an open task")?;
    let query = text
        .command()?
        .replace("https://other.example/api/v3", direct.as_str())
        .replace("cgt-20260828062711-hj94q", &moved);
    let record = terminal.run(&query).await?;
    ensure!(record.contains(&moved), "{record}");

    text.step("If it returns the record, restart the workers with the new `SEEDANCE_BASE_URL`")?;
    terminal.set("SEEDANCE_BASE_URL", direct.as_str());
    let _worker = terminal.restart(worker).await?;
    fixture.advance_clock(HOUR).await;
    let manifest = archived(&lifecycle).await?;
    let video = manifest.objects.first().context("no object")?;
    let served = fixture.simulator.source(&moved).context("no source")?;
    ensure!(
        read_local(&video.url)? == served.bytes(),
        "the archived bytes differ from the served ones"
    );
    text.end()
}
register!(the_same_tasks_at_another_url_are_archived, takes_long);

async fn a_region_without_the_tasks_costs_no_video(server: Arc<Server>) -> anyhow::Result<()> {
    let promise = "If the API at the new URL does not know the tasks, it returns [404](failures/TaskNotFound.md): set the \
                   old URL again. A lifecycle whose task no poll has returned yet ends as `unknown` after 10 minutes, and a \
                   sweep starts it again an hour later. The others wait until their query window closes.";
    check_promise("The region of the API", promise)?;
    let server = server.with_new_namespace().await?;
    let mut fixture = Fixture::new(&server).await?;
    let old_url = fixture.simulator.base_url();
    let elsewhere = TestSimulator::start(&fixture.clock, |simulator| simulator).await?;
    let [polled, new] = [(); 2].map(|()| {
        fixture.simulator.create(Script {
            running: Some(HOUR),
            ..Script::default()
        })
    });
    let polled = fixture.with_worker(&server, async {
        let lifecycle = fixture.start_lifecycle(&server, &polled).await?;
        until_running(&lifecycle).await?;
        Ok(lifecycle)
    });
    let polled = polled.await?;

    set_base_url(&mut fixture, &elsewhere.base_url())?;
    let ended = fixture.with_worker(&server, async {
        let lifecycle = fixture.start_lifecycle(&server, &new).await?;
        for lifecycle in [&polled, &lifecycle] {
            until_waiting(lifecycle, "404").await?;
        }
        fixture.advance_clock(fixture.not_found_grace()?).await;
        Ok(lifecycle.result().await?)
    });
    let ended = ended.await?;
    ensure!(
        ended.outcome == "unknown" && ended.reason == "task_not_found",
        "{ended:?}"
    );

    set_base_url(&mut fixture, &old_url)?;
    fixture.advance_clock(HOUR).await;
    fixture
        .with_worker(&server, async {
            archived(&polled).await?;
            let swept = sweeps::run(&fixture, &server, "").await?;
            ensure!(swept == sweeps::counts([2, 1, 0, 0, 1]), "{swept:?}");
            archived(&Lifecycle::for_task(&server.client, "", &new)).await?;
            Ok(())
        })
        .await
}
register!(a_region_without_the_tasks_costs_no_video);

/// Changes the URL of the account's API.
fn set_base_url(fixture: &mut Fixture, url: &str) -> anyhow::Result<()> {
    let url: Url = url.parse()?;
    fixture.change_account(|account| account.endpoint.base_url = url)
}
