//! The input of an operation, and its output if it has one at once.

use seedance_archiver_workflows::{
    encoding::{self, ContractMessage, Encoding},
    request::Check,
};
use temporalio_client::Client;
use temporalio_common::protos::temporal::api::common::v1::Payload;

use super::error::HandlerError;
use crate::temporal::codec;

/// A valid request.
pub(super) struct Input<T> {
    pub(super) request: T,
    /// Encoding of the request. The reply has the same.
    pub(super) encoding: Encoding,
}

impl<T: ContractMessage + Check> Input<T> {
    /// Decodes and checks a request.
    ///
    /// # Errors
    ///
    /// Returns an error that is retried if the codec fails: a codec server may be unavailable. Otherwise, an error that
    /// names the invalid field.
    pub(super) async fn decode(
        client: &Client,
        payload: Option<Payload>,
    ) -> Result<Self, HandlerError> {
        let payload = codec::decode(client, &payload.unwrap_or_default())
            .await
            .map_err(HandlerError::Unavailable)?;
        let request: T = encoding::decode(&payload)?;
        request.check()?;
        Ok(Self {
            request,
            encoding: Encoding::from_payload(&payload).unwrap_or_default(),
        })
    }
}

/// Encodes a reply.
///
/// # Errors
///
/// Returns an error that is retried if the codec fails.
pub(super) async fn encode<T: ContractMessage>(
    client: &Client,
    encoding: Encoding,
    reply: &T,
) -> Result<Payload, HandlerError> {
    let payload = encoding
        .encode(reply)
        .map_err(|error| HandlerError::Internal(error.to_string()))?;
    codec::encode(client, payload)
        .await
        .map_err(HandlerError::Unavailable)
}
