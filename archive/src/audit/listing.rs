//! Lists receipts.

use std::{collections::BTreeSet, pin::pin, time::SystemTime};

use futures::{
    Stream, StreamExt, TryStreamExt, future,
    stream::{self, BoxStream},
};
use object_store::{ObjectMeta, path::Path};
use seedance_archiver_proto::names;

use crate::{Archive, Error, keys::STAGING, receipt};

/// Maximum number of receipts and tombstones that are sorted in memory.
const MAX_SORTED: usize = 65_536;

/// The problem of an object that [`is_listed`] and does not exist, as text that completes "`object` …".
pub(super) const LOST: &str = "is listed, but does not exist";

/// A receipt in a list.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) key: Path,
    pub(super) size: u64,
    /// Whether there is a tombstone beside it.
    pub(super) is_erased: bool,
}

/// A receipt or a tombstone, as the store lists it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    key: Path,
    size: u64,
}

/// Decides by the key of a receipt.
pub type Filter<'a> = &'a (dyn Fn(&Path) -> bool + Sync);

/// Which receipts to list.
#[derive(Clone)]
pub(super) struct Selection<'a> {
    /// Only those written at this time or later.
    pub(super) since: Option<SystemTime>,
    /// Only those with a greater key.
    pub(super) after: Option<Path>,
    /// Only those for which this returns `true`.
    pub(super) filter: Option<Filter<'a>>,
}

/// Lists the keys of all receipts, or of those written at `since` or later, without those of erased tasks.
pub fn receipts(
    archive: &Archive,
    since: Option<SystemTime>,
) -> impl Stream<Item = Result<Path, Error>> {
    let selection = Selection {
        since,
        after: None,
        filter: None,
    };
    in_order(archive, selection)
        .try_filter(|listed| future::ready(!listed.is_erased))
        .map_ok(|listed| listed.key)
}

/// Returns whether the store lists the object at a key now. One that was listed before and does not exist was deleted
/// meanwhile, or the store has lost it.
pub(super) async fn is_listed(archive: &Archive, key: &Path) -> Result<bool, Error> {
    let directory = receipt::directory_of(key);
    let listed = archive.store.list_with_delimiter(Some(&directory)).await?;
    Ok(listed.objects.iter().any(|it| it.location == *key))
}

/// Lists receipts in ascending order of their keys, by bytes. After an error, receipts may be missing; on a store that
/// does not list in order, the error comes before the receipts that were found.
pub(super) fn in_order<'a>(
    archive: &'a Archive,
    selection: Selection<'a>,
) -> BoxStream<'a, Result<Listed, Error>> {
    let mut erased = ErasedDirectories::default();
    let receipt = move |entry| future::ok(erased.receipt(entry));
    match archive.lists_in_order {
        true => list(archive, selection).try_filter_map(receipt).boxed(),
        false => sorted(archive, selection, MAX_SORTED)
            .try_filter_map(receipt)
            .boxed(),
    }
}

/// The directories of erased tasks that contain the last key. In the order of keys, the tombstone comes before the receipt.
#[derive(Debug, Default)]
struct ErasedDirectories(Vec<Path>);

impl ErasedDirectories {
    /// Returns the next entry if it is a receipt.
    fn receipt(&mut self, Entry { key, size }: Entry) -> Option<Listed> {
        while self.0.last().is_some_and(|it| !key.prefix_matches(it)) {
            self.0.pop();
        }
        let directory = receipt::directory_of(&key);
        if key.filename() == Some(names::ERASED) {
            self.0.push(directory);
            return None;
        }
        Some(Listed {
            is_erased: self.0.last() == Some(&directory),
            key,
            size,
        })
    }
}

/// Lists the receipts and tombstones with the smallest keys, then again those behind them, so that not all of them are in
/// memory.
fn sorted<'a>(
    archive: &'a Archive,
    selection: Selection<'a>,
    limit: usize,
) -> impl Stream<Item = Result<Entry, Error>> {
    let next_receipts = move |selection: Option<Selection<'a>>| async move {
        let mut selection = selection?;
        let (receipts, error) = smallest(archive, selection.clone(), limit).await;
        let is_full = receipts.len() >= limit;
        selection.after = receipts.last().map(|receipt| receipt.key.clone());
        let items = error
            .map(Err)
            .into_iter()
            .chain(receipts.into_iter().map(Ok));
        Some((stream::iter(items), is_full.then_some(selection)))
    };
    stream::unfold(Some(selection), next_receipts).flatten()
}

