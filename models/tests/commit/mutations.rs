//! Errors in the protocol, which the checker must find. Some were in the code.

use super::{
    bounds::{Bounds, Mutation},
    find,
    properties::*,
    staged,
    store::{OTHER, OTHER_END, RIGHT, TRUNCATED},
};

fn mutated(mutation: Mutation) -> Bounds {
    Bounds {
        mutation: Some(mutation),
        ..Bounds::default()
    }
}

#[test]
fn a_receipt_before_the_objects() {
    find(mutated(Mutation::ReceiptFirst), RECEIPT);
}

#[test]
fn objects_without_a_condition() {
    let bounds = mutated(Mutation::Overwrite);
    find(
        Bounds {
            bodies: &[RIGHT, OTHER],
            ..bounds
        },
        REPLACED,
    );
}

#[test]
fn an_existing_object_without_a_comparison() {
    let bounds = mutated(Mutation::TrustExisting);
    find(
        Bounds {
            bodies: &[RIGHT, OTHER],
            ..bounds
        },
        RECEIPT,
    );
}

#[test]
fn bytes_without_checks() {
    let bounds = mutated(Mutation::SkipChecks);
    find(
        Bounds {
            bodies: &[RIGHT, TRUNCATED],
            ..bounds
        },
        CHECKED,
    );
}

#[test]
fn a_receipt_without_a_condition() {
    find(mutated(Mutation::OverwriteReceipt), ONE_RECEIPT);
}

#[test]
fn a_receipt_of_its_own() {
    find(mutated(Mutation::ReturnOwnReceipt), ONE_RECEIPT);
}

#[test]
fn a_record_that_is_always_replaced() {
    find(mutated(Mutation::ReplaceRecord), RECORD);
}

#[test]
fn a_conflict_with_the_same_bytes() {
    find(mutated(Mutation::ConflictWithSelf), CONFLICT);
}

#[test]
fn a_lost_upload_that_is_kept() {
    let bounds = mutated(Mutation::KeepLostUpload);
    find(
        Bounds {
            attempts: 3,
            faults: 0,
            ..bounds
        },
        RETRIES,
    );
}

#[test]
fn a_clean_that_lists_no_uploads() {
    find(mutated(Mutation::CleanSkipsUploads), CLEAN);
}

#[test]
fn an_outcome_that_is_kept() {
    let bounds = mutated(Mutation::KeepOutcome);
    find(
        Bounds {
            outcomes: 1,
            faults: 0,
            ..bounds
        },
        OUTCOME_DELETED,
    );
}

/// A zombie replaces the staged object after it was checked, and before it is copied.
#[test]
fn a_copy_that_is_not_looked_at() {
    find(
        Bounds {
            bodies: &[RIGHT, OTHER],
            mutation: Some(Mutation::TrustCopy),
            ..staged()
        },
        RECEIPT,
    );
}

/// An attempt that resumed an upload takes the object that a zombie completed for its own.
#[test]
fn a_staged_object_that_is_not_checked() {
    find(
        Bounds {
            bodies: &[RIGHT, OTHER_END],
            mutation: Some(Mutation::CopyUnchecked),
            ..staged()
        },
        RECEIPT,
    );
}

#[test]
fn an_outcome_whose_writer_died() {
    let bounds = mutated(Mutation::LeaveOutcome);
    find(
        Bounds {
            attempts: 1,
            outcomes: 2,
            faults: 1,
            is_small: true,
            ..bounds
        },
        OUTCOME_DELETED,
    );
}

/// Three outcomes replace the record: before the first put, before the last one, and before the receipt.
#[test]
fn a_receipt_that_names_a_record_that_may_be_replaced() {
    let bounds = mutated(Mutation::NameAnyRecord);
    find(
        Bounds {
            attempts: 1,
            outcomes: 3,
            faults: 0,
            is_small: true,
            has_outdated_record: true,
            ..bounds
        },
        RECEIPT_RECORD,
    );
}
