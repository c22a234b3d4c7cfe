//! Verifies the objects of an archive against their receipts.

mod receipt;

use std::{sync::Arc, time::SystemTime};

use futures::{FutureExt, Stream, StreamExt, TryStreamExt, channel::mpsc, future, stream};
use object_store::{ObjectStoreExt, path::Path};
use seedance_archiver_proto::names;
use tokio::sync::Semaphore;

pub use super::listing::Filter;
use super::{
    listing::{self, Listed, Selection},
    observer::Observer,
    verified::Verified,
};
use crate::{Archive, Error, error::optional, receipt::beside};

/// Default maximum number of receipts that are verified concurrently. Each reads one object at a time.
const CONCURRENCY: usize = 8;

/// Maximum number of receipts whose results wait for the first one of them, for example one with a large object.
const WINDOW: usize = 1024;

/// Maximum number of receipts that are listed ahead.
const LIST_AHEAD: usize = 65_536;

/// Verifies all receipts, or those written at `since` or later. Compares the size of each object and, if `deep` is
/// set, reads the object and compares its SHA-256.
///
/// The results are those of [`Verification::run`].
pub fn verify(
    archive: &Archive,
    since: Option<SystemTime>,
    deep: bool,
) -> impl Stream<Item = Result<Verified, Error>> {
    let verification = Verification {
        since,
        deep,
        ..Verification::default()
    };
    verification.run(archive)
}

/// Verifies one receipt, as if it had been listed. Reads the objects if `deep` is set.
pub async fn verify_receipt(archive: &Archive, key: &Path, deep: bool) -> Verified {
    match find(archive, key).await {
        Ok(listed) => receipt::verify(archive, listed, deep, &()).await,
        Err(error) => receipt::not_read(key.clone(), error),
    }
}

/// Returns a receipt as if it had been listed.
async fn find(archive: &Archive, key: &Path) -> Result<Listed, Error> {
    let tombstone = beside(key, names::ERASED);
    let receipt = optional(archive.store.head(key).await)?;
    Ok(Listed {
        key: key.clone(),
        size: receipt.map_or(0, |receipt| receipt.size),
        is_erased: optional(archive.store.head(&tombstone).await)?.is_some(),
    })
}

/// Which receipts to verify, and how. By default, the sizes of all objects.
#[derive(Clone)]
pub struct Verification<'a> {
    /// Only receipts that were written at this time or later.
    pub since: Option<SystemTime>,
    /// Only receipts with a greater key, which continues an interrupted verification.
    pub after: Option<Path>,
    /// Only receipts for whose key this returns `true`.
    pub filter: Option<Filter<'a>>,
    /// Whether to read each object and compare its SHA-256.
    pub deep: bool,
    /// Maximum number of receipts that are verified concurrently. If it is 1, nothing is read between two results until
    /// the next one is asked for.
    pub concurrency: usize,
    /// Follows the verification.
    pub observer: &'a dyn Observer,
}

impl Default for Verification<'_> {
    fn default() -> Self {
        Self {
            since: None,
            after: None,
            filter: None,
            deep: false,
            concurrency: CONCURRENCY,
            observer: &(),
        }
    }
}

impl<'a> Verification<'a> {
    /// Verifies receipts concurrently, and returns the results in the order in which the store lists the keys: if it is
    /// interrupted, another verification can continue [`after`](Self::after) the last result. The order is ascending by
    /// bytes, except on stores that list keys in another order.
    ///
    /// A receipt or an object that cannot be read is a finding. A receipt that was [deleted](Verified::is_deleted) after it was
    /// listed is none. An error of the stream means that some receipts were not listed, which may precede the results that
    /// follow it.
    ///
    /// Memory is bounded: some keys and results, one receipt and 4 MiB of an object for each receipt that is being
    /// verified.
    pub fn run(self, archive: &'a Archive) -> impl Stream<Item = Result<Verified, Error>> + 'a {
        let Self {
            since,
            after,
            filter,
            deep,
            concurrency,
            observer,
        } = self;
        let selection = Selection {
            since,
            after,
            filter,
        };
        let (sender, listed) = mpsc::channel(LIST_AHEAD);
        let list = listing::in_order(archive, selection)
            .inspect_ok(move |_| observer.on_listed())
            .map(Ok)
            .forward(sender)
            // An error would mean that the receiver, below, is gone.
            .map(move |_| observer.on_list_end());
        let slots = Arc::new(Semaphore::new(concurrency));
        let window = if concurrency > 1 { WINDOW } else { 1 };
        let verified = listed
            .map(move |listed: Result<Listed, Error>| {
                let slots = slots.clone();
                async move {
                    let receipt = listed?;
                    let _slot = slots.acquire().await.ok();
                    let verified = receipt::verify(archive, receipt, deep, observer).await;
                    observer.on_verified(&verified);
                    Ok(verified)
                }
            })
            .buffered(window);
        let list = list.into_stream().filter_map(|()| future::ready(None));
        stream::select(list, verified)
    }
}