/// Returns the receipts and tombstones with the smallest keys, at most `limit`, and the error that ended the list.
async fn smallest(
    archive: &Archive,
    selection: Selection<'_>,
    limit: usize,
) -> (BTreeSet<Entry>, Option<Error>) {
    let mut receipts = BTreeSet::new();
    let mut list = pin!(list(archive, selection));
    while let Some(receipt) = list.next().await {
        match receipt {
            Ok(receipt) => {
                receipts.insert(receipt);
            }
            Err(error) => return (receipts, Some(error)),
        }
        if receipts.len() > limit {
            receipts.pop_last();
        }
    }
    (receipts, None)
}

/// Lists receipts and tombstones in the order of the store.
fn list<'a>(
    archive: &Archive,
    selection: Selection<'a>,
) -> impl Stream<Item = Result<Entry, Error>> + use<'a> {
    let Selection {
        since,
        after,
        filter,
    } = selection;
    let staging = archive.url_prefix.clone().join(STAGING);
    objects(archive, after)
        .map_err(Error::from)
        .try_filter(move |object| {
            let key = &object.location;
            let is_listed = match key.filename() {
                Some(names::MANIFEST) => {
                    is_since(object, since) && filter.is_none_or(|filter| filter(key))
                }
                Some(names::ERASED) => true,
                _ => false,
            };
            future::ready(is_listed && !key.prefix_matches(&staging))
        })
        .map_ok(|object| Entry {
            key: object.location,
            size: object.size,
        })
}

fn objects(
    archive: &Archive,
    after: Option<Path>,
) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
    let prefix = Some(&archive.root);
    // MinIO lists nothing after a key before the prefix.
    let first = format!("{}/", archive.root);
    match after.filter(|after| archive.root.is_root() || after.as_ref() >= first.as_str()) {
        Some(after) => archive.store.list_with_offset(prefix, &after),
        None => archive.store.list(prefix),
    }
}

fn is_since(object: &ObjectMeta, since: Option<SystemTime>) -> bool {
    since.is_none_or(|since| SystemTime::from(object.last_modified) >= since)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::{ObjectStoreExt, memory::InMemory};

    use super::*;

    #[test]
    fn the_tombstone_of_a_task_concerns_only_its_receipt() {
        let mut erased = ErasedDirectories::default();
        for (key, expected) in [
            ("a/b/erased.json", None),
            ("a/b/f/manifest.json", Some(false)),
            ("a/b/g/erased.json", None),
            ("a/b/g/manifest.json", Some(true)),
            ("a/b/manifest.json", Some(true)),
            ("a/b/x/manifest.json", Some(false)),
            ("a/bc/manifest.json", Some(false)),
            ("a/c/erased.json", None),
            ("a/d/manifest.json", Some(false)),
            ("erased.json", None),
            ("f/manifest.json", Some(false)),
            ("manifest.json", Some(true)),
        ] {
            let (key, size) = (Path::from(key), 0);
            let receipt = erased.receipt(Entry { key, size });
            assert_eq!(receipt.map(|it| it.is_erased), expected);
        }
    }

    #[tokio::test]
    async fn receipts_beyond_the_limit_are_listed_in_order() {
        let store = Arc::new(InMemory::new());
        let mut keys = Vec::new();
        for task in ["a", "a/b", "a-b", "a.b", "b", "ü", "a b"] {
            let key = Path::from(format!("{task}/{}", names::MANIFEST));
            store.put(&key, "{}".into()).await.unwrap();
            keys.push(key);
        }
        keys.sort();
        let archive = Archive::from_store("memory:///".parse().unwrap(), store);
        for limit in 1..=keys.len() + 1 {
            for start in 0..=keys.len() {
                let selection = Selection {
                    since: None,
                    filter: None,
                    after: start.checked_sub(1).map(|last| keys[last].clone()),
                };
                let listed = sorted(&archive, selection, limit).map_ok(|receipt| receipt.key);
                let listed: Vec<_> = listed.try_collect().await.unwrap();
                assert_eq!(listed, keys[start..], "limit {limit}");
            }
        }
    }
}
