//! Checks in every order of the messages, within bounds, that the end of a task reaches its lifecycle once.

// Prints the numbers of states.
#![allow(clippy::print_stdout)]

mod actions;
mod bounds;
mod model;
mod properties;

use bounds::{Bounds, Mutation};
use properties::*;
use stateright::{Checker, HasDiscoveries, Model};

/// Explores all states, in which all properties must hold.
fn check(bounds: Bounds) {
    let name = bounds.name;
    let checker = bounds.checker().spawn_bfs().join();
    println!(
        "{name}: {} states, {} transitions, depth {}",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth()
    );
    checker.assert_properties();
}

/// Explores states until one contradicts a property, and prints the actions that lead to it.
fn find(mutation: Mutation, property: &'static str) {
    let bounds = Bounds {
        mutation: Some(mutation),
        ..Bounds::default()
    };
    let found = HasDiscoveries::AnyOf([property].into());
    let checker = bounds.checker().finish_when(found).spawn_bfs().join();
    let path = checker.assert_any_discovery(property);
    let actions = path.into_actions();
    println!("{mutation:?}: not `{property}` after {actions:?}");
}

#[test]
fn news_of_a_task() {
    check(Bounds::default());
}

#[test]
fn cancellation() {
    check(Bounds {
        name: "cancellation",
        attempts: 2,
        cancellations: 1,
        faults: 1,
        ..Bounds::default()
    });
}

#[test]
fn a_lifecycle_that_trusts_stale_records() {
    find(Mutation::TrustStale, FORWARD);
}

#[test]
fn a_result_without_an_activity() {
    find(Mutation::AcceptAnyResult, ONE_RESULT);
}

#[test]
fn a_lifecycle_that_polls_while_it_archives() {
    find(Mutation::PollWhileArchiving, ONE_ARCHIVAL);
}

#[test]
fn a_nudge_that_loses_a_result() {
    find(Mutation::NudgeLosesResult, WITHOUT_POLLS);
}

#[test]
fn a_watcher_that_takes_a_record_for_delivered() {
    find(Mutation::SettleUnheard, WITHOUT_POLLS);
}
