//! Encodes and decodes payloads by a remote codec server, such as one that encrypts them.
//!
//! The protocol is Temporal's: `POST {endpoint}/encode` and `/decode`, with the payloads as JSON.

mod error;
mod payloads;

use std::{fmt, sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use futures::{FutureExt, future::BoxFuture};
use reqwest::{Url, header::AUTHORIZATION};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use temporalio_client::Client;
use temporalio_common::{
    data_converters::{PayloadCodec, PayloadConversionError, SerializationContextData},
    protos::temporal::api::{common::v1::Payload, workflow::v1::PendingActivityInfo},
};

use crate::http;
use error::CodecError;
use payloads::Payloads;

/// Timeout of encoding or decoding, including retries. Workflow tasks and heartbeats wait for it, and have
/// timeouts of 10 s and 20 s themselves.
const CODEC_TIMEOUT: Duration = Duration::from_secs(5);
/// Delay before the first retry.
const MIN_RETRY_DELAY: Duration = Duration::from_millis(200);
/// Header with the namespace of the payloads.
const NAMESPACE_HEADER: &str = "x-namespace";
/// Placeholder of the namespace in an endpoint.
const NAMESPACE_PLACEHOLDER: &str = "{namespace}";

/// A codec that calls a codec server. Clones share a connection pool.
#[derive(Clone, Debug)]
pub(crate) struct RemoteCodec(Arc<Remote>);

#[derive(Debug)]
struct Remote {
    http: reqwest::Client,
    endpoint: String,
    namespace: String,
    authorization: Option<SecretString>,
}

impl RemoteCodec {
    /// Returns a codec for the payloads of a namespace.
    ///
    /// # Errors
    ///
    /// Returns an error if the endpoint is not a plain URL. The text is a predicate after the
    /// setting's name.
    pub(crate) fn new(
        endpoint: &str,
        authorization: Option<String>,
        namespace: &str,
    ) -> Result<Self, String> {
        let endpoint = endpoint.trim().trim_end_matches('/');
        let endpoint = endpoint.replace(NAMESPACE_PLACEHOLDER, namespace);
        if !Url::parse(&endpoint).is_ok_and(|url| is_plain(&url)) {
            return Err(
                "must be a URL such as `https://codec.example`, without credentials or a query; set \
                 TEMPORAL_CODEC_AUTH to authenticate"
                    .to_owned(),
            );
        }
        Ok(Self(Arc::new(Remote {
            http: http::client().map_err(http::describe)?,
            endpoint,
            namespace: namespace.to_owned(),
            authorization: authorization.map(SecretString::from),
        })))
    }

    /// Calls `encode` or `decode`. Transient errors are retried until the timeout.
    fn call(
        &self,
        operation: &'static str,
        payloads: Vec<Payload>,
    ) -> BoxFuture<'static, Result<Vec<Payload>, PayloadConversionError>> {
        let remote = self.0.clone();
        async move {
            if payloads.is_empty() {
                return Ok(payloads);
            }
            let body = Payloads::from(payloads);
            let retries = ExponentialBuilder::default()
                .with_min_delay(MIN_RETRY_DELAY)
                .without_max_times();
            let call = (|| remote.call(operation, &body))
                .retry(retries)
                .when(CodecError::is_transient);
            let result = tokio::time::timeout(CODEC_TIMEOUT, call)
                .await
                .unwrap_or(Err(CodecError::Timeout(CODEC_TIMEOUT)));
            result.map_err(|error| {
                let text = format!(
                    "the codec server at `{}` cannot {operation} payloads: {error}",
                    remote.endpoint
                );
                tracing::error!(error = text, "codec request failed");
                PayloadConversionError::EncodingError(text.into())
            })
        }
        .boxed()
    }
}

/// Returns whether a URL has only a scheme, a host and a path. Endpoints are shown in logs and in the effective
/// configuration, so they must not contain secrets.
fn is_plain(url: &Url) -> bool {
    let has_credentials = !url.username().is_empty() || url.password().is_some();
    let has_query = url.query().is_some() || url.fragment().is_some();
    let is_http = ["http", "https"].contains(&url.scheme());
    is_http && url.has_host() && !has_credentials && !has_query
}

impl PayloadCodec for RemoteCodec {
    fn encode(
        &self,
        _context: &SerializationContextData,
        payloads: Vec<Payload>,
    ) -> BoxFuture<'static, Result<Vec<Payload>, PayloadConversionError>> {
        self.call("encode", payloads)
    }

    fn decode(
        &self,
        _context: &SerializationContextData,
        payloads: Vec<Payload>,
    ) -> BoxFuture<'static, Result<Vec<Payload>, PayloadConversionError>> {
        self.call("decode", payloads)
    }
}

impl Remote {
    async fn call(&self, operation: &str, body: &Payloads) -> Result<Vec<Payload>, CodecError> {
        let mut request = self
            .http
            .post(format!("{}/{operation}", self.endpoint))
            .header(NAMESPACE_HEADER, &self.namespace)
            .json(body);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.expose_secret());
        }
        let unavailable = |error| CodecError::Unavailable(http::describe(error));
        let response = request.send().await.map_err(unavailable)?;
        if !response.status().is_success() {
            return Err(CodecError::Status(response.status().as_u16()));
        }
        let response = response.bytes().await.map_err(unavailable)?;
        let response: Payloads = serde_json::from_slice(&response)
            .map_err(|error| CodecError::InvalidResponse(error.to_string()))?;
        if response.len() != body.len() {
            return Err(CodecError::InvalidResponse(format!(
                "{} payloads instead of {}",
                response.len(),
                body.len()
            )));
        }
        response.try_into()
    }
}

/// Shows the endpoint.
impl fmt::Display for RemoteCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.endpoint)
    }
}

/// Decodes a payload of a history or a schedule with the client's codec. The SDK returns these payloads encoded.
pub(crate) async fn decode(client: &Client, payload: &Payload) -> Result<Payload, String> {
    let codec = client.options().data_converter.codec();
    codec
        .decode(&SerializationContextData::None, vec![payload.clone()])
        .await
        .map_err(|error| error.to_string())?
        .into_iter()
        .next()
        .ok_or_else(|| "the codec returned no payload".to_owned())
}

/// Returns the state in the last heartbeat of an activity, decoded with the client's codec. `None` if there is none, or it cannot
/// be read.
pub(crate) async fn heartbeat<T: DeserializeOwned>(
    client: &Client,
    activity: &PendingActivityInfo,
) -> Option<T> {
    let payload = activity.heartbeat_details.as_ref()?.payloads.first()?;
    let payload = decode(client, payload).await.ok()?;
    serde_json::from_slice(&payload.data).ok()
}

/// Encodes a payload with the client's codec, as the SDK encodes those that it sends.
pub(crate) async fn encode(client: &Client, payload: Payload) -> Result<Payload, String> {
    let codec = client.options().data_converter.codec();
    codec
        .encode(&SerializationContextData::None, vec![payload])
        .await
        .map_err(|error| error.to_string())?
        .into_iter()
        .next()
        .ok_or_else(|| "the codec returned no payload".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_plain_url() {
        let endpoint = |text| RemoteCodec::new(text, None, "videos").map(|it| it.to_string());
        assert_eq!(
            endpoint("https://codec.example/{namespace}/"),
            Ok("https://codec.example/videos".to_owned())
        );
        for invalid in [
            "",
            "codec.example:8080",
            "ftp://codec.example",
            "https://user:pass@codec.example",
            "https://codec.example?code=secret",
        ] {
            assert!(endpoint(invalid).is_err(), "{invalid}");
        }
    }
}
