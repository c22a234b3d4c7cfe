//! How many requests are sent each second.

use std::collections::BTreeMap;

use crate::{
    log::{Life, What},
    world::{LISTS_PER_SECOND, World},
};

/// Checks that no second has more queries, or more lists, than their rate limit.
pub(super) fn check(world: &World, life: &Life) -> Option<String> {
    let is_query = |what: &What| matches!(what, What::Query { .. });
    let is_list = |what: &What| matches!(what, What::List { .. });
    check_limit(life, "queries", world.queries_per_second, is_query)
        .or_else(|| check_limit(life, "lists", LISTS_PER_SECOND, is_list))
}

fn check_limit(
    life: &Life,
    kind: &str,
    limit: u64,
    is_counted: impl Fn(&What) -> bool,
) -> Option<String> {
    let mut requests: BTreeMap<u64, u64> = BTreeMap::new();
    for entry in life.log.iter().filter(|entry| is_counted(&entry.what)) {
        *requests.entry(entry.at).or_default() += 1;
    }
    let (at, count) = requests.into_iter().max_by_key(|(_, count)| *count)?;
    (count > limit).then(|| format!("{count} {kind} at {at} s, but the limit is {limit}"))
}
