//! Checks that the search attributes of a query are registered.

use anyhow::bail;
use temporalio_client::{Client, NamespacedClient};

use crate::temporal::search_attributes::{self, Attribute};

/// Checks that the namespace has the search attributes that a query uses, and returns those that it lacks.
pub(super) async fn check(
    client: &Client,
    mut used: impl Iterator<Item = &'static str>,
) -> anyhow::Result<Vec<Attribute>> {
    // If the search attributes cannot be read, neither can the list, whose error is reported.
    let missing = search_attributes::missing(client).await.unwrap_or_default();
    let is_missing = |name: &&str| missing.iter().any(|(missing, _)| missing == name);
    if let Some(name) = used.find(is_missing) {
        bail!(
            "the namespace `{}` lacks the search attribute `{name}`; \
             run `seedance-archiver setup` to register it",
            client.namespace()
        );
    }
    Ok(missing)
}
