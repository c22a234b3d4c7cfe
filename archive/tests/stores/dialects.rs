//! Archives to stores that answer conditional requests differently than Amazon S3.

use anyhow::{bail, ensure};
use object_store::ObjectStoreExt;
use seedance_archiver_archive::{Error, Progress};
use seedance_archiver_proto::names::failure;

use crate::{
    fixture::{Fixture, LARGE, PADDINGS, SMALL},
    host::Host,
    registry::register,
    s3_proxy::Dialect,
    servers::{parts_at_once, set_dialect},
    store::Store,
    until::until_async,
};

fn is_s3(store: Store) -> bool {
    store == Store::S3
}

async fn a_store_that_replaces_objects_receives_nothing(
    mut fixture: Fixture,
) -> anyhow::Result<()> {
    for dialect in [
        Dialect::IgnoresConditions,
        Dialect::RejectsConditions,
        Dialect::IgnoresConditionalComplete,
        Dialect::RejectsConditionalComplete,
        Dialect::RefusesConditionalComplete,
    ] {
        set_dialect(fixture.prefix, Dialect::None).await?;
        fixture.archive = fixture.store.open(fixture.prefix, Default::default())?;
        fixture.set_task(&format!("cgt-{dialect}"));
        let before = fixture.put(&"an object of someone else".into()).await?;
        set_dialect(fixture.prefix, dialect).await?;
        for padding in PADDINGS {
            let host = Host::start(padding).await?;
            match fixture.archive_video(&host).await {
                Err(error @ Error::UnsafeStore(_)) => {
                    ensure!(error.failure_type() == failure::STORE_UNAVAILABLE);
                    ensure!(error.to_string().contains("doctor"), "{error}");
                }
                other => bail!("{dialect}: {other:?}"),
            }
            ensure!(
                host.offsets().is_empty(),
                "{dialect}: the video was downloaded"
            );
        }
        let names = fixture.names().await?;
        ensure!(names == ["video.mp4"], "{dialect}: {names:?}");
        let after = fixture.archive.store.head(&fixture.video_key()).await?;
        ensure!(after == before, "{dialect}: {after:?} is not {before:?}");
    }
    Ok(())
}
register!(a_store_that_replaces_objects_receives_nothing, is_s3);

async fn archiving_continues_when_the_store_no_longer_replaces_objects(
    fixture: Fixture,
) -> anyhow::Result<()> {
    set_dialect(fixture.prefix, Dialect::IgnoresConditions).await?;
    let host = Host::start(LARGE).await?;
    let refused = fixture.archive_video(&host).await;
    ensure!(matches!(refused, Err(Error::UnsafeStore(_))), "{refused:?}");
    set_dialect(fixture.prefix, Dialect::None).await?;
    until_async("the store is tested again", async || {
        Ok(fixture.archive_video(&host).await.is_ok())
    })
    .await?;
    let manifest = fixture.archive_video(&host).await?;
    fixture.assert_archived(&manifest, &host).await
}
register!(
    archiving_continues_when_the_store_no_longer_replaces_objects,
    is_s3
);

async fn a_store_without_conditional_completion_copies_large_objects(
    mut fixture: Fixture,
) -> anyhow::Result<()> {
    set_dialect(fixture.prefix, Dialect::CopiesLikeR2).await?;
    for padding in PADDINGS {
        fixture.set_task(&format!("cgt-{padding}"));
        let host = Host::start(padding).await?;
        let manifest = fixture.archive_video(&host).await?;
        fixture.assert_archived(&manifest, &host).await?;
    }
    fixture.set_task("cgt-conflict");
    let before = fixture.put(&"an object of someone else".into()).await?;
    let refused = fixture.archive_video(&Host::start(LARGE).await?).await;
    ensure!(
        matches!(refused, Err(Error::Conflict { .. })),
        "{refused:?}"
    );
    let after = fixture.archive.store.head(&fixture.video_key()).await?;
    ensure!(after == before, "{after:?} is not {before:?}");
    Ok(())
}
register!(
    a_store_without_conditional_completion_copies_large_objects,
    is_s3
);

async fn a_conflict_is_answered_by_the_same_request_again(
    mut fixture: Fixture,
) -> anyhow::Result<()> {
    set_dialect(fixture.prefix, Dialect::ConflictsOnce).await?;
    for padding in PADDINGS {
        fixture.set_task(&format!("cgt-{padding}"));
        let host = Host::start(padding).await?;
        let manifest = fixture.archive_video(&host).await?;
        ensure!(host.offsets() == [0], "{:?}", host.offsets());
        ensure!(manifest.bytes_fetched_again == 0, "{manifest:?}");
        fixture.assert_archived(&manifest, &host).await?;
    }
    Ok(())
}
register!(a_conflict_is_answered_by_the_same_request_again, is_s3);

async fn an_object_that_appears_during_a_conflict_is_compared(
    mut fixture: Fixture,
) -> anyhow::Result<()> {
    // Proves the store before it conflicts.
    fixture.archive_video(&Host::start(SMALL).await?).await?;
    fixture.set_task("cgt-conflict");
    let host = Host::start(LARGE).await?;
    set_dialect(fixture.prefix, Dialect::ConflictsAfterCompleting).await?;
    let manifest = fixture.archive_video(&host).await?;
    ensure!(host.offsets() == [0], "{:?}", host.offsets());
    fixture.assert_archived(&manifest, &host).await
}
register!(an_object_that_appears_during_a_conflict_is_compared, is_s3);

async fn an_upload_survives_a_conflict_that_lasts(mut fixture: Fixture) -> anyhow::Result<()> {
    // Proves the store before it conflicts.
    fixture.archive_video(&Host::start(SMALL).await?).await?;
    fixture.set_task("cgt-conflict");
    let host = Host::start(LARGE).await?;
    let progress = Progress::default();
    set_dialect(fixture.prefix, Dialect::ConflictsAlways).await?;
    let refused = fixture.attempt(1, &host, &progress).await;
    let is_conflict = |error: &Error| error.to_string().contains("HTTP 409");
    ensure!(refused.as_ref().is_err_and(is_conflict), "{refused:?}");
    set_dialect(fixture.prefix, Dialect::None).await?;
    let manifest = fixture.attempt(2, &host, &progress).await?;
    // All parts are stored.
    ensure!(host.offsets() == [0], "the video was downloaded again");
    fixture.assert_archived(&manifest, &host).await
}
register!(an_upload_survives_a_conflict_that_lasts, is_s3);

/// `put_part` has tests of how many parts are sent at once.
async fn parts_that_are_told_to_slow_down_are_sent_again(
    mut fixture: Fixture,
) -> anyhow::Result<()> {
    // Proves the store before it slows down.
    fixture.archive_video(&Host::start(SMALL).await?).await?;
    fixture.set_task("cgt-slow");
    let host = Host::start(3 * LARGE).await?;
    set_dialect(fixture.prefix, Dialect::SlowsDown).await?;
    let manifest = fixture.archive_video(&host).await?;
    ensure!(host.offsets() == [0], "{:?}", host.offsets());
    ensure!(manifest.bytes_fetched_again == 0, "{manifest:?}");
    fixture.assert_archived(&manifest, &host).await?;
    let at_once = parts_at_once().await?;
    ensure!(at_once.iter().any(|it| *it >= 3), "{at_once:?}");
    Ok(())
}
register!(parts_that_are_told_to_slow_down_are_sent_again, is_s3);
