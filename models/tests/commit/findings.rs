//! What the protocol does not prevent, with the shortest bounds that show it.

use super::{
    bounds::Bounds,
    check, find,
    properties::{OUTCOME_DELETED, RECEIPT, RECORD},
    staged,
    store::{OTHER, OTHER_END, RIGHT, TRUNCATED},
};

/// An attempt that resumed an upload takes the object that a zombie completed for its own.
#[test]
fn the_upload_of_two_attempts_has_the_bytes_of_the_other() {
    find(
        Bounds {
            faults: 1,
            bodies: &[RIGHT, OTHER_END],
            ..staged()
        },
        RECEIPT,
    );
}

/// A zombie replaces the staged object before the attempt that resumed its upload copies it.
#[test]
fn the_staging_key_of_two_attempts_has_the_bytes_of_the_other() {
    find(
        Bounds {
            bodies: &[RIGHT, OTHER],
            ..staged()
        },
        RECEIPT,
    );
}

#[test]
fn a_comparison_after_the_copy_prevents_both() {
    check(Bounds {
        name: "staging, other bytes, with a comparison",
        bodies: &[RIGHT, OTHER, OTHER_END, TRUNCATED],
        compares_copies: true,
        ..staged()
    });
}

#[test]
fn a_record_is_replaced_in_a_store_without_conditional_updates() {
    find(
        Bounds {
            name: "a disk",
            faults: 0,
            is_small: true,
            has_conditional_update: false,
            has_outdated_record: true,
            ..Bounds::default()
        },
        RECORD,
    );
}

/// `write_task` names the record of another writer although it may be replaced.
#[test]
fn a_receipt_names_a_record_that_is_replaced() {
    find(
        Bounds {
            name: "three outcomes",
            attempts: 1,
            outcomes: 3,
            faults: 0,
            is_small: true,
            has_outdated_record: true,
            ..Bounds::default()
        },
        RECEIPT,
    );
}

#[test]
fn an_outcome_stays_beside_a_receipt_if_its_writer_dies() {
    find(
        Bounds {
            attempts: 1,
            outcomes: 1,
            faults: 1,
            is_small: true,
            ..Bounds::default()
        },
        OUTCOME_DELETED,
    );
}
