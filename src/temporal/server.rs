//! The Temporal server itself.

use temporalio_client::{
    Client,
    tonic::{IntoRequest, Status},
};
use temporalio_common::protos::temporal::api::workflowservice::v1::GetSystemInfoRequest;

/// Returns the version of the server, such as `1.32.0`.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable.
pub async fn server_version(client: &Client) -> Result<String, Status> {
    let request = GetSystemInfoRequest::default().into_request();
    let mut service = client.connection().workflow_service();
    let info = service.get_system_info(request).await?.into_inner();
    Ok(info.server_version)
}
