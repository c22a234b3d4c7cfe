//! Temporal: the server, the namespace, its search attributes, and who polls the task queues.

use std::time::{Duration, SystemTime};

use backon::{ConstantBuilder, Retryable};
use seedance_archiver_proto::names;
use seedance_archiver_workflows::format;
use temporalio_client::{
    Client, NamespacedClient, WorkflowCountOptions,
    tonic::{Code, IntoRequest, Status},
};
use temporalio_common::protos::temporal::api::{
    enums::v1::TaskQueueType,
    taskqueue::v1::{PollerInfo, TaskQueue},
    workflowservice::v1::{
        DescribeNamespaceRequest, DescribeTaskQueueRequest, RegisterNamespaceRequest,
    },
};

use super::Finding;
use crate::temporal::{
    connection::{self, ConnectError},
    search_attributes,
};

const SERVER: &str = "Temporal";
const ATTRIBUTES: &str = "search attributes";
const SETUP: &str = "run `seedance-archiver setup`";

/// How often and how long to look for a namespace that was just made.
const LOOK: Duration = Duration::from_millis(200);
const LOOKS: usize = 150;

/// Connects, and tells how that went.
pub async fn connect() -> (Option<Client>, Finding) {
    match connection::connect_with(None).await {
        Ok((client, address)) => {
            let finding = Finding::ok(SERVER, format!("{address} answers"));
            (Some(client), finding)
        }
        Err(error) => {
            let fix = match &error {
                ConnectError::Unreachable { .. } => {
                    "set TEMPORAL_ADDRESS, and TEMPORAL_TLS, TEMPORAL_API_KEY or a certificate where the \
                     server wants them; or start one with `temporal server start-dev`"
                }
                _ => "correct the TEMPORAL_… variables, or temporal.toml",
            };
            let found = match &error {
                ConnectError::Unreachable { address, error } => {
                    format!("nothing that can be used answers at {address}: {error}")
                }
                error => error.to_string(),
            };
            (None, Finding::failed(SERVER, found, fix))
        }
    }
}

fn namespace_name(client: &Client) -> String {
    format!("namespace `{}`", client.namespace())
}

/// Whether the namespace is there.
pub async fn namespace(client: &Client) -> Finding {
    namespace_as(client, describe_namespace(client).await)
}

/// The same of what the server has said.
pub(crate) fn namespace_as(client: &Client, described: Result<(), Status>) -> Finding {
    let name = namespace_name(client);
    match described {
        Ok(()) => Finding::ok(name, "is there"),
        Err(status) if status.code() == Code::NotFound => Finding::failed(
            name,
            "is not on this server",
            format!("{SETUP}, or set TEMPORAL_NAMESPACE to one that is"),
        ),
        Err(status) => refused(name, &status),
    }
}

/// Asks the server about the namespace.
pub(crate) async fn describe_namespace(client: &Client) -> Result<(), Status> {
    let request = DescribeNamespaceRequest {
        namespace: client.namespace(),
        ..DescribeNamespaceRequest::default()
    };
    let mut service = client.connection().workflow_service();
    service.describe_namespace(request.into_request()).await?;
    Ok(())
}

/// The server answers, and not with what was asked for.
fn refused(name: String, status: &Status) -> Finding {
    let found = format!("cannot be looked up: {}", status.message());
    let fix = match status.code() {
        Code::Unauthenticated | Code::PermissionDenied => {
            "set TEMPORAL_API_KEY or the client's certificate to one that this namespace takes"
        }
        _ => "look into the Temporal server's logs",
    };
    Finding::failed(name, found, fix)
}

