//! Audits an archive: reads the receipts, compares the objects with them, finds what interrupted attempts left behind, and
//! stores the reports of audits.

mod leftovers;
mod listing;
mod observer;
mod position;
mod read;
mod reports;
mod ring;
mod verified;
mod verify;

pub use leftovers::{Leftovers, find_leftovers};
pub use listing::receipts;
pub use observer::Observer;
pub use position::Position;
pub use read::{StoredReceipt, UnreadableReceipt, read_receipts};
pub use reports::{last_report, report_key, write_report};
pub use ring::hash_of;
pub use verified::{Finding, FindingKind, Verified};
pub use verify::{Filter, Verification, verify, verify_receipt};

pub(crate) use leftovers::{unnamed_files, upload_files};
