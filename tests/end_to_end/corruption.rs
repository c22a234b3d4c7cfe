//! What is served is not the video, or not all of it. The attempt that finds out leaves nothing under
//! the video's name, and the next one that is served the truth archives it.

mod cases;

use std::sync::Arc;

use anyhow::{Context, ensure};
use futures::future::try_join_all;
use seedance_archiver::temporal::lifecycles::Step;
use seedance_archiver_proto::v1::{Manifest, ObjectCheck};
use seedance_archiver_simulator::{Announced, Corruption, Script};

use crate::{
    Suite,
    verdicts::short_window,
    world::{Server, World, read_local},
};
use cases::{Boxes, Case, script};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test("corruption::a_flipped_bit_is_fetched_again", |server| {
            are_mended(server, cases::flipped)
        })
        .test("corruption::a_truncated_video_is_fetched_again", |server| {
            are_mended(server, cases::truncated)
        })
        .test(
            "corruption::a_box_past_the_end_is_fetched_again",
            |server| are_mended(server, cases::past_the_end),
        )
        .test(
            "corruption::more_less_or_another_video_is_fetched_again",
            |server| are_mended(server, cases::otherwise_wrong),
        )
        .test(
            "corruption::what_nothing_can_catch_is_archived",
            what_nothing_can_catch,
        )
        .test("corruption::what_stays_corrupt_is_lost", what_stays_corrupt)
}

/// All at once, because each waits for its second attempt.
async fn are_mended(
    server: Arc<Server>,
    cases: impl FnOnce(&Boxes) -> Vec<Case>,
) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let cases = cases(&Boxes::new(&world)?);
    let mended = cases.iter().map(|case| async {
        let context = || format!("{:?}, {:?}", case.script.corrupt, case.script.digests);
        is_mended(&server, &world, case).await.with_context(context)
    });
    let videos = world.with_worker(&server, try_join_all(mended)).await?;
    let videos: Vec<_> = videos.iter().map(|(id, it)| (id.as_str(), it)).collect();
    world.holds_all(&videos)?;
    let files = world.archived_files()?;
    ensure!(
        files.len() == 3 * videos.len(),
        "something is left: {files:?}"
    );
    Ok(())
}

async fn is_mended(
    server: &Server,
    world: &World,
    case: &Case,
) -> anyhow::Result<(String, Manifest)> {
    let id = world.simulator.create(Script {
        corrupt_downloads: Some(1),
        ..case.script.clone()
    });
    // What is cut goes on with another download, which mends nothing.
    let wrong = 1 + case.script.cuts;
    let (mut found, mut looks) = (None, Ok(()));
    let lifecycle = world.start(server, &id).await?;
    let followed = lifecycle.follow(|doing| {
        if looks.is_ok() {
            looks = nothing_is_published_early(world, &id, wrong);
        }
        match doing {
            Step::Waiting(words) if words.starts_with("invalid download") => found = Some(words),
            _ => {}
        }
    });
    let result = followed.await;
    looks?;
    let result = result?;
    ensure!(result.outcome == "archived", "{result:?}");
    let manifest = result.manifest.context("no receipt")?;
    let downloads = world.simulator.stats(&id).downloads;
    ensure!(downloads == wrong + 1, "{downloads} downloads");
    let is_as_expected = match (case.found, &found) {
        (Some(expected), Some(found)) => found.contains(expected) && manifest.attempts == 2,
        (None, None) => manifest.attempts == 1 && manifest.bytes_fetched_again > 0,
        _ => false,
    };
    ensure!(is_as_expected, "{found:?}, {manifest:?}");
    Ok((id, manifest))
}

/// What is in the archive before the true video was asked for cannot be it.
fn nothing_is_published_early(world: &World, id: &str, wrong: u64) -> anyhow::Result<()> {
    let name = format!("/{id}/video.mp4");
    let files = world.archived_files()?;
    let is_published = files.iter().any(|file| file.ends_with(&name));
    // In this order: what is asked for after the look says nothing about it.
    let is_early = world.simulator.stats(id).downloads <= wrong;
    ensure!(!(is_published && is_early), "it was published: {files:?}");
    Ok(())
}

/// Without digests, an MP4 that is one is taken for the video. The receipt claims no more.
async fn what_nothing_can_catch(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let boxes = Boxes::new(&world)?;
    let archived = async |corruption| {
        let id = world
            .simulator
            .create(script(corruption, Announced::Nothing));
        let result = world.start(&server, &id).await?.result().await?;
        let manifest = result.manifest.context("no receipt")?;
        ensure!(manifest.attempts == 1, "{manifest:?}");
        let video = manifest.objects.first().context("no object")?;
        let made = world.simulator.source(&id).context("no source")?.bytes();
        Ok((read_local(&video.url)?, made, results(&video.checks)))
    };
    world
        .with_worker(&server, async {
            let unsuspicious = [
                "length passed",
                "mp4 passed",
                "duration passed",
                "frame_rate passed",
                "resolution passed",
                "ratio passed",
                "audio passed",
            ];
            let flipped = boxes.media() as usize;
            let (stored, mut made, checks) = archived(Corruption::Flip(flipped as u64)).await?;
            ensure!(stored != made, "the bit is as it was");
            made[flipped] ^= 1;
            ensure!(stored == made, "more than a bit is wrong");
            ensure!(checks == unsuspicious, "{checks:?}");

            let end = boxes.mdat.end;
            let (stored, made, checks) = archived(Corruption::Truncate(end)).await?;
            ensure!(stored == made[..end as usize], "it is cut elsewhere");
            ensure!(checks == unsuspicious, "{checks:?}");

            // It has sound, and the record says that it has none.
            let (stored, made, checks) = archived(Corruption::OtherVideo).await?;
            ensure!(stored != made, "it is the video after all");
            let mut suspicious = unsuspicious;
            suspicious[6] = "audio warning";
            ensure!(checks == suspicious, "{checks:?}");
            Ok(())
        })
        .await
}

fn results(checks: &[ObjectCheck]) -> Vec<String> {
    let words = |check: &ObjectCheck| format!("{} {}", check.name, check.result);
    checks.iter().map(words).collect()
}

/// Each in a world of its own, whose archive holds nothing but the outcome.
async fn what_stays_corrupt(server: Arc<Server>) -> anyhow::Result<()> {
    let boxes = Boxes::new(&World::new(&server).await?)?;
    let lost = [
        (Corruption::Flip(boxes.media()), Announced::True),
        (Corruption::Truncate(boxes.moov.end), Announced::Nothing),
        (Corruption::Trailing(7), Announced::Nothing),
        (Corruption::OtherVideo, Announced::True),
    ]
    // Boxed: a debug build copies an array of futures so often that its stack overflows.
    .map(|(corruption, digests)| Box::pin(is_lost(&server, script(corruption, digests))));
    try_join_all(lost).await?;
    Ok(())
}

async fn is_lost(server: &Server, script: Script) -> anyhow::Result<()> {
    let world = World::with(server, |simulator| simulator, short_window).await?;
    let id = world.simulator.create(script);
    let result = world.run(server, &id).await?;
    ensure!(
        result.outcome == "lost" && result.reason == "corrupt_video",
        "{result:?}"
    );
    ensure!(result.manifest.is_none(), "there is a receipt");
    let stats = world.simulator.stats(&id);
    ensure!(stats.downloads > 1, "it was not tried again: {stats:?}");
    world.holds_outcome(&result)
}
