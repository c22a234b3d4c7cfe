//! Checks the commit protocol of an archive in every order of the operations of two attempts, within bounds.

// Prints the numbers of states.
#![allow(clippy::print_stdout)]

mod attempt;
mod bounds;
#[path = "../support/exploring.rs"]
mod exploring;
mod findings;
mod model;
mod mutations;
mod properties;
mod protocol;
mod staging;
mod steps;
mod store;

use bounds::Bounds;
use stateright::{Checker, Model};
use store::{OTHER, OTHER_END, RIGHT, TRUNCATED};

/// Explores all states, in which all properties must hold.
fn check(bounds: Bounds) {
    exploring::explore(bounds.name, bounds.checker()).assert_properties();
}

/// Explores states until one contradicts a property.
fn find(bounds: Bounds, property: &'static str) {
    let name = format!("{}, {:?}", bounds.name, bounds.mutation);
    exploring::find(&name, bounds.checker(), property);
}

fn staged() -> Bounds {
    Bounds {
        name: "staging and copies",
        has_conditional_complete: false,
        ..Bounds::default()
    }
}

#[test]
fn conditional_completion() {
    check(Bounds::default());
}

#[test]
fn conditional_completion_with_a_host_that_serves_other_bytes() {
    check(Bounds {
        name: "conditional completion, other bytes",
        bodies: &[RIGHT, OTHER, OTHER_END, TRUNCATED],
        ..Bounds::default()
    });
}

#[test]
fn conditional_completion_with_a_third_attempt() {
    check(Bounds {
        name: "conditional completion, three attempts",
        attempts: 3,
        faults: 1,
        ..Bounds::default()
    });
}

#[test]
fn staging() {
    check(staged());
}

#[test]
fn staging_with_a_third_attempt() {
    check(Bounds {
        name: "staging, three attempts",
        attempts: 3,
        faults: 1,
        bodies: &[RIGHT, OTHER, OTHER_END],
        ..staged()
    });
}

#[test]
fn staging_in_a_store_that_remembers_completions() {
    check(Bounds {
        name: "staging, repeated completions succeed",
        remembers_completion: true,
        ..staged()
    });
}

#[test]
fn staging_with_a_host_that_serves_other_bytes() {
    check(Bounds {
        name: "staging, other bytes",
        bodies: &[RIGHT, OTHER, OTHER_END, TRUNCATED],
        ..staged()
    });
}

#[test]
fn small_objects() {
    check(Bounds {
        name: "small objects",
        attempts: 3,
        is_small: true,
        bodies: &[RIGHT, OTHER, TRUNCATED],
        has_outdated_record: true,
        ..Bounds::default()
    });
}

#[test]
fn outcomes() {
    check(Bounds {
        name: "two outcomes",
        outcomes: 2,
        is_small: true,
        has_outdated_record: true,
        ..Bounds::default()
    });
}

#[test]
fn three_outcomes() {
    check(Bounds {
        name: "three outcomes",
        outcomes: 3,
        faults: 1,
        is_small: true,
        has_outdated_record: true,
        ..Bounds::default()
    });
}
