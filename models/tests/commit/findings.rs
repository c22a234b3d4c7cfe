//! What the protocol does not prevent, with the shortest bounds that show it.

use super::{
    bounds::Bounds,
    find,
    properties::{RECEIPT, RECORD},
};

/// A disk cannot replace a certain version of a file. The version is compared immediately before.
#[test]
fn a_record_is_replaced_in_a_store_without_conditional_updates() {
    for property in [RECORD, RECEIPT] {
        find(
            Bounds {
                name: "a disk",
                faults: 0,
                is_small: true,
                has_conditional_update: false,
                has_outdated_record: true,
                ..Bounds::default()
            },
            property,
        );
    }
}