/// Makes the namespace where it is missing.
pub async fn make_namespace(client: &Client, retention: Duration) -> Finding {
    let name = namespace_name(client);
    match describe_namespace(client).await {
        Ok(()) => return Finding::ok(name, "is there"),
        Err(status) if status.code() == Code::NotFound => {}
        Err(status) => return refused(name, &status),
    }
    match register_namespace(client, retention).await {
        Ok(()) => Finding::done(
            name,
            format!(
                "was made, and keeps what has ended for {}",
                format::duration(retention)
            ),
        ),
        Err(status) => {
            let namespace = client.namespace();
            let hours = retention.as_secs().div_ceil(3_600);
            Finding::failed(
                name,
                format!("the server does not let us make it: {}", status.message()),
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

/// A server takes a moment to know its own namespace.
async fn register_namespace(client: &Client, retention: Duration) -> Result<(), Status> {
    let request = RegisterNamespaceRequest {
        namespace: client.namespace(),
        workflow_execution_retention_period: retention.try_into().ok(),
        ..RegisterNamespaceRequest::default()
    };
    let mut service = client.connection().workflow_service();
    service.register_namespace(request.into_request()).await?;
    let look = || async {
        let counted = client.count_workflows("", WorkflowCountOptions::default());
        counted.await.map(drop)
    };
    let patience = ConstantBuilder::default()
        .with_delay(LOOK)
        .with_max_times(LOOKS);
    let seen = look.retry(patience).await;
    seen.map_err(|error| {
        Status::unavailable(format!("it was made and cannot be used yet: {error}"))
    })
}

/// Whether the search attributes are registered.
pub async fn attributes(client: &Client) -> Finding {
    match search_attributes::missing(client).await {
        Ok(missing) if missing.is_empty() => Finding::ok(ATTRIBUTES, "are registered"),
        Ok(missing) => Finding::warning(
            ATTRIBUTES,
            format!(
                "{} are not registered: lifecycles run without, and are not found by them",
                names_of(&missing)
            ),
            format!("{SETUP}, or: {}", search_attributes::command(&missing)),
        ),
        Err(status) => {
            let found = format!("cannot be looked up: {}", status.message());
            let all = search_attributes::command(&search_attributes::ALL);
            Finding::warning(
                ATTRIBUTES,
                found,
                format!("see that they are there, or: {all}"),
            )
        }
    }
}

/// Registers the search attributes that are missing.
pub async fn make_attributes(client: &Client) -> Finding {
    let missing = search_attributes::missing(client).await;
    let wanted = match missing {
        Ok(missing) if missing.is_empty() => {
            return Finding::ok(ATTRIBUTES, "are registered");
        }
        Ok(missing) => missing,
        Err(_) => search_attributes::ALL.to_vec(),
    };
    match search_attributes::register(client, &wanted).await {
        Ok(()) => Finding::done(ATTRIBUTES, format!("{} were registered", names_of(&wanted))),
        Err(status) => Finding::failed(
            ATTRIBUTES,
            format!(
                "the server does not let us register {}: {}",
                names_of(&wanted),
                status.message()
            ),
            format!(
                "{} --namespace {namespace}; on Temporal Cloud: tcld namespace search-attributes add \
                 --namespace {namespace} {}",
                search_attributes::command(&wanted),
                search_attributes::cloud_options(&wanted),
                namespace = client.namespace(),
            ),
        ),
    }
}

fn names_of(attributes: &[search_attributes::Attribute]) -> String {
    let names: Vec<_> = attributes.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// Whether workers poll the task queues.
pub async fn queues(client: &Client, task_queue: &str) -> Vec<Finding> {
    let transfers = names::transfers_task_queue(task_queue);
    let mut findings = Vec::new();
    for (queue, kind) in [
        (task_queue, TaskQueueType::Workflow),
        (&transfers, TaskQueueType::Activity),
    ] {
        findings.push(polled(client, queue, kind).await);
    }
    findings
}

/// Whether somebody polls the queue of workflows.
pub async fn is_served(client: &Client, task_queue: &str) -> bool {
    let pollers = pollers(client, task_queue, TaskQueueType::Workflow).await;
    pollers.is_ok_and(|pollers| !pollers.is_empty())
}

async fn polled(client: &Client, queue: &str, kind: TaskQueueType) -> Finding {
    let name = format!("task queue `{queue}`");
    match pollers(client, queue, kind).await {
        Ok(pollers) if pollers.is_empty() => Finding::warning(
            name,
            "no worker has polled it in the last minutes",
            "start one: `seedance-archiver worker`, with the same TEMPORAL_TASK_QUEUE and namespace",
        ),
        Ok(pollers) => {
            let workers = pollers.len();
            let plural = if workers == 1 { "" } else { "s" };
            let last = pollers.iter().filter_map(age).min();
            let last = last.map(|age| format!(", last {} ago", format::duration(age)));
            let last = last.unwrap_or_default();
            Finding::ok(name, format!("{workers} worker{plural} polled it{last}"))
        }
        Err(status) => refused(name, &status),
    }
}

async fn pollers(
    client: &Client,
    queue: &str,
    kind: TaskQueueType,
) -> Result<Vec<PollerInfo>, Status> {
    let request = DescribeTaskQueueRequest {
        namespace: client.namespace(),
        task_queue: Some(TaskQueue {
            name: queue.to_owned(),
            ..TaskQueue::default()
        }),
        task_queue_type: kind.into(),
        ..DescribeTaskQueueRequest::default()
    };
    let mut service = client.connection().workflow_service();
    let answer = service.describe_task_queue(request.into_request()).await?;
    Ok(answer.into_inner().pollers)
}

fn age(poller: &PollerInfo) -> Option<Duration> {
    let time = poller.last_access_time?;
    let since = SystemTime::UNIX_EPOCH + Duration::from_secs(time.seconds.unsigned_abs());
    Some(SystemTime::now().duration_since(since).unwrap_or_default())
}
