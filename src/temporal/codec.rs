//! A team's own payload codec, such as encryption, behind Temporal's codec server protocol: `POST
//! {endpoint}/encode` and `/decode` with payloads as JSON, their bytes in base64.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use base64::{Engine, prelude::BASE64_STANDARD};
use futures::{FutureExt, future::BoxFuture};
use reqwest::{Url, header::AUTHORIZATION};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use temporalio_client::Client;
use temporalio_common::{
    data_converters::{PayloadCodec, PayloadConversionError, SerializationContextData},
    protos::temporal::api::common::v1::Payload,
};

use crate::http;

/// Longest time for a pass, however often it is tried: workflow tasks and heartbeats wait for it, and have 10 s
/// and 20 s.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time before a call is made again.
const AGAIN: Duration = Duration::from_millis(200);
/// Tells the server which namespace the payloads are of.
const NAMESPACE_HEADER: &str = "x-namespace";
/// Stands for the namespace in an endpoint.
const NAMESPACE: &str = "{namespace}";

/// Passes payloads through a codec server.
#[derive(Clone, Debug)]
pub(crate) struct RemoteCodec(Arc<Remote>);

#[derive(Debug)]
struct Remote {
    http: reqwest::Client,
    endpoint: String,
    namespace: String,
    authorization: Option<SecretString>,
}

/// Why payloads did not pass.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("no answer: {0}")]
    Unavailable(String),
    #[error("HTTP {0}")]
    Refused(u16),
    #[error("no answer within {} s", PATIENCE.as_secs())]
    TooSlow,
    #[error("its answer is none: {0}")]
    Answer(String),
}

/// Payloads, as the protocol has them.
#[derive(Deserialize, Serialize)]
struct Payloads {
    payloads: Vec<Encoded>,
}

/// A payload, its bytes in base64.
#[derive(Deserialize, Serialize)]
struct Encoded {
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    #[serde(default)]
    data: String,
}

impl RemoteCodec {
    /// The codec server at this endpoint, for payloads of a namespace. The error completes a sentence that begins
    /// with the setting.
    pub(crate) fn new(
        endpoint: &str,
        authorization: Option<String>,
        namespace: &str,
    ) -> Result<Self, String> {
        let endpoint = endpoint.trim().trim_end_matches('/');
        let endpoint = endpoint.replace(NAMESPACE, namespace);
        // It is shown to people.
        let is_plain = |url: &Url| {
            let has_credentials = !url.username().is_empty() || url.password().is_some();
            let has_more = url.query().is_some() || url.fragment().is_some();
            let is_http = ["http", "https"].contains(&url.scheme());
            is_http && url.has_host() && !has_credentials && !has_more
        };
        if !Url::parse(&endpoint).is_ok_and(|url| is_plain(&url)) {
            return Err(
                "must be a URL such as `https://codec.example`, with nothing in it but a path: what lets \
                 this side in is TEMPORAL_CODEC_AUTH"
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

    fn pass(
        &self,
        how: &'static str,
        payloads: Vec<Payload>,
    ) -> BoxFuture<'static, Result<Vec<Payload>, PayloadConversionError>> {
        let remote = self.0.clone();
        async move {
            if payloads.is_empty() {
                return Ok(payloads);
            }
            let body = Payloads::from(payloads);
            let again = ExponentialBuilder::default()
                .with_min_delay(AGAIN)
                .without_max_times();
            let passed = (|| remote.call(how, &body))
                .retry(again)
                .when(Fault::may_pass);
            let passed = tokio::time::timeout(PATIENCE, passed).await;
            passed.unwrap_or(Err(Fault::TooSlow)).map_err(|fault| {
                let words = format!("the codec server does not {how}: {fault}");
                tracing::error!(error = words, "payloads cannot pass");
                PayloadConversionError::EncodingError(words.into())
            })
        }
        .boxed()
    }
}

impl PayloadCodec for RemoteCodec {
    fn encode(
        &self,
        _context: &SerializationContextData,
        payloads: Vec<Payload>,
    ) -> BoxFuture<'static, Result<Vec<Payload>, PayloadConversionError>> {
        self.pass("encode", payloads)
    }

    fn decode(
        &self,
        _context: &SerializationContextData,
        payloads: Vec<Payload>,
    ) -> BoxFuture<'static, Result<Vec<Payload>, PayloadConversionError>> {
        self.pass("decode", payloads)
    }
}

