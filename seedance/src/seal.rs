//! Seals URLs and records before they enter Temporal's history, and unseals them.
//!
//! A sealed URL is `sealed:v2:{base64}`: a random nonce and a ciphertext, bound to the account and the task. It has no id
//! of its key. An id that is computed from the key would be a test for guesses that costs less than the cipher, and the
//! key may be derived from an API key, which somebody may be able to guess. So each key is tried.

mod cipher;
mod error;
mod key_strength;
mod record;
mod v1;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::SecretString;

pub use error::UnsealError;
pub use key_strength::check_seal_key;

use self::{cipher::SealKey, record::RecordKeys, v1::FirstVersion};
use crate::SignedUrl;

const PREFIX: &str = "sealed:v2:";

/// Seals the URLs and records of one account. What is sealed is bound to the account and the task.
#[derive(Clone)]
pub struct UrlSeal {
    account: String,
    /// The first key seals, every key unseals.
    keys: Vec<SealKey>,
    records: RecordKeys,
    first_version: FirstVersion,
}

impl UrlSeal {
    /// Returns the seal of an account. The key derived from the first secret seals, those of all secrets unseal.
    pub fn new(account: &str, secrets: &[SecretString]) -> Self {
        let key = |secret| SealKey::new(&cipher::derive("v2", account, secret));
        Self {
            account: account.to_owned(),
            keys: secrets.iter().map(key).collect(),
            records: RecordKeys::new(account, secrets),
            first_version: FirstVersion::new(account, secrets),
        }
    }

    /// Seals a URL. Returns an empty text if there is no key.
    pub fn seal(&self, task_id: &str, url: &str) -> String {
        let Some(key) = self.keys.first() else {
            return String::new();
        };
        let sealed = key.encrypt(&self.associated_data(task_id), url.as_bytes());
        format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Unseals what [`UrlSeal::seal`] returned for the same account and task, also in version 0.1.0.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL was sealed for another task or with an unknown key, or is not sealed.
    pub fn unseal(&self, task_id: &str, sealed: &str) -> Result<SignedUrl, UnsealError> {
        let associated_data = self.associated_data(task_id);
        if let Some(text) = sealed.strip_prefix(v1::PREFIX) {
            return self
                .first_version
                .unseal(&associated_data, text)
                .map(SignedUrl::new);
        }
        let text = sealed.strip_prefix(PREFIX).ok_or(UnsealError::NotSealed)?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text);
        let bytes = bytes.map_err(|_| UnsealError::Tampered)?;
        let decrypt = |key: &SealKey| key.decrypt_text(&associated_data, &bytes);
        let url = self.keys.iter().find_map(decrypt);
        url.map(SignedUrl::new).ok_or(UnsealError::NoMatchingKey)
    }

    /// Seals the text of a record. Returns `None` if the text is empty or too large for Temporal's history, or if there
    /// is no key. The record can then be queried again.
    pub fn seal_record(&self, task_id: &str, text: &str) -> Option<String> {
        self.records.seal(&self.associated_data(task_id), text)
    }

    /// Unseals what [`UrlSeal::seal_record`] returned for the same account and task.
    ///
    /// # Errors
    ///
    /// Returns an error if the record was sealed for another task or with an unknown key, or is not sealed.
    pub fn unseal_record(&self, task_id: &str, sealed: &str) -> Result<String, UnsealError> {
        self.records.unseal(&self.associated_data(task_id), sealed)
    }

    fn associated_data(&self, task_id: &str) -> String {
        format!("{}\n{task_id}", self.account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://host.example/video.mp4?X-Tos-Signature=secret";

    fn seal(account: &str, key: &str) -> UrlSeal {
        UrlSeal::new(account, &[key.to_owned().into()])
    }

    fn open(seal: &UrlSeal, task: &str, sealed: &str) -> Result<(), UnsealError> {
        seal.unseal(task, sealed).map(|_| ())
    }

    #[test]
    fn unseals_what_it_sealed() {
        let sealed = seal("a", "key").seal("cgt-1", URL);
        assert!(
            sealed.starts_with("sealed:v2:") && !sealed.contains("secret"),
            "{sealed}"
        );
        let keys = ["new", "key", "old"].map(|key| SecretString::from(key.to_owned()));
        let url = UrlSeal::new("a", &keys).unseal("cgt-1", &sealed).unwrap();
        assert_eq!(url.expose(), URL);
    }

    #[test]
    fn unseals_only_for_the_same_account_task_and_key() {
        let sealed = seal("a", "key").seal("cgt-1", URL);
        for (seal, task) in [
            (seal("a", "key"), "cgt-2"),
            (seal("a", "other"), "cgt-1"),
            (seal("b", "key"), "cgt-1"),
            (UrlSeal::new("a", &[]), "cgt-1"),
        ] {
            assert_eq!(open(&seal, task, &sealed), Err(UnsealError::NoMatchingKey));
        }
        let seal = seal("a", "key");
        assert_eq!(open(&seal, "cgt-1", URL), Err(UnsealError::NotSealed));
        let cut = &sealed[..sealed.len() - 4];
        assert_eq!(open(&seal, "cgt-1", cut), Err(UnsealError::NoMatchingKey));
        let broken = format!("{sealed}!");
        assert_eq!(open(&seal, "cgt-1", &broken), Err(UnsealError::Tampered));
        assert_eq!(
            open(&seal, "cgt-1", PREFIX),
            Err(UnsealError::NoMatchingKey)
        );
    }

    #[test]
    fn two_sealed_urls_have_nothing_in_common_that_tells_of_the_key() {
        let body = |key: &str| {
            let sealed = seal("a", key).seal("cgt-1", URL);
            sealed.strip_prefix(PREFIX).unwrap().to_owned()
        };
        let (one, again, other) = (body("key"), body("key"), body("other"));
        assert_eq!((one.len(), one.len()), (again.len(), other.len()));
        // 24 random bytes come first.
        assert!(one[..32] != again[..32] && one[..32] != other[..32]);
    }

    #[test]
    fn does_not_print_what_it_unseals() {
        let seal = seal("a", "key");
        let url = seal.unseal("cgt-1", &seal.seal("cgt-1", URL)).unwrap();
        assert!(!format!("{url:?}").contains("secret"));
    }
}
