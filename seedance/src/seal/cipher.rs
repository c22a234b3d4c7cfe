//! A key that seals URLs or records.

use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Generate, Payload},
};
use hkdf::Hkdf;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

const NONCE_LEN: usize = 24;

/// A key that seals the URLs or the records of an account.
#[derive(Clone)]
pub(super) struct SealKey(XChaCha20Poly1305);

impl SealKey {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(&Key::from(*key)))
    }

    /// Returns a random nonce and the ciphertext.
    pub(super) fn encrypt(&self, associated_data: &str, plaintext: &[u8]) -> Vec<u8> {
        let nonce = XNonce::generate();
        let payload = Payload {
            msg: plaintext,
            aad: associated_data.as_bytes(),
        };
        // Fails only beyond 256 GiB.
        let ciphertext = self.0.encrypt(&nonce, payload).unwrap_or_default();
        [nonce.as_slice(), &ciphertext].concat()
    }

    /// Decrypts what [`encrypt`](Self::encrypt) returned. Returns `None` if it was encrypted with another key or
    /// associated data, or was modified.
    pub(super) fn decrypt(&self, associated_data: &str, encrypted: &[u8]) -> Option<Vec<u8>> {
        let (nonce, ciphertext) = encrypted.split_first_chunk::<NONCE_LEN>()?;
        let payload = Payload {
            msg: ciphertext,
            aad: associated_data.as_bytes(),
        };
        self.0.decrypt(&XNonce::from(*nonce), payload).ok()
    }

    /// Decrypts a text.
    pub(super) fn decrypt_text(&self, associated_data: &str, encrypted: &[u8]) -> Option<String> {
        String::from_utf8(self.decrypt(associated_data, encrypted)?).ok()
    }
}

/// Derives the bytes of a key of an account from a secret, which can be any text, such as an API key. Each version of a
/// format has its own, so that nothing that was sealed as a URL can be unsealed as a record.
pub(super) fn derive<const LEN: usize>(
    version: &str,
    account: &str,
    secret: &SecretString,
) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    let info = format!("seedance-archiver url seal {version} {account}");
    // Fails only beyond 255 times the length of the hash.
    let _ = Hkdf::<Sha256>::new(None, secret.expose_secret().as_bytes())
        .expand(info.as_bytes(), &mut bytes);
    bytes
}
