//! Payloads in the JSON of the codec server protocol: bytes are base64.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use temporalio_common::protos::temporal::api::common::v1::Payload;

use super::error::CodecError;

/// The body of a request or a response.
#[derive(Deserialize, Serialize)]
pub(super) struct Payloads {
    payloads: Vec<JsonPayload>,
}

#[derive(Deserialize, Serialize)]
struct JsonPayload {
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    #[serde(default)]
    data: String,
}

impl Payloads {
    pub(super) fn len(&self) -> usize {
        self.payloads.len()
    }
}

impl From<Vec<Payload>> for Payloads {
    fn from(payloads: Vec<Payload>) -> Self {
        Self {
            payloads: payloads.into_iter().map(JsonPayload::from).collect(),
        }
    }
}

impl TryFrom<Payloads> for Vec<Payload> {
    type Error = CodecError;

    fn try_from(payloads: Payloads) -> Result<Self, CodecError> {
        payloads
            .payloads
            .into_iter()
            .map(Payload::try_from)
            .collect()
    }
}

impl From<Payload> for JsonPayload {
    fn from(payload: Payload) -> Self {
        let metadata = payload.metadata.into_iter();
        Self {
            metadata: metadata
                .map(|(name, value)| (name, BASE64_STANDARD.encode(value)))
                .collect(),
            data: BASE64_STANDARD.encode(payload.data),
        }
    }
}

impl TryFrom<JsonPayload> for Payload {
    type Error = CodecError;

    fn try_from(payload: JsonPayload) -> Result<Self, CodecError> {
        let metadata = payload.metadata.into_iter();
        Ok(Self {
            metadata: metadata
                .map(|(name, value)| Ok((name, decode(value)?)))
                .collect::<Result<_, CodecError>>()?,
            data: decode(payload.data)?,
            ..Self::default()
        })
    }
}

fn decode(base64: String) -> Result<Vec<u8>, CodecError> {
    BASE64_STANDARD
        .decode(base64)
        .map_err(|error| CodecError::InvalidResponse(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_survive_the_conversion_to_json() {
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
        let payloads: Payloads = serde_json::from_str(&json).unwrap();
        assert_eq!(Vec::try_from(payloads).unwrap(), [payload]);
    }
}
