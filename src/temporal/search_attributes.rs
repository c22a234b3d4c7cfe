//! The search attributes of lifecycles, and their registration with a namespace.

use std::time::Duration;

use backon::{ConstantBuilder, Retryable};
use seedance_archiver_proto::names::search_attribute as name;
use temporalio_client::{
    Client, NamespacedClient,
    grpc::{OperatorService, WorkflowService},
    tonic::{IntoRequest, Status},
};
use temporalio_common::protos::temporal::api::{
    enums::v1::IndexedValueType,
    operatorservice::v1::{AddSearchAttributesRequest, ListSearchAttributesRequest},
    workflowservice::v1::GetClusterInfoRequest,
};

use super::error_text;

/// A search attribute and its type.
pub type Attribute = (&'static str, IndexedValueType);

/// The search attributes that lifecycles write.
pub const ALL: [Attribute; 9] = [
    (name::TASK_ID, IndexedValueType::Keyword),
    (name::ACCOUNT, IndexedValueType::Keyword),
    (name::STATUS, IndexedValueType::Keyword),
    (name::MODEL, IndexedValueType::Keyword),
    (name::OUTCOME, IndexedValueType::Keyword),
    (name::ARCHIVE_DEADLINE, IndexedValueType::Datetime),
    (name::DRAFT, IndexedValueType::Bool),
    (name::DRAFT_DEADLINE, IndexedValueType::Datetime),
    (name::DRAFT_TASK_ID, IndexedValueType::Keyword),
];

/// The search attribute of users, which lifecycles write only if an operator registered it: search attributes are not
/// encrypted, and it identifies a person.
pub const USER: Attribute = (name::USER, IndexedValueType::Keyword);

/// Which search attributes a namespace has, so that lifecycles can write them. The default is none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Registered {
    /// Those that every task has.
    pub of_tasks: bool,
    /// Those that every task has, and those of drafts. A namespace that was set up for version 0.1.0 lacks the latter.
    pub of_drafts: bool,
    /// That of users.
    pub of_users: bool,
}

impl Registered {
    /// Returns what a namespace has that lacks these search attributes, and that of users.
    pub fn without(missing: &[Attribute]) -> Self {
        Self {
            of_tasks: missing.iter().all(is_of_drafts),
            of_drafts: missing.is_empty(),
            of_users: false,
        }
    }
}

/// The persistence store of dev servers. No other server uses it.
const DEV_SERVER_STORE: &str = "sqlite";
/// Interval between two checks whether the server lists new search attributes.
const CHECK_INTERVAL: Duration = Duration::from_millis(200);
/// Maximum number of checks.
const MAX_CHECKS: usize = 50;

/// Returns the name of a type, as Temporal's command line spells it.
pub fn type_name(value_type: IndexedValueType) -> &'static str {
    match value_type {
        IndexedValueType::Datetime => "Datetime",
        IndexedValueType::Bool => "Bool",
        _ => "Keyword",
    }
}

/// Returns which search attributes the namespace has.
///
/// On a dev server, registers those that are missing. On other servers, which operators administer, logs the
/// command that registers them.
pub async fn ensure_registered(client: &Client) -> Registered {
    match try_ensure(client).await {
        Ok(missing) => {
            let registered = Registered::without(&missing);
            if !registered.of_drafts {
                tracing::warn!(
                    namespace = client.namespace(),
                    fix = command(&missing),
                    "the namespace lacks search attributes{}: lifecycles run without them",
                    if registered.of_tasks {
                        " of drafts"
                    } else {
                        ""
                    }
                );
            }
            let lacks_user = lacking(client, &[USER]).await;
            Registered {
                of_users: lacks_user.is_ok_and(|lacking| lacking.is_empty()),
                ..registered
            }
        }
        Err(status) => {
            tracing::warn!(
                namespace = client.namespace(),
                error = error_text::innermost(&status),
                "cannot list search attributes: lifecycles run without them"
            );
            Registered::default()
        }
    }
}

/// Returns which search attributes the namespace has, and neither registers nor logs any.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call.
pub(crate) async fn registered(client: &Client) -> Result<Registered, Status> {
    let with_user: Vec<_> = ALL.into_iter().chain([USER]).collect();
    let mut missing = lacking(client, &with_user).await?;
    let of_users = !missing.contains(&USER);
    missing.retain(|attribute| *attribute != USER);
    Ok(Registered {
        of_users,
        ..Registered::without(&missing)
    })
}

