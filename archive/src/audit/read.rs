//! Reads receipts.

use std::time::SystemTime;

use bytes::Bytes;
use futures::{Stream, TryStreamExt, future};
use object_store::path::Path;
use seedance_archiver_proto::v1::Manifest;

use super::listing::{self, LOST, Listed, Selection};
use crate::{Archive, Error, receipt};

/// Maximum number of receipts that are read concurrently.
const CONCURRENCY: usize = 32;

/// A receipt, with the JSON that it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredReceipt {
    /// Key of the receipt.
    pub key: Path,
    /// The receipt.
    pub manifest: Manifest,
    /// The object as stored. It may have fields of a later version.
    pub json: Bytes,
    /// Whether there is a tombstone beside it: the erasure of the task was interrupted.
    pub is_erased: bool,
}

/// A receipt that could not be read.
#[derive(Clone, Debug, PartialEq)]
pub struct UnreadableReceipt {
    /// Key of the receipt.
    pub key: Path,
    /// The problem: a predicate after the key, e.g. `is not a receipt: …`.
    pub problem: String,
}

/// Reads all receipts, or those that were last modified at `since` or later, several at once. Returns them in the order in
/// which the store lists the keys: ascending by bytes, except on stores that list keys in another order.
///
/// A receipt that cannot be read does not end the others. An error of the stream means that some receipts were not
/// listed; results may follow it.
///
/// Memory is bounded: at most 32 receipts, and the keys that are sorted where the store does not list them in order.
pub fn read_receipts(
    archive: &Archive,
    since: Option<SystemTime>,
) -> impl Stream<Item = Result<Result<StoredReceipt, UnreadableReceipt>, Error>> {
    let selection = Selection {
        since,
        after: None,
        filter: None,
    };
    listing::in_order(archive, selection)
        .map_ok(|listed| async { Ok(read(archive, listed).await) })
        .try_buffered(CONCURRENCY)
        .try_filter_map(|read| future::ok(read.transpose()))
}

/// Reads a receipt of the listed size. Returns `None` if it was deleted meanwhile: the store lists it no more.
async fn read(
    archive: &Archive,
    Listed {
        key,
        size,
        is_erased,
    }: Listed,
) -> Result<Option<StoredReceipt>, UnreadableReceipt> {
    let found = async {
        // Do not read an object of any size into memory.
        receipt::check_size(&key, size)?;
        let found = receipt::find_with_json(archive, &key).await?;
        if found.is_none() && listing::is_listed(archive, &key).await? {
            return Err(Error::InvalidRecord(format!("{key} {LOST}")));
        }
        Ok::<_, Error>(found)
    };
    match found.await {
        Ok(found) => Ok(found.map(|(manifest, json)| StoredReceipt {
            key,
            manifest,
            json,
            is_erased,
        })),
        Err(error) => Err(UnreadableReceipt {
            problem: problem(&key, error),
            key,
        }),
    }
}

/// Returns an error as a predicate after the key.
fn problem(key: &Path, error: Error) -> String {
    match error {
        // The error starts with the key.
        Error::InvalidRecord(problem) => match problem.strip_prefix(&format!("{key} ")) {
            Some(predicate) => predicate.to_owned(),
            None => problem,
        },
        error => format!("cannot be read: {error}"),
    }
}
