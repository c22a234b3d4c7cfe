//! Seals URLs before they enter Temporal's history, and opens them again.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Generate, Payload},
};
use hkdf::Hkdf;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::SecretUrl;

const PREFIX: &str = "sealed:v1:";
const NONCE_LEN: usize = 24;

/// Seals the URLs of one account. What is sealed is bound to the account and the task.
#[derive(Clone)]
pub struct UrlSeal {
    account: String,
    /// The first seals, all open.
    keys: Vec<SealKey>,
}

/// A key and the name that it has in what it sealed.
#[derive(Clone)]
struct SealKey {
    id: String,
    cipher: XChaCha20Poly1305,
}

/// Why a sealed URL cannot be opened.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CannotOpen {
    /// It is not a sealed URL.
    #[error("not a sealed URL")]
    NotSealed,
    /// It was sealed with a key that this worker does not have.
    #[error("sealed with the key {0}, which this worker does not have")]
    UnknownKey(String),
    /// There is no key now.
    #[error("sealed, and there is no key to open it: {0}")]
    NoKey(String),
    /// It was sealed for another task, or changed since.
    #[error("sealed for another task, or changed since")]
    Tampered,
}

impl UrlSeal {
    /// The seal that these secrets give: the first seals, all open.
    pub fn new(account: &str, secrets: &[SecretString]) -> Self {
        Self {
            account: account.to_owned(),
            keys: secrets
                .iter()
                .map(|secret| SealKey::derived(account, secret))
                .collect(),
        }
    }

    /// `sealed:v1:{key id}:{base64}`. Without a key nothing is told of the URL.
    pub fn seal(&self, task_id: &str, url: &str) -> String {
        let Some(key) = self.keys.first() else {
            return String::new();
        };
        let nonce = XNonce::generate();
        let bound_to = self.bound_to(task_id);
        let payload = Payload {
            msg: url.as_bytes(),
            aad: bound_to.as_bytes(),
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

    /// Opens what [`UrlSeal::seal`] made for the same account and task.
    pub fn open(&self, task_id: &str, sealed: &str) -> Result<SecretUrl, CannotOpen> {
        let (key_id, text) = sealed
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once(':'))
            .ok_or(CannotOpen::NotSealed)?;
        let key = self.keys.iter().find(|key| key.id == key_id);
        let key = key.ok_or_else(|| CannotOpen::UnknownKey(key_id.to_owned()))?;
        let sealed = BASE64_URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| CannotOpen::Tampered)?;
        let (nonce, ciphertext) = sealed
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(CannotOpen::Tampered)?;
        let bound_to = self.bound_to(task_id);
        let payload = Payload {
            msg: ciphertext,
            aad: bound_to.as_bytes(),
        };
        let url = key
            .cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| CannotOpen::Tampered)?;
        String::from_utf8(url)
            .map(SecretUrl::new)
            .map_err(|_| CannotOpen::Tampered)
    }

    fn bound_to(&self, task_id: &str) -> String {
        format!("{}\n{task_id}", self.account)
    }
}

impl SealKey {
    /// The key that a secret gives for an account. Any text will do, an API key too.
    fn derived(account: &str, secret: &SecretString) -> Self {
        let mut bytes = [0; 32 + 4];
        let info = format!("seedance-archiver url seal v1 {account}");
        // 36 bytes are far within what HKDF can give, its only error.
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
    fn opens_what_it_sealed() {
        let sealed = seal("a", "key").seal("cgt-1", URL);
        assert!(
            sealed.starts_with("sealed:v1:") && !sealed.contains("secret"),
            "{sealed}"
        );
        assert_eq!(
            seal("a", "key").open("cgt-1", &sealed).unwrap().expose(),
            URL
        );
    }

    #[test]
    fn opens_for_the_same_account_task_and_key_only() {
        let sealed = seal("a", "key").seal("cgt-1", URL);
        let open = |seal: UrlSeal, task, sealed: &str| seal.open(task, sealed).map(|_| ());
        let unknown = sealed.split(':').nth(2).unwrap().to_owned();
        assert_eq!(
            open(seal("a", "key"), "cgt-2", &sealed),
            Err(CannotOpen::Tampered)
        );
        assert_eq!(
            open(seal("a", "other"), "cgt-1", &sealed),
            Err(CannotOpen::UnknownKey(unknown.clone()))
        );
        assert_eq!(
            open(seal("b", "key"), "cgt-1", &sealed),
            Err(CannotOpen::UnknownKey(unknown))
        );
        assert_eq!(
            open(seal("a", "key"), "cgt-1", URL),
            Err(CannotOpen::NotSealed)
        );
        let cut = &sealed[..sealed.len() - 4];
        assert_eq!(
            open(seal("a", "key"), "cgt-1", cut),
            Err(CannotOpen::Tampered)
        );
    }

    #[test]
    fn seals_the_same_url_differently_each_time() {
        let seal = seal("a", "key");
        assert_ne!(seal.seal("cgt-1", URL), seal.seal("cgt-1", URL));
    }

    #[test]
    fn does_not_print_what_it_opens() {
        let seal = seal("a", "key");
        let url = seal.open("cgt-1", &seal.seal("cgt-1", URL)).unwrap();
        assert!(!format!("{url:?}").contains("secret"));
    }
}
