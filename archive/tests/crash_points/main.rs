//! Archivals in which the store, the host or the process fails at the k-th operation, for every k, and that are then
//! run again. After every failure the archive is complete or empty: no final key has other bytes, and no receipt names
//! an object that does not exist.

// Tests may panic, and print how many crash points they covered.
#![allow(clippy::panic, clippy::print_stdout, clippy::unwrap_used)]

mod failing_store;
mod host;
mod memory;
#[path = "../support/one_url.rs"]
mod one_url;
#[path = "../support/serving.rs"]
mod serving;
#[path = "../support/video.rs"]
mod video;
mod world;

use std::sync::Arc;

use failing_store::{Crash, FailingStore};
use futures::future::join_all;
use seedance_archiver_archive::TransferResources;
use world::{End, World, resources};

/// More operations than any archival needs.
const NEVER: usize = 1000;

/// Runs an archival that crashes at an operation, then a second one, for each operation. Returns the number of
/// operations.
async fn crash_at_every_operation(
    has_conditional_complete: bool,
    crash: Crash,
    keeps_heartbeat: bool,
) -> usize {
    let resources = resources();
    for k in 0..NEVER {
        let world = World::new(has_conditional_complete, &resources).await;
        let store = FailingStore::at(&world.memory, k, crash);
        let progress = World::fresh();
        let end = world.archive(store.clone(), &progress).await;
        world.assert_consistent().await;
        let next = if keeps_heartbeat {
            World::resumed(&progress)
        } else {
            World::fresh()
        };
        let again = world
            .archive(FailingStore::never(&world.memory), &next)
            .await;
        let at = format!(
            "operation {k}, {crash:?}, conditional complete: {has_conditional_complete}, \
             heartbeat: {keeps_heartbeat}"
        );
        assert!(matches!(again, End::Archived(_)), "{at}: {again:?}");
        world.assert_archived_once(&at).await;
        if matches!(end, End::Archived(_)) && !store.has_failed() {
            return k;
        }
    }
    panic!("the archival does not end");
}

async fn crash_in_every_way(has_conditional_complete: bool) {
    for crash in [Crash::Before, Crash::After, Crash::Outage] {
        let mut operations = Vec::new();
        for keeps_heartbeat in [false, true] {
            let count = crash_at_every_operation(has_conditional_complete, crash, keeps_heartbeat);
            operations.push(count.await);
        }
        println!(
            "conditional complete: {has_conditional_complete}, {crash:?}: {operations:?} crash points"
        );
        assert!(operations.iter().all(|count| *count > 10), "{operations:?}");
    }
}

#[tokio::test]
async fn a_crash_at_any_operation_with_staged_uploads() {
    crash_in_every_way(false).await;
}

#[tokio::test]
async fn a_crash_at_any_operation_with_conditional_complete() {
    crash_in_every_way(true).await;
}

/// The host fails after each chunk, and has recovered when the next attempt starts. That attempt resumes at the last
/// part if it has the heartbeat.
#[tokio::test]
async fn a_host_failure_after_any_chunk() {
    let resources = resources();
    for keeps_heartbeat in [false, true] {
        // Concurrently, because each download pauses before it fails.
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

/// Returns whether the second attempt resumed the download.
async fn host_fails_after(k: usize, keeps_heartbeat: bool, resources: &TransferResources) -> bool {
    let world = World::new(true, resources).await;
    world.host.fail_after(k);
    let progress = World::fresh();
    let end = world
        .archive(FailingStore::never(&world.memory), &progress)
        .await;
    assert!(matches!(end, End::Failed(_)), "chunk {k}: {end:?}");
    world.assert_consistent().await;
    world.host.recover();
    let next = match keeps_heartbeat {
        true => World::resumed(&progress),
        false => World::fresh(),
    };
    let again = world
        .archive(FailingStore::never(&world.memory), &next)
        .await;
    assert!(matches!(again, End::Archived(_)), "chunk {k}: {again:?}");
    world.assert_archived_once(&format!("chunk {k}")).await;
    world.host.was_resumed()
}

/// A slow attempt that counts as dead ends after the attempt that replaced it. The second attempt has the heartbeat of
/// the first, and so its upload, or has not, and the host serves it the same bytes or others.
#[tokio::test]
async fn two_concurrent_attempts() {
    let resources = resources();
    for has_conditional_complete in [false, true] {
        for has_heartbeat in [false, true] {
            for same_bytes in [false, true] {
                let world = World::new(has_conditional_complete, &resources).await;
                two_attempts(world, has_heartbeat, same_bytes).await;
            }
        }
    }
}

async fn two_attempts(world: World, has_heartbeat: bool, same_bytes: bool) {
    let world = Arc::new(world);
    let progress = Arc::new(World::fresh());
    let slow = FailingStore::at(&world.memory, NEVER, Crash::Before);
    let held = slow.hold_before_publishing();
    let first = tokio::spawn({
        let (world, progress) = (world.clone(), progress.clone());
        async move { world.archive(slow, &progress).await }
    });
    held.reached().await;
    if !same_bytes {
        world.host.serve_another();
    }
    let next = match has_heartbeat {
        true => World::resumed(&progress),
        false => World::fresh(),
    };
    let second = world
        .archive(FailingStore::never(&world.memory), &next)
        .await;
    let at = format!("heartbeat: {has_heartbeat}, same bytes: {same_bytes}");
    let End::Archived(receipt) = second else {
        panic!("the second attempt: {second:?}, {at}");
    };
    held.release();
    match first.await.unwrap() {
        End::Archived(own) => assert!(same_bytes && own == receipt, "{at}: {own:?}"),
        End::Failed(error) => {
            assert!(!same_bytes && error.contains("SHA-256"), "{at}: {error}");
        }
        End::Crashed => panic!("{at}: the first attempt crashed"),
    }
    world.assert_archived(&at).await;
}
