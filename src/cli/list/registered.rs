//! Checks that the search attributes of a query are registered.

use anyhow::bail;
use temporalio_client::{Client, NamespacedClient};

use crate::temporal::search_attributes::{self, Attribute};

/// Checks that the namespace has the search attributes that a query uses, and returns those that it lacks.
pub(super) async fn check(
    client: &Client,
    used: impl Iterator<Item = &'static str>,
) -> anyhow::Result<Vec<Attribute>> {
    // If the search attributes cannot be read, neither can the list, whose error is reported.
    let missing = search_attributes::missing(client).await.unwrap_or_default();
    let mut used = used.collect::<Vec<_>>().into_iter();
    if used.as_slice().contains(&search_attributes::USER.0) {
        check_user(client).await?;
    }
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

/// Checks that the namespace has the search attribute of users, which `setup` does not register.
async fn check_user(client: &Client) -> anyhow::Result<()> {
    let lacking = search_attributes::lacking(client, &[search_attributes::USER]).await;
    if lacking.is_ok_and(|lacking| !lacking.is_empty()) {
        bail!(
            "the namespace `{}` lacks the search attribute `SeedanceUser`, which is not encrypted; to register it: {}",
            client.namespace(),
            search_attributes::command(&[search_attributes::USER])
        );
    }
    Ok(())
}
