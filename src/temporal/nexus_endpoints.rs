//! Nexus endpoints: the names by which workflows of any namespace call a Nexus task queue.

use temporalio_client::{
    Client, NamespacedClient,
    grpc::OperatorService,
    tonic::{IntoRequest, Status},
};
use temporalio_common::protos::temporal::api::{
    common::v1::Payload,
    nexus::v1::{Endpoint, EndpointSpec, EndpointTarget, endpoint_target},
    operatorservice::v1::{CreateNexusEndpointRequest, ListNexusEndpointsRequest},
};

/// What an endpoint of the archiver leads to: a Nexus task queue in the namespace of the client.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target {
    pub(crate) namespace: String,
    pub(crate) task_queue: String,
}

/// An endpoint.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NexusEndpoint {
    pub(crate) name: String,
    /// `None`: the URL of another service.
    pub(crate) target: Option<Target>,
}

impl Target {
    /// Returns the target in the namespace of a client.
    pub(crate) fn new(client: &Client, task_queue: String) -> Self {
        Self {
            namespace: client.namespace(),
            task_queue,
        }
    }

    /// Returns the command that creates an endpoint with this target.
    pub(crate) fn command(&self, name: &str) -> String {
        format!(
            "temporal operator nexus endpoint create {}",
            self.options(name)
        )
    }

    /// Returns the command that creates an endpoint with this target on Temporal Cloud, where an endpoint names the
    /// namespaces that may call it.
    pub(crate) fn cloud_command(&self, name: &str) -> String {
        format!(
            "tcld nexus endpoint create {} --allow-namespace CALLER_NAMESPACE",
            self.options(name)
        )
    }

    fn options(&self, name: &str) -> String {
        let Self {
            namespace,
            task_queue,
        } = self;
        format!("--name {name} --target-namespace {namespace} --target-task-queue {task_queue}")
    }
}

/// Returns all endpoints of the server.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call, as Temporal Cloud does.
pub(crate) async fn list(client: &Client) -> Result<Vec<NexusEndpoint>, Status> {
    let mut endpoints = Vec::new();
    let mut next_page_token = Vec::new();
    loop {
        let request = ListNexusEndpointsRequest {
            next_page_token,
            ..ListNexusEndpointsRequest::default()
        };
        let mut service = client.clone();
        let page = service.list_nexus_endpoints(request.into_request()).await?;
        let page = page.into_inner();
        endpoints.extend(page.endpoints.into_iter().filter_map(described));
        if page.next_page_token.is_empty() {
            return Ok(endpoints);
        }
        next_page_token = page.next_page_token;
    }
}

/// Creates an endpoint. `description` is Markdown for the Temporal UI.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call: because the name is taken, or access is denied.
pub(crate) async fn create(
    client: &Client,
    name: &str,
    target: &Target,
    description: Option<Payload>,
) -> Result<(), Status> {
    let worker = endpoint_target::Worker {
        namespace: target.namespace.clone(),
        task_queue: target.task_queue.clone(),
    };
    let request = CreateNexusEndpointRequest {
        spec: Some(EndpointSpec {
            name: name.to_owned(),
            description,
            target: Some(EndpointTarget {
                variant: Some(endpoint_target::Variant::Worker(worker)),
            }),
        }),
    };
    let mut service = client.clone();
    service
        .create_nexus_endpoint(request.into_request())
        .await?;
    Ok(())
}

fn described(endpoint: Endpoint) -> Option<NexusEndpoint> {
    let spec = endpoint.spec?;
    let target = match spec.target?.variant? {
        endpoint_target::Variant::Worker(worker) => Some(Target {
            namespace: worker.namespace,
            task_queue: worker.task_queue,
        }),
        endpoint_target::Variant::External(_) => None,
    };
    Some(NexusEndpoint {
        name: spec.name,
        target,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_name_the_endpoint_and_its_target() {
        let target = Target {
            namespace: "videos".to_owned(),
            task_queue: "seedance-archiver-nexus".to_owned(),
        };
        assert_eq!(
            target.command("archive"),
            "temporal operator nexus endpoint create --name archive --target-namespace videos \
             --target-task-queue seedance-archiver-nexus"
        );
        assert_eq!(
            target.cloud_command("archive"),
            "tcld nexus endpoint create --name archive --target-namespace videos --target-task-queue \
             seedance-archiver-nexus --allow-namespace CALLER_NAMESPACE"
        );
    }
}