impl Remote {
    async fn call(&self, how: &str, body: &Payloads) -> Result<Vec<Payload>, Fault> {
        let mut request = self
            .http
            .post(format!("{}/{how}", self.endpoint))
            .header(NAMESPACE_HEADER, &self.namespace)
            .json(body);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.expose_secret());
        }
        let unavailable = |error| Fault::Unavailable(http::describe(error));
        let answer = request.send().await.map_err(unavailable)?;
        if !answer.status().is_success() {
            return Err(Fault::Refused(answer.status().as_u16()));
        }
        let answer = answer.bytes().await.map_err(unavailable)?;
        let answer: Payloads =
            serde_json::from_slice(&answer).map_err(|error| Fault::Answer(error.to_string()))?;
        if answer.payloads.len() != body.payloads.len() {
            let words = format!("{} payloads", answer.payloads.len());
            return Err(Fault::Answer(words));
        }
        answer.try_into()
    }
}

impl Fault {
    fn may_pass(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Refused(status) => *status == 429 || *status >= 500,
            Self::Answer(_) | Self::TooSlow => false,
        }
    }
}

impl From<Vec<Payload>> for Payloads {
    fn from(payloads: Vec<Payload>) -> Self {
        let encoded = |payload: Payload| Encoded {
            metadata: payload
                .metadata
                .into_iter()
                .map(|(name, value)| (name, BASE64_STANDARD.encode(value)))
                .collect(),
            data: BASE64_STANDARD.encode(payload.data),
        };
        Self {
            payloads: payloads.into_iter().map(encoded).collect(),
        }
    }
}

impl TryFrom<Payloads> for Vec<Payload> {
    type Error = Fault;

    fn try_from(payloads: Payloads) -> Result<Self, Fault> {
        let bytes = |text: String| {
            let bytes = BASE64_STANDARD.decode(text);
            bytes.map_err(|error| Fault::Answer(error.to_string()))
        };
        let decoded = |it: Encoded| {
            let metadata = it.metadata.into_iter();
            let metadata = metadata.map(|(name, value)| Ok((name, bytes(value)?)));
            Ok(Payload {
                metadata: metadata.collect::<Result<_, _>>()?,
                data: bytes(it.data)?,
                ..Payload::default()
            })
        };
        payloads.payloads.into_iter().map(decoded).collect()
    }
}

impl fmt::Display for RemoteCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.endpoint)
    }
}

/// A payload of a history or a schedule, which the SDK hands out as the server keeps it, as the client's codec
/// reads it.
pub(crate) async fn decoded(client: &Client, payload: &Payload) -> Result<Payload, String> {
    let codec = client.options().data_converter.codec();
    let decoded = codec.decode(&SerializationContextData::None, vec![payload.clone()]);
    let decoded = decoded.await.map_err(|error| error.to_string())?;
    decoded
        .into_iter()
        .next()
        .ok_or_else(|| "the codec has left nothing".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_travel_whole() {
        let payload = Payload {
            metadata: [("encoding".to_owned(), b"binary/plain".to_vec())].into(),
            data: vec![0, 255, 7],
            ..Payload::default()
        };
        let json = serde_json::to_string(&Payloads::from(vec![payload.clone()])).unwrap();
        assert_eq!(
            json,
            r#"{"payloads":[{"metadata":{"encoding":"YmluYXJ5L3BsYWlu"},"data":"AP8H"}]}"#
        );
        let back: Payloads = serde_json::from_str(&json).unwrap();
        assert_eq!(Vec::try_from(back).unwrap(), [payload]);
    }

    #[test]
    fn an_endpoint_is_a_url() {
        let endpoint = |text| RemoteCodec::new(text, None, "videos").map(|it| it.to_string());
        assert_eq!(
            endpoint("https://codec.example/{namespace}/"),
            Ok("https://codec.example/videos".to_owned())
        );
        for wrong in [
            "",
            "codec.example:8080",
            "ftp://codec.example",
            "https://user:pass@codec.example",
            "https://codec.example?code=secret",
        ] {
            assert!(endpoint(wrong).is_err(), "{wrong}");
        }
    }
}
