//! Results in the encoding of their request, and arguments that may be omitted.

use temporalio_common::{
    data_converters::{
        PayloadConversionError, SerializationContext, TemporalDeserializable, TemporalSerializable,
    },
    protos::temporal::api::common::v1::Payload,
};

use crate::encoding::{self, ContractMessage, Encoding};

/// A result. It is written in the encoding of its request, and read in any encoding.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply<T> {
    message: T,
    encoding: Encoding,
}

impl<T> Reply<T> {
    /// Returns a reply in this encoding.
    pub fn new(message: T, encoding: Encoding) -> Self {
        Self { message, encoding }
    }

    /// Returns the message.
    pub fn message(&self) -> &T {
        &self.message
    }

    /// Returns the message by value.
    pub fn into_message(self) -> T {
        self.message
    }
}

impl<T: ContractMessage> TemporalSerializable for Reply<T> {
    fn to_payload(&self, _: &SerializationContext<'_>) -> Result<Payload, PayloadConversionError> {
        self.encoding.encode(&self.message)
    }
}

impl<T: ContractMessage> TemporalDeserializable for Reply<T> {
    fn from_payload(
        _: &SerializationContext<'_>,
        payload: Payload,
    ) -> Result<Self, PayloadConversionError> {
        match encoding::decode(&payload) {
            Ok(message) => Ok(Self::new(
                message,
                Encoding::from_payload(&payload).unwrap_or_default(),
            )),
            Err(error) => Err(PayloadConversionError::EncodingError(error.into())),
        }
    }
}

/// The argument of a signal or query that needs none. Callers omit it, or send an empty message; a query is
/// then answered in the encoding of that message. Any payload is accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OptionalArgument(Option<Encoding>);

impl OptionalArgument {
    /// Returns the encoding of the argument, or `None` if it was omitted or its encoding is unknown.
    pub fn encoding(self) -> Option<Encoding> {
        self.0
    }
}

impl TemporalSerializable for OptionalArgument {
    fn to_payloads(
        &self,
        _: &SerializationContext<'_>,
    ) -> Result<Vec<Payload>, PayloadConversionError> {
        Ok(vec![])
    }
}

impl TemporalDeserializable for OptionalArgument {
    fn from_payload(
        context: &SerializationContext<'_>,
        payload: Payload,
    ) -> Result<Self, PayloadConversionError> {
        Self::from_payloads(context, vec![payload])
    }

    fn from_payloads(
        _: &SerializationContext<'_>,
        payloads: Vec<Payload>,
    ) -> Result<Self, PayloadConversionError> {
        Ok(Self(payloads.first().and_then(Encoding::from_payload)))
    }
}

#[cfg(test)]
mod tests;
