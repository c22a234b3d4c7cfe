//! Runs archivals in which the store, the host or the process fails at the k-th operation, for every k, and
//! then runs them again. After every failure the archive is consistent: an object under a final key has the
//! served bytes, and a receipt names only objects that exist.

// Tests may panic, and print how many crash points they covered.
#![allow(clippy::panic, clippy::print_stdout, clippy::unwrap_used)]

mod busy_store;
mod erasures;
mod failing_store;
mod fixture;
mod hold;
mod host;
mod invalid_receipts;
mod memory;
#[path = "../support/one_url.rs"]
mod one_url;
mod panics;
mod part_sizes;
mod refetching;
#[path = "../support/serving.rs"]
mod serving;
mod urgency;
#[path = "../support/video.rs"]
mod video;
mod writers;

use std::sync::Arc;

use failing_store::{FailingStore, FailureMode};
use fixture::{End, Fixture, resources};
use futures::future::join_all;
use hold::Point;
use seedance_archiver_archive::TransferResources;

/// More operations than any archival needs.
const MAX_OPERATIONS: usize = 1000;

/// Every way in which an operation crashes a process or fails.
const FAILURES: [FailureMode; 5] = [
    FailureMode::Before,
    FailureMode::After,
    FailureMode::ErrorBefore,
    FailureMode::ErrorAfter,
    FailureMode::Outage,
];

/// For each operation, runs an archival that crashes or fails at this operation, and then a second one. Returns the
/// number of operations.
async fn crash_at_every_operation(
    has_conditional_complete: bool,
    mode: FailureMode,
    keeps_heartbeat: bool,
) -> usize {
    let resources = resources();
    for k in 0..MAX_OPERATIONS {
        let fixture = Fixture::new(has_conditional_complete, &resources).await;
        let store = FailingStore::at(&fixture.memory, k, mode);
        let progress = Fixture::fresh();
        let end = fixture.archive(store.clone(), &progress).await;
        fixture.assert_consistent().await;
        let next = if keeps_heartbeat {
            Fixture::resumed(&progress)
        } else {
            Fixture::fresh()
        };
        let again = fixture
            .archive(FailingStore::never(&fixture.memory), &next)
            .await;
        let at = format!(
            "operation {k}, {mode:?}, conditional complete: {has_conditional_complete}, \
             heartbeat: {keeps_heartbeat}"
        );
        assert!(matches!(again, End::Archived(_)), "{at}: {again:?}");
        fixture.assert_archived_once(&at).await;
        if matches!(end, End::Archived(_)) && !store.has_failed() {
            return k;
        }
    }
    panic!("the archival needs more than {MAX_OPERATIONS} operations");
}

async fn crash_in_every_way(has_conditional_complete: bool) {
    for mode in FAILURES {
        let mut operations = Vec::new();
        for keeps_heartbeat in [false, true] {
            let count = crash_at_every_operation(has_conditional_complete, mode, keeps_heartbeat);
            operations.push(count.await);
        }
        println!(
            "conditional complete: {has_conditional_complete}, {mode:?}: {operations:?} crash points"
        );
        assert!(operations.iter().all(|count| *count > 10), "{operations:?}");
    }
}

#[tokio::test]
async fn staged_uploads_survive_a_crash_at_any_operation() {
    crash_in_every_way(false).await;
}

#[tokio::test]
async fn conditional_completion_survives_a_crash_at_any_operation() {
    crash_in_every_way(true).await;
}

/// The host fails after a chunk, and recovers before the next attempt starts. That attempt resumes at the last
/// part if it has the heartbeat.
#[tokio::test]
async fn an_archival_survives_a_host_failure_after_any_chunk() {
    let resources = resources();
    for keeps_heartbeat in [false, true] {
        // Concurrently, because each download waits between connections before it fails.
        let failures = (0..host::CHUNKS).map(|k| host_fails_after(k, keeps_heartbeat, &resources));
        let resumed = join_all(failures)
            .await
            .into_iter()
            .filter(|it| *it)
            .count();
        let chunks = host::CHUNKS;
        println!("{chunks} chunks, {resumed} resumed, heartbeat: {keeps_heartbeat}");
        assert_eq!(resumed > chunks / 2, keeps_heartbeat, "{resumed} resumed");
    }
}

/// Another process compares the bytes of a host whose ETag changed, and continues the upload. If the bytes differ, it
/// starts over.
#[tokio::test]
async fn another_etag_does_not_restart_an_upload_of_the_same_bytes() {
    let resources = resources();
    for is_same in [true, false] {
        let fixture = Fixture::new(true, &resources).await;
        fixture.host.fail_after(host::CHUNKS - 2);
        let progress = Fixture::fresh();
        let store = FailingStore::never(&fixture.memory);
        let end = fixture.archive(store.clone(), &progress).await;
        assert!(matches!(end, End::Failed(_)), "{end:?}");
        fixture.host.recover();
        match is_same {
            true => fixture.host.change_etag(),
            false => fixture.host.serve_other_beginning(),
        }
        let again = fixture.archive(store, &Fixture::resumed(&progress)).await;
        assert!(matches!(again, End::Archived(_)), "{is_same}: {again:?}");
        let uploads = if is_same { 1 } else { 2 };
        assert_eq!(fixture.memory.started_uploads(), uploads, "{is_same}");
        fixture.assert_archived_once(&is_same.to_string()).await;
    }
}

