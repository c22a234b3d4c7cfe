//! The region of the bucket is gone.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver::temporal::lifecycles::Lifecycle;
use seedance_archiver_proto::v1::VideoTaskLifecycleRequest;
use seedance_archiver_simulator::Script;

use super::{
    buckets::{add_remote, assert_stored, directory_url, has_receipt},
    paused::{PausedTransfer, archive_another, archived},
    procedure::{Procedure, check_promise, command_of},
    terminal::Terminal,
};
use crate::harness::{
    DAY, Fixture, HOUR, Server, lifecycle::until_waiting, minio::Minio, register, task_prefix,
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
    text.says(
        "Transfers fail as [`StoreUnavailable`](failures/StoreUnavailable.md) and are retried.",
    )?;
    until_waiting(&uploading.lifecycle, "next attempt in").await?;
    let log = terminal.log();
    ensure!(log.contains("StoreUnavailable"), "{log}");

    text.step(
        "Test a bucket in another region: \
         `SEEDANCE_ARCHIVE_URL=s3://other/prefix AWS_REGION=eu-west-1 seedance-archiver doctor`.",
    )?;
    let elsewhere = Minio::start(tools::minio()?).await?;
    let other = elsewhere.new_bucket("other")?;
    terminal.set_all(elsewhere.environment());
    add_remote(&mut terminal, "other", &elsewhere);
    let checks = terminal.run_doctor(&text.command()?).await?;
    ensure!(checks.contains("s3://other/prefix"), "{checks}");

    text.step("Restart the workers with these variables.")?;
    text.says(
        "Open lifecycles archive to the other bucket from their next attempt on; uploads in progress start over.",
    )?;
    terminal.set("SEEDANCE_ARCHIVE_URL", "s3://other/prefix");
    terminal.set("AWS_REGION", "eu-west-1");
    let _worker = terminal.restart(worker).await?;
    let uploaded = archived(&uploading.lifecycle).await?;
    ensure!(
        uploaded.manifest_url.starts_with("s3://other/prefix") && uploaded.bytes_fetched_again > 0,
        "{uploaded:?}"
    );

    text.step("Leave sweeps on: without them, `auto_archive` archives no new task.")?;
    let created_meanwhile = fixture.simulator.create(Script::default());
    let swept = terminal.run_json("seedance-archiver sweep").await?;
    ensure!(swept["listed"] == 3 && swept["started"] == 1, "{swept}");
    until_async("the new video is archived", || {
        has_receipt(&other, "prefix", &created_meanwhile)
    })
    .await?;

    text.step(
        "When the region is back, copy the old prefix to the new one without `.staging/`, without changing keys, and without \
         replacing objects.",
    )?;
    text.says(
        "With a [remote](https://rclone.org/s3/) of rclone for each region, `gone` and `other`: \
         `rclone copy gone:bucket/prefix other:other/prefix --exclude '/.staging/**' --ignore-existing --metadata`",
    )?;
    gone.start_again().await?;
    // As an attempt leaves it that writes no receipt.
    let key = format!("{}/video.mp4", task_prefix(&before)?);
    other.write(&format!("prefix/{key}"), "other bytes").await?;
    terminal.run(&text.command()?).await?;

    text.step("Run `SEEDANCE_ARCHIVE_URL=s3://other/prefix seedance-archiver verify --deep`.")?;
    let verify = text.command()?;
    let findings = terminal.run_failing(&verify).await?;
    ensure!(
        findings.contains(&before) && findings.contains("2 verified, 1 failed"),
        "{findings}"
    );
    text.says("Copy an object that differs from its receipt once more, and replace it.")?;
    text.says(
        "`KEY` is its key below the prefix: \
         `rclone copyto gone:bucket/prefix/KEY other:other/prefix/KEY --ignore-times --metadata`",
    )?;
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

/// The service signs the URLs of two videos once, so that these are only in the gone bucket. One is given up before the
/// region is back.
async fn videos_of_a_bucket_that_is_back_are_found_again(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let promise = "When the region is back, copy the old prefix to the new one without `.staging/`, without changing keys, \
                   and without replacing objects. Lifecycles that wait for a video find its receipt.";
    let copy = command_of("The region of the bucket", promise)?;
    let sweeps = "They also archive the videos of the last 7 days again, if these are still available. The others wait until \
                  their query window closes and then end as `lost`, although the gone bucket has them.";
    check_promise("The region of the bucket", sweeps)?;
    check_promise(
        "Moving a bucket",
        "rclone copies between other stores in the same way.",
    )?;
    let server = server.with_new_namespace().await?;
    let mut fixture = Fixture::new(&server).await?;
    let given_up = fixture.simulator.create(ended_now(4 * DAY));
    let waiting = fixture.simulator.create(ended_now(Duration::ZERO));
    let available = fixture.simulator.create(Script::default());
    fixture
        .with_worker(&server, async {
            for id in [&given_up, &waiting, &available] {
                archived(&fixture.start_lifecycle(&server, id).await?).await?;
            }
            Ok(())
        })
        .await?;
    let region = fixture.block_archive()?;
    let other = tempfile::tempdir()?;
    fixture.config.archive_url = directory_url(other.path())?;
    let terminal = Terminal::open(&server, &fixture).await?;
    fixture.advance_clock(2 * DAY).await;
    fixture
        .with_worker(&server, async {
            let swept = terminal.run_json("seedance-archiver sweep").await?;
            ensure!(swept["started"] == 3, "{swept}");
            let lifecycle = |id| Lifecycle::for_task(&server.client, "", id);
            archived(&lifecycle(&available)).await?;
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
                verified == "3 receipts with 6 objects: 3 verified\n",
                "{verified}"
            );
            let swept = terminal.run_json("seedance-archiver sweep").await?;
            ensure!(swept["archived"] == 2 && swept["started"] == 0, "{swept}");
            Ok(())
        })
        .await?;
    for id in [&given_up, &waiting] {
        let downloads = fixture.simulator.stats(id).downloads;
        ensure!(downloads == 1, "{id}: {downloads} downloads");
    }
    let downloads = fixture.simulator.stats(&available).downloads;
    ensure!(downloads == 2, "{downloads} downloads");
    Ok(())
}
register!(
    videos_of_a_bucket_that_is_back_are_found_again,
    needs = [rclone]
);

