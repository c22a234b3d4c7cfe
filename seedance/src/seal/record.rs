//! Seals the text of a record, so that it can travel with its task until it is archived.
//!
//! A sealed record is `sealed-record:v1:{base64}`: a random nonce and the ciphertext of the compressed text.

use std::io::{Read, Write};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};

use secrecy::SecretString;

use super::{
    cipher::{SealKey, derive},
    error::UnsealError,
};

const PREFIX: &str = "sealed-record:v1:";
/// Maximum size of the text of a record, in bytes. Records have a few kilobytes.
const MAX_TEXT: usize = 256 * 1024;
/// Maximum size of a sealed record, in bytes. It is in Temporal's history twice: in the result of a poll, and in the
/// input of the transfer.
const MAX_SEALED: usize = 64 * 1024;

/// The keys that seal the records of an account. The first one seals, every key unseals.
#[derive(Clone)]
pub(super) struct RecordKeys(Vec<SealKey>);

impl RecordKeys {
    pub(super) fn new(account: &str, secrets: &[SecretString]) -> Self {
        let key = |secret| SealKey::new(&derive("record-v1", account, secret));
        Self(secrets.iter().map(key).collect())
    }

    /// Seals the text of a record. Returns `None` if the text is empty or too large, or if there is no key.
    pub(super) fn seal(&self, associated_data: &str, text: &str) -> Option<String> {
        let key = self.0.first()?;
        if text.is_empty() || text.len() > MAX_TEXT {
            return None;
        }
        let sealed = key.encrypt(associated_data, &compress(text)?);
        let sealed = format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(sealed));
        (sealed.len() <= MAX_SEALED).then_some(sealed)
    }

    /// Unseals what [`seal`](Self::seal) returned.
    pub(super) fn unseal(
        &self,
        associated_data: &str,
        sealed: &str,
    ) -> Result<String, UnsealError> {
        let text = sealed.strip_prefix(PREFIX).ok_or(UnsealError::NotSealed)?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text);
        let bytes = bytes.map_err(|_| UnsealError::Tampered)?;
        let decrypt = |key: &SealKey| key.decrypt(associated_data, &bytes);
        let compressed = self.0.iter().find_map(decrypt);
        decompress(&compressed.ok_or(UnsealError::NoMatchingKey)?).ok_or(UnsealError::Tampered)
    }
}

fn compress(text: &str) -> Option<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).ok()?;
    encoder.finish().ok()
}

fn decompress(compressed: &[u8]) -> Option<String> {
    let mut text = String::new();
    let limit = MAX_TEXT as u64 + 1;
    let mut decoder = DeflateDecoder::new(compressed).take(limit);
    decoder.read_to_string(&mut text).ok()?;
    (text.len() <= MAX_TEXT).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UrlSeal;

    const RECORD: &str = r#"{ "id":"cgt-1", "seed" : 1.0e5, "prompt": "caf\u00e9 \ud800" }"#;

    fn seal(account: &str, keys: &[&str]) -> UrlSeal {
        let keys: Vec<_> = keys.iter().map(|key| SecretString::from(*key)).collect();
        UrlSeal::new(account, &keys)
    }

    /// Returns text of this length that cannot be compressed by much.
    fn random(length: usize) -> String {
        let mut state = 1_u64;
        let characters = (0..length).map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            char::from(b'!' + (state >> 58) as u8)
        });
        characters.collect()
    }

    #[test]
    fn a_record_is_unsealed_unchanged() {
        let sealed = seal("a", &["key"]).seal_record("cgt-1", RECORD).unwrap();
        assert!(sealed.starts_with("sealed-record:v1:"), "{sealed}");
        let seal = seal("a", &["new", "key"]);
        assert_eq!(seal.unseal_record("cgt-1", &sealed).unwrap(), RECORD);
        let long = RECORD.repeat(100);
        let sealed = seal.seal_record("cgt-1", &long).unwrap();
        assert!(sealed.len() < 1_000, "{}", sealed.len());
        assert_eq!(seal.unseal_record("cgt-1", &sealed).unwrap(), long);
    }

    #[test]
    fn a_record_is_unsealed_only_for_the_same_account_task_and_key() {
        let sealed = seal("a", &["key"]).seal_record("cgt-1", RECORD).unwrap();
        let unseal = |seal: UrlSeal, task: &str, sealed: &str| {
            let text = seal.unseal_record(task, sealed);
            text.unwrap_err()
        };
        for (seal, task) in [
            (seal("a", &["key"]), "cgt-2"),
            (seal("a", &["other"]), "cgt-1"),
            (seal("b", &["key"]), "cgt-1"),
            (seal("a", &[]), "cgt-1"),
        ] {
            assert_eq!(unseal(seal, task, &sealed), UnsealError::NoMatchingKey);
        }
        let own = || seal("a", &["key"]);
        assert_eq!(unseal(own(), "cgt-1", RECORD), UnsealError::NotSealed);
        assert_eq!(unseal(own(), "cgt-1", ""), UnsealError::NotSealed);
        let broken = format!("{sealed}!");
        assert_eq!(unseal(own(), "cgt-1", &broken), UnsealError::Tampered);
        let cut = &sealed[..sealed.len() - 3];
        assert!(own().unseal_record("cgt-1", cut).is_err());
    }

    #[test]
    fn a_url_is_not_unsealed_as_a_record_nor_a_record_as_a_url() {
        let seal = seal("a", &["key"]);
        let (url, record) = (
            seal.seal("cgt-1", "https://h.example/v"),
            seal.seal_record("cgt-1", RECORD),
        );
        let record = record.unwrap();
        let body = |sealed: &str| sealed.rsplit(':').next().unwrap().to_owned();
        let as_record = format!("{PREFIX}{}", body(&url));
        let as_url = format!("sealed:v2:{}", body(&record));
        let errors = [&url, &as_record].map(|url| seal.unseal_record("cgt-1", url).unwrap_err());
        assert_eq!(errors, [UnsealError::NotSealed, UnsealError::NoMatchingKey]);
        let errors = [&record, &as_url].map(|record| seal.unseal("cgt-1", record).err().unwrap());
        assert_eq!(errors, [UnsealError::NotSealed, UnsealError::NoMatchingKey]);
    }

    #[test]
    fn a_record_that_is_too_large_for_history_is_not_sealed() {
        let own = seal("a", &["key"]);
        assert!(own.seal_record("cgt-1", &random(50_000)).is_some());
        assert_eq!(own.seal_record("cgt-1", &random(80_000)), None);
        let largest = "x".repeat(MAX_TEXT);
        let sealed = own.seal_record("cgt-1", &largest).unwrap();
        assert_eq!(own.unseal_record("cgt-1", &sealed).unwrap(), largest);
        assert_eq!(own.seal_record("cgt-1", &format!("{largest}x")), None);
        assert_eq!(own.seal_record("cgt-1", ""), None);
        assert_eq!(seal("a", &[]).seal_record("cgt-1", RECORD), None);
    }
}
