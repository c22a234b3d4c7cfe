//! The Temporal server itself.

use temporalio_client::{
    Client,
    grpc::WorkflowService,
    tonic::{IntoRequest, Status},
};
use temporalio_common::protos::temporal::api::workflowservice::v1::{
    GetSystemInfoRequest, GetSystemInfoResponse,
};

/// Returns the version of the server, such as `1.32.0`.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable.
pub async fn server_version(client: &Client) -> Result<String, Status> {
    Ok(system_info(client).await?.server_version)
}

/// Returns whether the server has Nexus: it is recent enough, and its configuration enables Nexus.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable.
pub(crate) async fn has_nexus(client: &Client) -> Result<bool, Status> {
    let capabilities = system_info(client).await?.capabilities;
    Ok(capabilities.is_some_and(|capabilities| capabilities.nexus))
}

async fn system_info(client: &Client) -> Result<GetSystemInfoResponse, Status> {
    let request = GetSystemInfoRequest::default().into_request();
    let mut service = client.clone();
    Ok(service.get_system_info(request).await?.into_inner())
}