/// Returns the search attributes that are still missing.
async fn try_ensure(client: &Client) -> Result<Vec<Attribute>, Status> {
    let missing = missing(client).await?;
    if missing.is_empty() || !is_dev_server(client).await? {
        return Ok(missing);
    }
    for group in groups(&missing) {
        if let Err(status) = register(client, &group).await {
            tracing::warn!(
                namespace = client.namespace(),
                error = error_text::innermost(&status),
                "cannot register search attributes"
            );
        }
    }
    self::missing(client).await
}

/// Splits search attributes into those that every task has and those of drafts. They are registered separately: a store
/// has few columns of a type, and those of drafts must not keep it from the others.
pub fn groups(attributes: &[Attribute]) -> impl Iterator<Item = Vec<Attribute>> {
    let (of_drafts, of_tasks) = attributes.iter().copied().partition(is_of_drafts);
    let groups: [Vec<Attribute>; 2] = [of_tasks, of_drafts];
    groups.into_iter().filter(|group| !group.is_empty())
}

fn is_of_drafts((name, _): &Attribute) -> bool {
    name::OF_DRAFTS.contains(name)
}

/// Returns the search attributes that the namespace lacks or has with another type.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call.
pub async fn missing(client: &Client) -> Result<Vec<Attribute>, Status> {
    lacking(client, &ALL).await
}

/// Returns those of some search attributes that the namespace lacks or has with another type.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call.
pub async fn lacking(client: &Client, attributes: &[Attribute]) -> Result<Vec<Attribute>, Status> {
    let request = ListSearchAttributesRequest {
        namespace: client.namespace(),
    };
    let mut service = client.clone();
    let registered = service
        .list_search_attributes(request.into_request())
        .await?
        .into_inner()
        .custom_attributes;
    let is_missing =
        |(name, value_type): &Attribute| registered.get(*name) != Some(&i32::from(*value_type));
    Ok(attributes.iter().copied().filter(is_missing).collect())
}

async fn is_dev_server(client: &Client) -> Result<bool, Status> {
    let request = GetClusterInfoRequest::default().into_request();
    let mut service = client.clone();
    let cluster = service.get_cluster_info(request).await?.into_inner();
    Ok(cluster.persistence_store == DEV_SERVER_STORE)
}

/// Registers search attributes, and waits until the server lists them.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable, rejects the call, or does not list the search attributes in
/// time.
pub async fn register(client: &Client, attributes: &[Attribute]) -> Result<(), Status> {
    let request = AddSearchAttributesRequest {
        namespace: client.namespace(),
        search_attributes: attributes
            .iter()
            .map(|(name, value_type)| ((*name).to_owned(), i32::from(*value_type)))
            .collect(),
    };
    let mut service = client.clone();
    service
        .add_search_attributes(request.into_request())
        .await?;
    let check = || async {
        match lacking(client, attributes).await?.is_empty() {
            true => Ok(()),
            false => Err(Status::unavailable(
                "the server accepted the search attributes but does not list them",
            )),
        }
    };
    let checks = ConstantBuilder::default()
        .with_delay(CHECK_INTERVAL)
        .with_max_times(MAX_CHECKS);
    check.retry(checks).await
}

/// Returns the command that registers search attributes.
pub fn command(attributes: &[Attribute]) -> String {
    let options: Vec<_> = attributes
        .iter()
        .map(|(name, value_type)| format!("--name {name} --type {}", type_name(*value_type)))
        .collect();
    format!(
        "temporal operator search-attribute create {}",
        options.join(" ")
    )
}

/// Returns the options of the command that registers search attributes on Temporal Cloud, which offers no API
/// for it.
pub fn cloud_options(attributes: &[Attribute]) -> String {
    let options: Vec<_> = attributes
        .iter()
        .map(|(name, value_type)| {
            format!("--search-attribute \"{name}={}\"", type_name(*value_type))
        })
        .collect();
    options.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_registers_each_attribute_with_its_type() {
        assert_eq!(
            command(&ALL[4..7]),
            "temporal operator search-attribute create --name SeedanceOutcome --type Keyword --name \
             SeedanceArchiveDeadline --type Datetime --name SeedanceDraft --type Bool"
        );
    }

    #[test]
    fn a_namespace_of_version_0_1_0_has_the_attributes_of_tasks() {
        let of_0_1_0 = Registered {
            of_tasks: true,
            ..Registered::default()
        };
        assert_eq!(Registered::without(&ALL[6..]), of_0_1_0);
        assert_eq!(Registered::without(&ALL[8..]), of_0_1_0);
        assert_eq!(Registered::without(&ALL[5..]), Registered::default());
        assert_eq!(Registered::without(&ALL[..1]), Registered::default());
        assert!(Registered::without(&[]).of_drafts);
        let groups: Vec<_> = groups(&ALL).collect();
        assert_eq!(groups, [ALL[..6].to_vec(), ALL[6..].to_vec()]);
    }
}
