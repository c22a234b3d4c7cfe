//! A deposit in which the store or the source dies at the k-th operation, for every k until none is
//! left, and that is then run again. Whatever died: there is one good archive or none, no final key
//! without its bytes, and no receipt without everything it names.

// A test that cannot go on has failed, and those who run it want to know what was tried.
#![allow(clippy::panic, clippy::print_stdout, clippy::unwrap_used)]

mod deposit;
mod dying;
mod host;
mod memory;
#[path = "../support/origin.rs"]
mod origin;
#[path = "../support/serving.rs"]
mod serving;
#[path = "../support/video.rs"]
mod video;

use std::sync::Arc;

use deposit::{End, World, transfers};
use dying::{Death, Dying};
use futures::future::join_all;
use seedance_archiver_archive::Transfers;

/// More operations than any deposit takes.
const NEVER: usize = 1000;

/// Runs a deposit that dies at each operation in turn, and again. Returns how many there are.
async fn every_operation(creates_only: bool, death: Death, keeps_heartbeat: bool) -> usize {
    let transfers = transfers();
    for k in 0..NEVER {
        let world = World::new(creates_only, &transfers).await;
        let (store, place) = (Dying::at(&world.memory, k, death), World::fresh());
        let end = world.deposit(store.clone(), &place).await;
        world.is_sound().await;
        let next = if keeps_heartbeat {
            World::heartbeat(&place)
        } else {
            World::fresh()
        };
        let again = world.deposit(Dying::never(&world.memory), &next).await;
        let at = format!("operation {k}, {death:?}, {creates_only}, {keeps_heartbeat}");
        assert!(matches!(again, End::Archived(_)), "{at}: {again:?}");
        world.holds_one_archive(&at).await;
        if matches!(end, End::Archived(_)) && !store.has_died() {
            return k;
        }
    }
    panic!("a deposit without end");
}

async fn every_death(creates_only: bool) {
    for death in [Death::Before, Death::After, Death::Down] {
        let mut operations = Vec::new();
        for keeps_heartbeat in [false, true] {
            operations.push(every_operation(creates_only, death, keeps_heartbeat).await);
        }
        println!("create-only: {creates_only}, {death:?}: {operations:?} crash points");
        assert!(operations.iter().all(|count| *count > 10), "{operations:?}");
    }
}

#[tokio::test]
async fn a_store_that_dies_where_uploads_are_staged() {
    every_death(false).await;
}

#[tokio::test]
async fn a_store_that_dies_where_uploads_are_create_only() {
    every_death(true).await;
}

/// The source dies for good after each of its pieces, and is there again for the next attempt, which
/// goes on where the last part ended, if it knows.
#[tokio::test]
async fn a_source_that_dies() {
    let transfers = transfers();
    for keeps_heartbeat in [false, true] {
        // All at once: each pauses before it finds the source dead.
        let deaths = (0..host::PIECES).map(|k| source_dies_after(k, keeps_heartbeat, &transfers));
        let resumed = join_all(deaths).await.into_iter().filter(|it| *it).count();
        let pieces = host::PIECES;
        println!("{pieces} pieces, {resumed} resumed, heartbeat: {keeps_heartbeat}");
        assert_eq!(resumed > pieces / 2, keeps_heartbeat, "{resumed} resumed");
    }
}

/// Whether the next attempt went on in the middle.
async fn source_dies_after(k: usize, keeps_heartbeat: bool, transfers: &Transfers) -> bool {
    let world = World::new(true, transfers).await;
    world.host.die_after(k);
    let place = World::fresh();
    let end = world.deposit(Dying::never(&world.memory), &place).await;
    assert!(matches!(end, End::Failed(_)), "piece {k}: {end:?}");
    world.is_sound().await;
    world.host.revive();
    let next = match keeps_heartbeat {
        true => World::heartbeat(&place),
        false => World::fresh(),
    };
    let again = world.deposit(Dying::never(&world.memory), &next).await;
    assert!(matches!(again, End::Archived(_)), "piece {k}: {again:?}");
    world.holds_one_archive(&format!("piece {k}")).await;
    world.host.was_resumed()
}

/// A slow attempt, believed dead, that ends after the one in its place. That one knows its last
/// heartbeat, and so its upload, or does not; and is served the same bytes or others.
#[tokio::test]
async fn two_attempts_at_once() {
    let transfers = transfers();
    for creates_only in [false, true] {
        for knows in [false, true] {
            for same in [false, true] {
                let world = World::new(creates_only, &transfers).await;
                two_attempts(world, knows, same).await;
            }
        }
    }
}

async fn two_attempts(world: World, knows: bool, same: bool) {
    let world = Arc::new(world);
    let place = Arc::new(World::fresh());
    let slow = Dying::at(&world.memory, NEVER, Death::Before);
    let held = slow.hold_before_publishing();
    let first = tokio::spawn({
        let (world, place) = (world.clone(), place.clone());
        async move { world.deposit(slow, &place).await }
    });
    held.reached().await;
    if !same {
        world.host.serve_another();
    }
    let next = match knows {
        true => World::heartbeat(&place),
        false => World::fresh(),
    };
    let second = world.deposit(Dying::never(&world.memory), &next).await;
    let at = format!("knows: {knows}, same: {same}");
    let End::Archived(receipt) = second else {
        panic!("the second attempt: {second:?}, {at}");
    };
    held.let_go();
    match first.await.unwrap() {
        End::Archived(own) => assert!(same && own == receipt, "{at}: {own:?}"),
        End::Failed(fault) => assert!(!same && fault.contains("SHA-256"), "{at}: {fault}"),
        End::Died => panic!("it died"),
    }
    world.holds_what_is_served(&at).await;
}