/// Returns whether the second attempt resumed the download.
async fn host_fails_after(k: usize, keeps_heartbeat: bool, resources: &TransferResources) -> bool {
    let fixture = Fixture::new(true, resources).await;
    fixture.host.fail_after(k);
    let progress = Fixture::fresh();
    let end = fixture
        .archive(FailingStore::never(&fixture.memory), &progress)
        .await;
    assert!(matches!(end, End::Failed(_)), "chunk {k}: {end:?}");
    fixture.assert_consistent().await;
    fixture.host.recover();
    let next = match keeps_heartbeat {
        true => Fixture::resumed(&progress),
        false => Fixture::fresh(),
    };
    let again = fixture
        .archive(FailingStore::never(&fixture.memory), &next)
        .await;
    assert!(matches!(again, End::Archived(_)), "chunk {k}: {again:?}");
    fixture.assert_archived_once(&format!("chunk {k}")).await;
    fixture.host.was_resumed()
}

/// An attempt that resumes an upload stages it under the same key as the one before, which may still run and replace it:
/// before the staged object is checked, or before it is copied.
#[tokio::test]
async fn staged_bytes_that_another_attempt_replaced_get_no_receipt() {
    let resources = resources();
    for (point, problem, is_published) in [
        (
            Point::Completed,
            "another attempt staged other bytes",
            false,
        ),
        (Point::Publication, "is already archived with SHA-256", true),
    ] {
        let fixture = Arc::new(Fixture::new(false, &resources).await);
        let store = FailingStore::never(&fixture.memory);
        let held = store.hold_at(point);
        let mut archival = tokio::spawn({
            let fixture = fixture.clone();
            async move { fixture.archive(store, &Fixture::fresh()).await }
        });
        held.reached_by(&mut archival).await;
        fixture.replace_staged().await;
        held.release();
        let end = archival.await.unwrap();
        assert!(
            matches!(&end, End::Failed(error) if error.contains(problem)),
            "{point:?}: {end:?}"
        );
        assert!(!fixture.has_receipt().await, "{point:?}");
        let keys = fixture.keys().await;
        let has_video = keys.iter().any(|key| key.ends_with("/video.mp4"));
        assert_eq!(has_video, is_published, "{point:?}: {keys:?}");
    }
}

/// An attempt that resumed the upload completed it before this one does. If the staged bytes are other ones, they are
/// not published.
#[tokio::test]
async fn an_upload_that_another_attempt_completed_is_published_if_its_bytes_are_the_same() {
    let resources = resources();
    for is_same in [true, false] {
        let fixture = Arc::new(Fixture::new(false, &resources).await);
        let progress = Arc::new(Fixture::fresh());
        let store = FailingStore::never(&fixture.memory);
        let held = store.hold_at(Point::Completion);
        let mut archival = tokio::spawn({
            let (fixture, progress) = (fixture.clone(), progress.clone());
            async move { fixture.archive(store, &progress).await }
        });
        held.reached_by(&mut archival).await;
        let video = fixture.host.video();
        let staged = match is_same {
            true => video,
            false => video.iter().rev().copied().collect(),
        };
        fixture.stage_in_another_attempt(&progress, staged).await;
        held.release();
        let end = archival.await.unwrap();
        if is_same {
            assert!(matches!(end, End::Archived(_)), "{end:?}");
        } else {
            let is_named = |error: &str| error.contains("another attempt staged other bytes");
            assert!(
                matches!(&end, End::Failed(error) if is_named(error)),
                "{end:?}"
            );
            assert!(!fixture.has_receipt().await);
            let never = FailingStore::never(&fixture.memory);
            let again = fixture.archive(never, &Fixture::resumed(&progress)).await;
            assert!(matches!(again, End::Archived(_)), "{again:?}");
        }
        let at = format!("same bytes: {is_same}");
        fixture.assert_archived_once(&at).await;
    }
}

/// A slow attempt that timed out ends after the attempt that replaced it. The second attempt starts with or
/// without the heartbeat (and thus the upload) of the first, and the host serves it the same or different
/// bytes.
#[tokio::test]
async fn two_concurrent_attempts_agree_or_the_slower_one_reports_a_conflict() {
    let resources = resources();
    for has_conditional_complete in [false, true] {
        // With the heartbeat, the second attempt downloads nothing, so the host cannot serve different bytes.
        for (has_heartbeat, same_bytes) in [(false, false), (false, true), (true, true)] {
            let fixture = Fixture::new(has_conditional_complete, &resources).await;
            two_attempts(fixture, has_heartbeat, same_bytes).await;
        }
    }
}

async fn two_attempts(fixture: Fixture, has_heartbeat: bool, same_bytes: bool) {
    let fixture = Arc::new(fixture);
    let progress = Arc::new(Fixture::fresh());
    let slow = FailingStore::at(&fixture.memory, MAX_OPERATIONS, FailureMode::Before);
    let held = slow.hold_at(Point::Publication);
    let mut first = tokio::spawn({
        let (fixture, progress) = (fixture.clone(), progress.clone());
        async move { fixture.archive(slow, &progress).await }
    });
    held.reached_by(&mut first).await;
    if !same_bytes {
        fixture.host.serve_another();
    }
    let next = match has_heartbeat {
        true => Fixture::resumed(&progress),
        false => Fixture::fresh(),
    };
    let second = fixture
        .archive(FailingStore::never(&fixture.memory), &next)
        .await;
    let at = format!("heartbeat: {has_heartbeat}, same bytes: {same_bytes}");
    let End::Archived(receipt) = second else {
        panic!("the second attempt: {second:?}, {at}");
    };
    held.release();
    match first.await.unwrap() {
        End::Archived(other) => assert!(same_bytes && other == receipt, "{at}: {other:?}"),
        End::Failed(error) => {
            assert!(!same_bytes && error.contains("SHA-256"), "{at}: {error}");
        }
        End::Crashed => panic!("{at}: the first attempt crashed"),
    }
    fixture.assert_archived(&at).await;
    assert_eq!(fixture.memory.incomplete_uploads(), 0, "{at}");
}