/// The destination is below the archive that is gone.
async fn a_video_for_a_destination_in_the_gone_region_goes_to_the_other_bucket(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let promise = "The videos of requests with a `destination` in the gone region go there too, after [6 \
                   hours](failures/DestinationNotAllowed.md).";
    check_promise("The region of the bucket", promise)?;
    let mut fixture = Fixture::new(&server).await?;
    let destination = fixture.allow_destination("team-a")?;
    let id = fixture.simulator.create(Script {
        url_lifetime: Some(DAY),
        ..Script::default()
    });
    let request = VideoTaskLifecycleRequest {
        task_id: id.clone(),
        destination: destination.to_string(),
        ..VideoTaskLifecycleRequest::default()
    };
    let started = fixture.with_worker(&server, async {
        let gone = fixture.block_archive()?;
        let lifecycle = fixture.start_lifecycle_with(&server, request).await?;
        until_waiting(&lifecycle, "next attempt in").await?;
        Ok((lifecycle, gone))
    });
    let (lifecycle, _gone) = started.await?;
    let other = tempfile::tempdir()?;
    fixture.config.archive_url = directory_url(other.path())?;
    fixture.advance_clock(5 * HOUR).await;
    let attempt = next_attempt(&lifecycle).await?;
    fixture
        .with_worker(&server, async {
            until_async("an attempt after 5 hours fails", || async {
                Ok(next_attempt(&lifecycle).await? > attempt)
            })
            .await?;
            fixture.advance_clock(HOUR).await;
            let manifest = archived(&lifecycle).await?;
            let is_in_other = manifest
                .manifest_url
                .starts_with(fixture.config.archive_url.as_str());
            ensure!(is_in_other, "{manifest:?}");
            let warnings = manifest.warnings.join("\n");
            ensure!(warnings.contains(destination.as_str()), "{warnings}");
            Ok(())
        })
        .await
}
register!(a_video_for_a_destination_in_the_gone_region_goes_to_the_other_bucket);

async fn next_attempt(lifecycle: &Lifecycle) -> anyhow::Result<i32> {
    let snapshot = lifecycle.describe().await?;
    let pending = snapshot.and_then(|snapshot| snapshot.pending);
    Ok(pending.context("the lifecycle has ended")?.attempt)
}

async fn a_region_that_comes_back_before_the_switch_needs_nothing(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let promise = "If the region comes back before you switched, there is nothing to do.";
    check_promise("The region of the bucket", promise)?;
    let mut region = Minio::start(tools::minio()?).await?;
    let bucket = region.new_bucket("bucket")?;
    let fixture = Fixture::new(&server).await?;
    let mut terminal = Terminal::open(&server, &fixture).await?;
    for (name, value) in bucket.environment() {
        terminal.set(name, value);
    }
    let _worker = terminal.start_worker()?;
    let uploading = PausedTransfer::start(&fixture, &server).await?;
    uploading.until_stored(&server, 2).await?;
    region.kill().await?;
    fixture.simulator.release(&uploading.id);
    let created_meanwhile = fixture.simulator.create(Script::default());
    let lifecycle = fixture.start_lifecycle(&server, &created_meanwhile).await?;
    for lifecycle in [&uploading.lifecycle, &lifecycle] {
        until_waiting(lifecycle, "next attempt in").await?;
    }

    region.start_again().await?;
    for lifecycle in [&uploading.lifecycle, &lifecycle] {
        archived(lifecycle).await?;
    }
    let bucket = region.bucket("bucket")?;
    for id in [&uploading.id, &created_meanwhile] {
        assert_stored(&fixture, &bucket, "team-a", id).await?;
    }
    Ok(())
}
register!(
    a_region_that_comes_back_before_the_switch_needs_nothing,
    needs = [minio],
    takes_long
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
