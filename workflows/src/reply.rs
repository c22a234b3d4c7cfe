//! Results in the encoding of their request, and arguments that may be left out.

use temporalio_common::{
    data_converters::{
        PayloadConversionError, SerializationContext, TemporalDeserializable, TemporalSerializable,
    },
    protos::temporal::api::common::v1::Payload,
};

use crate::encoding::{self, Contract, Encoding};

/// A message on its way to whoever asked for it. It is read in any encoding.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply<T> {
    message: T,
    encoding: Encoding,
}

impl<T> Reply<T> {
    /// A message in this encoding.
    pub fn new(message: T, encoding: Encoding) -> Self {
        Self { message, encoding }
    }

    /// The message.
    pub fn message(&self) -> &T {
        &self.message
    }

    /// The message, taken out.
    pub fn into_message(self) -> T {
        self.message
    }
}

impl<T: Contract> TemporalSerializable for Reply<T> {
    fn to_payload(&self, _: &SerializationContext<'_>) -> Result<Payload, PayloadConversionError> {
        self.encoding.encode(&self.message)
    }
}

impl<T: Contract> TemporalDeserializable for Reply<T> {
    fn from_payload(
        _: &SerializationContext<'_>,
        payload: Payload,
    ) -> Result<Self, PayloadConversionError> {
        match encoding::decode(&payload) {
            Ok(message) => Ok(Self::new(
                message,
                Encoding::of(&payload).unwrap_or_default(),
            )),
            Err(error) => Err(PayloadConversionError::EncodingError(error.into())),
        }
    }
}

/// The argument of a signal or a query that needs none: left out, or an empty message whose encoding is
/// the one of the answer. Whatever comes is fine.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bare(Option<Encoding>);

impl Bare {
    /// The encoding that the answer is asked in. `None`: the caller did not say.
    pub fn encoding(self) -> Option<Encoding> {
        self.0
    }
}

impl TemporalSerializable for Bare {
    fn to_payloads(
        &self,
        _: &SerializationContext<'_>,
    ) -> Result<Vec<Payload>, PayloadConversionError> {
        Ok(Vec::new())
    }
}

impl TemporalDeserializable for Bare {
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
        Ok(Self(payloads.first().and_then(Encoding::of)))
    }
}
