//! What the protocol does not prevent on a disk, and that it affects nothing else.

use stateright::{Checker, Model};

use super::{
    bounds::Bounds,
    exploring, find,
    properties::{RECEIPT_RECORD, RECORD},
    staged,
    store::{OTHER, RIGHT, TRUNCATED},
};

/// A disk cannot replace a certain version of a file. The version is compared immediately before.
fn disk() -> Bounds {
    Bounds {
        name: "a disk",
        has_conditional_update: false,
        has_outdated_record: true,
        ..staged()
    }
}

/// Explores all states, in which all properties must hold but those of the record.
fn check_others(bounds: Bounds) {
    let properties = bounds.properties();
    let checker = exploring::explore(bounds.name, bounds.checker());
    for property in properties {
        if ![RECORD, RECEIPT_RECORD].contains(&property.name) {
            checker.assert_no_discovery(property.name);
        }
    }
}

/// The shortest bounds that show it.
#[test]
fn a_record_is_replaced_on_a_disk() {
    for property in [RECORD, RECEIPT_RECORD] {
        find(
            Bounds {
                faults: 0,
                is_small: true,
                ..disk()
            },
            property,
        );
    }
}

#[test]
fn only_the_record_is_affected() {
    check_others(disk());
}

#[test]
fn only_the_record_of_a_small_object_is_affected() {
    check_others(Bounds {
        name: "a disk, small objects",
        attempts: 3,
        is_small: true,
        bodies: &[RIGHT, OTHER, TRUNCATED],
        ..disk()
    });
}

#[test]
fn outcomes_are_deleted_from_a_disk() {
    check_others(Bounds {
        name: "a disk, two outcomes",
        outcomes: 2,
        is_small: true,
        ..disk()
    });
}
