//! The search attributes of lifecycles: a server takes those that are registered only.

use std::time::Duration;

use backon::{ConstantBuilder, Retryable};
use seedance_archiver_proto::names::search_attribute as name;
use temporalio_client::{
    Client, NamespacedClient,
    tonic::{IntoRequest, Status},
};
use temporalio_common::protos::temporal::api::{
    enums::v1::IndexedValueType,
    operatorservice::v1::{AddSearchAttributesRequest, ListSearchAttributesRequest},
    workflowservice::v1::GetClusterInfoRequest,
};

/// Every search attribute that a lifecycle writes, with its type.
pub const ALL: [(&str, IndexedValueType); 6] = [
    (name::TASK_ID, IndexedValueType::Keyword),
    (name::ACCOUNT, IndexedValueType::Keyword),
    (name::STATUS, IndexedValueType::Keyword),
    (name::MODEL, IndexedValueType::Keyword),
    (name::OUTCOME, IndexedValueType::Keyword),
    (name::ARCHIVE_DEADLINE, IndexedValueType::Datetime),
];

/// What a dev server keeps its data in, and no other server does.
const DEV_STORE: &str = "sqlite";
/// How often and how long to look for what was just registered.
const LOOK: Duration = Duration::from_millis(200);
const LOOKS: usize = 50;

/// The type, as Temporal's command line calls it.
pub fn word(kind: IndexedValueType) -> &'static str {
    match kind {
        IndexedValueType::Datetime => "Datetime",
        _ => "Keyword",
    }
}

/// Whether lifecycles can write them. On a dev server those that are missing are registered;
/// elsewhere that is left to whoever runs the server, and one warning says how.
pub async fn are_registered(client: &Client) -> bool {
    let found = async {
        let missing = missing(client).await?;
        if missing.is_empty() {
            return Ok(true);
        }
        if is_dev_server(client).await? {
            register(client, &missing).await?;
            return Ok(true);
        }
        tracing::warn!(
            "lifecycles run without search attributes, because the namespace `{}` lacks some. To have \
             them, run: {}",
            client.namespace(),
            command(&missing)
        );
        Ok::<_, Status>(false)
    };
    found.await.unwrap_or_else(|error| {
        tracing::warn!(
            error = error.message(),
            "lifecycles run without search attributes, because they cannot be looked up"
        );
        false
    })
}

/// A search attribute and its type.
pub type Attribute = (&'static str, IndexedValueType);

/// Those that are not registered, or with another type.
pub async fn missing(client: &Client) -> Result<Vec<Attribute>, Status> {
    let request = ListSearchAttributesRequest {
        namespace: client.namespace(),
    };
    let registered = client
        .connection()
        .operator_service()
        .list_search_attributes(request.into_request())
        .await?
        .into_inner()
        .custom_attributes;
    let is_missing = |(name, kind): &Attribute| registered.get(*name) != Some(&i32::from(*kind));
    Ok(ALL.into_iter().filter(is_missing).collect())
}

async fn is_dev_server(client: &Client) -> Result<bool, Status> {
    let request = GetClusterInfoRequest::default().into_request();
    let mut service = client.connection().workflow_service();
    let cluster = service.get_cluster_info(request).await?.into_inner();
    Ok(cluster.persistence_store == DEV_STORE)
}

/// Registers them, and waits until the server lists them.
pub async fn register(client: &Client, attributes: &[Attribute]) -> Result<(), Status> {
    let request = AddSearchAttributesRequest {
        namespace: client.namespace(),
        search_attributes: attributes
            .iter()
            .map(|(name, kind)| ((*name).to_owned(), i32::from(*kind)))
            .collect(),
    };
    let mut service = client.connection().operator_service();
    service
        .add_search_attributes(request.into_request())
        .await?;
    let patience = ConstantBuilder::default()
        .with_delay(LOOK)
        .with_max_times(LOOKS);
    let look = || async {
        match missing(client).await?.is_empty() {
            true => Ok(()),
            false => Err(Status::unavailable(
                "they were registered and are not listed",
            )),
        }
    };
    look.retry(patience).await
}

/// What registers them by hand.
pub fn command(attributes: &[Attribute]) -> String {
    let options: Vec<_> = attributes
        .iter()
        .map(|(name, kind)| format!("--name {name} --type {}", word(*kind)))
        .collect();
    format!(
        "temporal operator search-attribute create {}",
        options.join(" ")
    )
}

/// The same for the command line of Temporal Cloud, which registers none by API.
pub fn cloud_options(attributes: &[Attribute]) -> String {
    let options: Vec<_> = attributes
        .iter()
        .map(|(name, kind)| format!("--search-attribute \"{name}={}\"", word(*kind)))
        .collect();
    options.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_names_what_is_missing() {
        assert_eq!(
            command(&ALL[4..]),
            "temporal operator search-attribute create --name SeedanceOutcome --type Keyword --name \
             SeedanceArchiveDeadline --type Datetime"
        );
    }
}
