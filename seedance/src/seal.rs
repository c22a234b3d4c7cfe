//! Seals URLs before they enter Temporal's history, and unseals them.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Generate, Payload},
};
use hkdf::Hkdf;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::SignedUrl;

const PREFIX: &str = "sealed:v1:";
const NONCE_LEN: usize = 24;

/// Seals the URLs of one account. A sealed URL is bound to the account and the task.
#[derive(Clone)]
pub struct UrlSeal {
    account: String,
    /// The first key seals, every key unseals.
    keys: Vec<SealKey>,
}

/// A key and its id in sealed URLs.
#[derive(Clone)]
struct SealKey {
    id: String,
    cipher: XChaCha20Poly1305,
}

/// Why a URL cannot be unsealed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum UnsealError {
    /// The text is not a sealed URL.
    #[error("not a sealed URL")]
    NotSealed,
    /// The URL was sealed with a key that this worker does not have.
    #[error("sealed with key {0}, which this worker does not have")]
    UnknownKey(String),
    /// The keys cannot be read.
    #[error("sealed, and the keys cannot be read: {0}")]
    NoKey(String),
    /// The URL was sealed for another task, or was modified.
    #[error("sealed for another task, or modified")]
    Tampered,
}

impl UrlSeal {
    /// Returns the seal of an account. The key derived from the first secret seals, those of all secrets unseal.
    pub fn new(account: &str, secrets: &[SecretString]) -> Self {
        Self {
            account: account.to_owned(),
            keys: secrets
                .iter()
                .map(|secret| SealKey::derived(account, secret))
                .collect(),
        }
    }

    /// Seals a URL: `sealed:v1:{key id}:{base64}`. Returns an empty text if there is no key.
    pub fn seal(&self, task_id: &str, url: &str) -> String {
        let Some(key) = self.keys.first() else {
            return String::new();
        };
        let nonce = XNonce::generate();
        let associated_data = self.associated_data(task_id);
        let payload = Payload {
            msg: url.as_bytes(),
            aad: associated_data.as_bytes(),
        };
        // Fails only beyond 256 GiB.
        let ciphertext = key.cipher.encrypt(&nonce, payload).unwrap_or_default();
        let sealed = [nonce.as_slice(), &ciphertext].concat();
        format!(
            "{PREFIX}{}:{}",
            key.id,
            BASE64_URL_SAFE_NO_PAD.encode(sealed)
        )
    }

    /// Unseals what [`UrlSeal::seal`] returned for the same account and task.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL was sealed for another task or with an unknown key, or is not sealed.
    pub fn unseal(&self, task_id: &str, sealed: &str) -> Result<SignedUrl, UnsealError> {
        let (key_id, text) = sealed
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once(':'))
            .ok_or(UnsealError::NotSealed)?;
        let key = self.keys.iter().find(|key| key.id == key_id);
        let key = key.ok_or_else(|| UnsealError::UnknownKey(key_id.to_owned()))?;
        let sealed = BASE64_URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| UnsealError::Tampered)?;
        let (nonce, ciphertext) = sealed
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(UnsealError::Tampered)?;
        let associated_data = self.associated_data(task_id);
        let payload = Payload {
            msg: ciphertext,
            aad: associated_data.as_bytes(),
        };
        let url = key
            .cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| UnsealError::Tampered)?;
        String::from_utf8(url)
            .map(SignedUrl::new)
            .map_err(|_| UnsealError::Tampered)
    }

    fn associated_data(&self, task_id: &str) -> String {
        format!("{}\n{task_id}", self.account)
    }
}

impl SealKey {
    /// Derives the key of an account from a secret, which can be any text, such as an API key.
    fn derived(account: &str, secret: &SecretString) -> Self {
        let mut bytes = [0; 32 + 4];
        let info = format!("seedance-archiver url seal v1 {account}");
        // Fails only beyond 255 times the length of the hash.
        let _ = Hkdf::<Sha256>::new(None, secret.expose_secret().as_bytes())
            .expand(info.as_bytes(), &mut bytes);
        let (key, id) = bytes.split_at(32);
        let mut cipher_key = Key::default();
        cipher_key.copy_from_slice(key);
        Self {
            id: hex::encode(id),
            cipher: XChaCha20Poly1305::new(&cipher_key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://host.example/video.mp4?X-Tos-Signature=secret";

    fn seal(account: &str, key: &str) -> UrlSeal {
        UrlSeal::new(account, &[key.to_owned().into()])
    }

    #[test]
    fn unseals_what_it_sealed() {
        let sealed = seal("a", "key").seal("cgt-1", URL);
        assert!(
            sealed.starts_with("sealed:v1:") && !sealed.contains("secret"),
            "{sealed}"
        );
        assert_eq!(
            seal("a", "key").unseal("cgt-1", &sealed).unwrap().expose(),
            URL
        );
    }

    #[test]
    fn unseals_only_for_the_same_account_task_and_key() {
        let sealed = seal("a", "key").seal("cgt-1", URL);
        let open = |seal: UrlSeal, task, sealed: &str| seal.unseal(task, sealed).map(|_| ());
        let unknown = sealed.split(':').nth(2).unwrap().to_owned();
        assert_eq!(
            open(seal("a", "key"), "cgt-2", &sealed),
            Err(UnsealError::Tampered)
        );
        assert_eq!(
            open(seal("a", "other"), "cgt-1", &sealed),
            Err(UnsealError::UnknownKey(unknown.clone()))
        );
        assert_eq!(
            open(seal("b", "key"), "cgt-1", &sealed),
            Err(UnsealError::UnknownKey(unknown))
        );
        assert_eq!(
            open(seal("a", "key"), "cgt-1", URL),
            Err(UnsealError::NotSealed)
        );
        let cut = &sealed[..sealed.len() - 4];
        assert_eq!(
            open(seal("a", "key"), "cgt-1", cut),
            Err(UnsealError::Tampered)
        );
    }

    #[test]
    fn seals_the_same_url_differently_each_time() {
        let seal = seal("a", "key");
        assert_ne!(seal.seal("cgt-1", URL), seal.seal("cgt-1", URL));
    }

    #[test]
    fn does_not_print_what_it_unseals() {
        let seal = seal("a", "key");
        let url = seal.unseal("cgt-1", &seal.seal("cgt-1", URL)).unwrap();
        assert!(!format!("{url:?}").contains("secret"));
    }
}
