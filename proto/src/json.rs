//! Serde helpers for protobuf's JSON mapping: `null` is the default, 64-bit integers come as numbers
//! or in quotes.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error};

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

pub(crate) fn int64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Ok(optional_int64(deserializer)?.unwrap_or_default())
}

pub(crate) fn optional_int64<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    Option::<Int64>::deserialize(deserializer)?
        .map(Int64::parse)
        .transpose()
}

pub(crate) fn int64_map<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, i64>, D::Error> {
    Option::<BTreeMap<String, Int64>>::deserialize(deserializer)?
        .unwrap_or_default()
        .into_iter()
        .map(|(key, value)| Ok((key, value.parse()?)))
        .collect()
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Int64 {
    Number(i64),
    Quoted(String),
}

impl Int64 {
    fn parse<E: Error>(self) -> Result<i64, E> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Quoted(text) => text
                .parse()
                .map_err(|_| E::custom(format!("`{text}` is not a 64-bit integer"))),
        }
    }
}
