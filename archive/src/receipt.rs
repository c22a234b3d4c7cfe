//! The JSON records of a task in the archive.
//!
//! - `manifest.json`, the receipt: written last and create-only. It commits the archival. A receipt is valid if it names
//!   the task and at least one object of the task.
//! - `task.json`: the record of the task.
//! - `outcome.json`: the record of an outcome without a video. Beside a valid receipt, it means nothing.
//! - `erased.json`: the tombstone of an erased task. Nothing else of the task is archived while it exists.
//!
//! An attempt that the server believes dead may still be writing. So no writer replaces anything but the version that
//! it read, and only if that version may be replaced:
//!
//! | object | replaced |
//! |---|---|
//! | valid receipt | never |
//! | invalid receipt | by a receipt, after it was copied |
//! | `task.json` of a succeeded task | never: a receipt may name it |
//! | `task.json` of any other task | by a later record |
//! | `outcome.json` | by a later outcome |
//! | `erased.json` | never |
//!
//! A local file system cannot replace a certain version. There, the version is compared immediately before.

mod find;
pub(crate) mod json;
mod outcome;
mod task_record;
mod tombstone;
mod write;

use object_store::path::Path;

pub use find::{find, find_of_task, is_archived};
pub use outcome::{delete_outcome, find_outcome, has_outcome, write_outcome};
pub use tombstone::{Tombstone, check_not_erased, find_tombstone};
pub use write::write;

pub(crate) use find::{check_size, find_with_json};
pub(crate) use task_record::{StoredRecord, find_task, write_task};
pub(crate) use tombstone::{find_tombstone_at, write_tombstone};

/// Returns the key of a file in the directory of a receipt. Unlike the URLs in the receipt, it stays correct if
/// the archive is moved.
pub fn beside(receipt: &Path, name: &str) -> Path {
    directory_of(receipt).join(name)
}

/// Returns the directory of an object.
pub(crate) fn directory_of(key: &Path) -> Path {
    let mut directory: Vec<_> = key.parts().collect();
    directory.pop();
    Path::from_iter(directory)
}
