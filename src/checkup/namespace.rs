//! Checks or creates the namespace and its search attributes.

use std::time::Duration;

use backon::{ConstantBuilder, Retryable};
use seedance_archiver_workflows::format;
use temporalio_client::{
    Client, NamespacedClient, WorkflowCountOptions,
    grpc::WorkflowService,
    tonic::{Code, IntoRequest, Status},
};
use temporalio_common::protos::temporal::api::workflowservice::v1::{
    DescribeNamespaceRequest, RegisterNamespaceRequest,
};

use super::CheckResult;
use crate::temporal::search_attributes::{self, Attribute, Registered};

const ATTRIBUTES: &str = "search attributes";
const SETUP: &str = "run `seedance-archiver setup`";

/// Interval and maximum number of checks of a new namespace.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
const MAX_POLLS: usize = 150;

/// Checks that the namespace exists.
pub async fn check(client: &Client) -> CheckResult {
    check_result(client, describe(client).await)
}

/// Creates the namespace if it is missing.
pub async fn create(client: &Client, retention: Duration) -> CheckResult {
    match describe(client).await {
        Err(status) if status.code() == Code::NotFound => {}
        described => return check_result(client, described),
    }
    match register(client, retention).await {
        Ok(()) => CheckResult::created(
            name(client),
            format!(
                "created with a retention of {}",
                format::duration(retention)
            ),
        ),
        Err(status) => {
            let namespace = client.namespace();
            let hours = retention.as_secs().div_ceil(3_600);
            CheckResult::failed(
                name(client),
                cannot_create("the namespace", &status),
                format!(
                    "temporal operator namespace create --namespace {namespace} --retention {hours}h; on \
                     Temporal Cloud: tcld namespace create --namespace {namespace} --region REGION \
                     --retention-days {}",
                    hours.div_ceil(24)
                ),
            )
        }
    }
}

/// Returns the result for a response of [`describe`].
fn check_result(client: &Client, described: Result<(), Status>) -> CheckResult {
    match described {
        Ok(()) => CheckResult::ok(name(client), "exists"),
        Err(status) if status.code() == Code::NotFound => CheckResult::failed(
            name(client),
            "does not exist on this server",
            format!("{SETUP}, or set TEMPORAL_NAMESPACE to an existing namespace"),
        ),
        Err(status) => cannot_query(name(client), &status),
    }
}

/// Queries the namespace.
async fn describe(client: &Client) -> Result<(), Status> {
    let request = DescribeNamespaceRequest {
        namespace: client.namespace(),
        ..DescribeNamespaceRequest::default()
    };
    let mut service = client.clone();
    service.describe_namespace(request.into_request()).await?;
    Ok(())
}

/// Checks that the search attributes are registered.
pub async fn check_attributes(client: &Client) -> CheckResult {
    match search_attributes::missing(client).await {
        Ok(missing) if missing.is_empty() => CheckResult::ok(ATTRIBUTES, "registered"),
        Ok(missing) => CheckResult::warning(
            ATTRIBUTES,
            format!(
                "{} not registered; lifecycles run without them and cannot be found by them",
                names(&missing)
            ),
            format!("{SETUP}, or: {}", search_attributes::command(&missing)),
        ),
        Err(status) => {
            let all = search_attributes::command(&search_attributes::ALL);
            CheckResult::warning(
                ATTRIBUTES,
                format!("cannot list search attributes: {}", status.message()),
                format!("check that they are registered, or run: {all}"),
            )
        }
    }
}

/// Registers the missing search attributes.
pub async fn create_attributes(client: &Client) -> CheckResult {
    let missing = match search_attributes::missing(client).await {
        Ok(missing) if missing.is_empty() => return CheckResult::ok(ATTRIBUTES, "registered"),
        Ok(missing) => missing,
        Err(_) => search_attributes::ALL.to_vec(),
    };
    let groups: Vec<_> = search_attributes::groups(&missing).collect();
    for (index, group) in groups.iter().enumerate() {
        if let Err(status) = search_attributes::register(client, group).await {
            return cannot_create_attributes(client, &groups[index..].concat(), &status);
        }
    }
    CheckResult::created(ATTRIBUTES, format!("registered {}", names(&missing)))
}

/// Returns the result for search attributes that cannot be registered. Without those of drafts, nothing else is missing.
fn cannot_create_attributes(
    client: &Client,
    missing: &[Attribute],
    status: &Status,
) -> CheckResult {
    let fix = format!(
        "{} --namespace {namespace}; on Temporal Cloud: tcld namespace search-attributes add \
         --namespace {namespace} {}",
        search_attributes::command(missing),
        search_attributes::cloud_options(missing),
        namespace = client.namespace(),
    );
    let found = cannot_create(&names(missing), status);
    match Registered::without(missing).of_tasks {
        true => CheckResult::warning(ATTRIBUTES, found, fix),
        false => CheckResult::failed(ATTRIBUTES, found, fix),
    }
}

/// Returns the result of a check that could not query the server.
pub(super) fn cannot_query(name: String, status: &Status) -> CheckResult {
    let fix = match status.code() {
        Code::Unauthenticated | Code::PermissionDenied => {
            "set TEMPORAL_API_KEY or the client certificate to one that has access to this namespace"
        }
        _ => "check the logs of the Temporal server",
    };
    let found = format!("query failed: {}", status.message());
    CheckResult::failed(name, found, fix)
}

fn cannot_create(what: &str, status: &Status) -> String {
    let message = status.message();
    match status.code() {
        Code::PermissionDenied | Code::Unauthenticated => {
            format!("permission denied: cannot create {what}: {message}")
        }
        _ => format!("cannot create {what}: {message}"),
    }
}

fn name(client: &Client) -> String {
    format!("namespace `{}`", client.namespace())
}

/// Registers the namespace, and waits until it can be used. A server caches its list of namespaces.
async fn register(client: &Client, retention: Duration) -> Result<(), Status> {
    let request = RegisterNamespaceRequest {
        namespace: client.namespace(),
        workflow_execution_retention_period: retention.try_into().ok(),
        ..RegisterNamespaceRequest::default()
    };
    let mut service = client.clone();
    service.register_namespace(request.into_request()).await?;
    let query = || async {
        let counted = client.count_workflows("", WorkflowCountOptions::default());
        counted.await.map(drop)
    };
    let backoff = ConstantBuilder::default()
        .with_delay(POLL_INTERVAL)
        .with_max_times(MAX_POLLS);
    query.retry(backoff).await.map_err(|error| {
        Status::unavailable(format!(
            "the namespace was created, but queries fail: {error}"
        ))
    })
}

fn names(attributes: &[Attribute]) -> String {
    let names: Vec<_> = attributes.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}
