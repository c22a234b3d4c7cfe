//! Corrupt downloads. An attempt that detects the corruption publishes nothing, and the next attempt to which
//! the host serves the original video archives it.

mod cases;

use std::sync::Arc;

use anyhow::{Context, ensure};
use futures::future::try_join_all;
use seedance_archiver::temporal::lifecycles::Step;
use seedance_archiver_proto::v1::{Manifest, ObjectCheck};
use seedance_archiver_simulator::{Corruption, HeaderDigests, Script};

use crate::harness::{
    Fixture, Server, attempts::ensure_attempts, lifecycle::until_waiting, read_local, register,
    until,
};
use cases::{Boxes, Case, script};

async fn a_video_with_a_flipped_bit_is_downloaded_again(server: Arc<Server>) -> anyhow::Result<()> {
    check_that_all_recover(&server, cases::flipped).await
}
register!(a_video_with_a_flipped_bit_is_downloaded_again);

async fn a_truncated_video_is_downloaded_again(server: Arc<Server>) -> anyhow::Result<()> {
    check_that_all_recover(&server, cases::truncated).await
}
register!(a_truncated_video_is_downloaded_again);

async fn a_video_with_a_box_past_its_end_is_downloaded_again(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    check_that_all_recover(&server, cases::past_the_end).await
}
register!(a_video_with_a_box_past_its_end_is_downloaded_again);

async fn a_video_of_the_wrong_length_or_content_is_downloaded_again(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    check_that_all_recover(&server, cases::wrong_length_or_content).await
}
register!(a_video_of_the_wrong_length_or_content_is_downloaded_again);

/// Checks that each video is archived by its second attempt. The cases run concurrently, because each waits
/// for its retry.
async fn check_that_all_recover(
    server: &Server,
    cases: impl FnOnce(&Boxes) -> Vec<Case>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(server).await?;
    let cases = cases(&Boxes::new(&fixture)?);
    let archived = cases.iter().map(|case| async {
        let context = || format!("{:?}, {:?}", case.script.corrupt, case.script.digests);
        check_that_it_recovers(server, &fixture, case)
            .await
            .with_context(context)
    });
    let videos = fixture.with_worker(server, try_join_all(archived)).await?;
    let videos: Vec<_> = videos
        .iter()
        .map(|(id, manifest)| (id.as_str(), manifest))
        .collect();
    fixture.assert_all_archived(&videos)?;
    let files = fixture.archived_files()?;
    ensure!(
        files.len() == 3 * videos.len(),
        "unexpected files: {files:?}"
    );
    Ok(())
}

async fn check_that_it_recovers(
    server: &Server,
    fixture: &Fixture,
    case: &Case,
) -> anyhow::Result<(String, Manifest)> {
    let id = fixture.simulator.create(Script {
        corrupt_downloads: Some(1),
        ..case.script.clone()
    });
    // Each dropped connection is resumed with another download, which does not repair the first part.
    let corrupt_downloads = 1 + case.script.cuts;
    let (mut failures, mut unpublished) = (Vec::new(), Ok(()));
    let lifecycle = fixture.start_lifecycle(server, &id).await?;
    let followed = lifecycle.follow(|step| {
        if unpublished.is_ok() {
            unpublished = check_that_nothing_is_published(fixture, &id, corrupt_downloads);
        }
        if let Step::Waiting(message) = step {
            failures.push(message);
        }
    });
    let result = followed.await;
    unpublished?;
    let result = result?;
    ensure!(result.outcome == "archived", "{result:?}");
    let manifest = result.manifest.context("no receipt")?;
    let downloads = fixture.simulator.stats(&id).downloads;
    ensure!(downloads == corrupt_downloads + 1, "{downloads} downloads");
    let rejected = failures
        .iter()
        .find(|failure| failure.starts_with("invalid download"));
    // On a busy machine, an attempt can time out before it downloads anything.
    let is_as_expected = match (case.failure, rejected) {
        (Some(expected), Some(failure)) => failure.contains(expected) && manifest.attempts >= 2,
        (None, None) => manifest.bytes_fetched_again > 0,
        _ => false,
    };
    ensure!(is_as_expected, "{failures:?}, {manifest:?}");
    Ok((id, manifest))
}

/// Checks that no video is published before the download of the original has started.
fn check_that_nothing_is_published(
    fixture: &Fixture,
    id: &str,
    corrupt_downloads: u64,
) -> anyhow::Result<()> {
    let name = format!("/{id}/video.mp4");
    let files = fixture.archived_files()?;
    let is_published = files.iter().any(|file| file.ends_with(&name));
    // Counted after the files are listed, so that the original, if it is published in between, is not
    // mistaken for a corrupt video.
    let is_early = fixture.simulator.stats(id).downloads <= corrupt_downloads;
    ensure!(
        !(is_published && is_early),
        "a corrupt video was published: {files:?}"
    );
    Ok(())
}

/// Without digests, any valid MP4 is accepted. The receipt lists only the checks that were made.
async fn undetectable_corruption_is_archived(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let boxes = Boxes::new(&fixture)?;
    let archived = async |corruption| {
        let id = fixture
            .simulator
            .create(script(corruption, HeaderDigests::Absent));
        let result = fixture
            .start_lifecycle(&server, &id)
            .await?
            .result()
            .await?;
        let manifest = result.manifest.context("no receipt")?;
        ensure_attempts(&server, &manifest, 1..=1).await?;
        let video = manifest.objects.first().context("no object")?;
        let original = fixture.simulator.source(&id).context("no source")?.bytes();
        anyhow::Ok((read_local(&video.url)?, original, results(&video.checks)))
    };
    fixture
        .with_worker(&server, async {
            let all_passed = [
                "length passed",
                "mp4 passed",
                "duration passed",
                "frame_rate passed",
                "resolution passed",
                "ratio passed",
                "audio passed",
            ];
            let flipped = boxes.media() as usize;
            let (stored, mut original, checks) = archived(Corruption::Flip(flipped as u64)).await?;
            ensure!(stored != original, "the bit is not flipped");
            original[flipped] ^= 1;
            ensure!(stored == original, "more than one bit differs");
            ensure!(checks == all_passed, "{checks:?}");

            let end = boxes.mdat.end;
            let (stored, original, checks) = archived(Corruption::Truncate(end)).await?;
            ensure!(
                stored == original[..end as usize],
                "the video is truncated elsewhere"
            );
            ensure!(checks == all_passed, "{checks:?}");

            // The other video has sound, and the task record says that it has none.
            let (stored, original, checks) = archived(Corruption::OtherVideo).await?;
            ensure!(stored != original, "the original was served");
            let mut with_warning = all_passed;
            with_warning[6] = "audio warning";
            ensure!(checks == with_warning, "{checks:?}");
            Ok(())
        })
        .await
}
register!(undetectable_corruption_is_archived);

fn results(checks: &[ObjectCheck]) -> Vec<String> {
    let result = |check: &ObjectCheck| format!("{} {}", check.name, check.result);
    checks.iter().map(result).collect()
}

async fn a_video_that_stays_corrupt_is_lost(server: Arc<Server>) -> anyhow::Result<()> {
    let boxes = Boxes::new(&Fixture::new(&server).await?)?;
    let lost = [
        Corruption::Flip(boxes.media()),
        Corruption::Truncate(boxes.moov.end),
        Corruption::Trailing(7),
        Corruption::OtherVideo,
    ]
    // Boxed, because moving an array of large futures overflows the stack of a debug build.
    .map(|corruption| {
        let script = script(corruption, HeaderDigests::Original);
        Box::pin(check_that_it_is_lost(&server, script))
    });
    try_join_all(lost).await?;
    Ok(())
}
register!(a_video_that_stays_corrupt_is_lost, takes_long);

async fn check_that_it_is_lost(server: &Server, script: Script) -> anyhow::Result<()> {
    let fixture = Fixture::new(server).await?;
    let id = fixture.simulator.create(script);
    let result = fixture
        .with_worker(server, async {
            let lifecycle = fixture.start_lifecycle(server, &id).await?;
            until_waiting(&lifecycle, "next attempt in").await?;
            until("the download was retried", || {
                fixture.simulator.stats(&id).downloads > 1
            })
            .await?;
            until_waiting(&lifecycle, "next attempt in").await?;
            fixture.pass_archive_deadline().await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(
        result.outcome == "lost" && result.reason == "corrupt_video",
        "{result:?}"
    );
    ensure!(result.manifest.is_none(), "the result has a receipt");
    let stats = fixture.simulator.stats(&id);
    ensure!(
        stats.downloads > 1,
        "the download was not retried: {stats:?}"
    );
    fixture.assert_outcome_recorded(&result)
}
