//! The format of version 0.1.0, `sealed:v1:{key id}:{base64}`, which is only read.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::SecretString;

use super::{
    cipher::{SealKey, derive},
    error::UnsealError,
};

pub(super) const PREFIX: &str = "sealed:v1:";

/// The keys of version 0.1.0, by their ids.
#[derive(Clone)]
pub(super) struct FirstVersion(Vec<(String, SealKey)>);

impl FirstVersion {
    pub(super) fn new(account: &str, secrets: &[SecretString]) -> Self {
        let keys = secrets.iter().map(|secret| {
            // The id follows the key.
            let bytes: [u8; 32 + 4] = derive("v1", account, secret);
            let (key, id) = bytes.split_first_chunk().unwrap_or((&[0; 32], &[]));
            (hex::encode(id), SealKey::new(key))
        });
        Self(keys.collect())
    }

    /// Unseals what follows the prefix of a sealed URL.
    pub(super) fn unseal(&self, associated_data: &str, text: &str) -> Result<String, UnsealError> {
        let (key_id, text) = text.split_once(':').ok_or(UnsealError::NotSealed)?;
        let key = self.0.iter().find(|(id, _)| id == key_id);
        let (_, key) = key.ok_or_else(|| UnsealError::UnknownKey(key_id.to_owned()))?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text);
        let bytes = bytes.map_err(|_| UnsealError::Tampered)?;
        key.decrypt_text(associated_data, &bytes)
            .ok_or(UnsealError::Tampered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: &str = "cgt-20260828062711-hj94q";
    /// Made by version 0.1.0 from the secret `not-a-real-key`.
    const SEALED: &str = "sealed:v1:61cf1be4:IkEqStCddU9wZ2kZc_xSuSTOTtnZNREUtgKTeq1hFW_QugU8udSTqDMCklEjkMUn9aC9wJaKXxtzSFJY_MhH3IHYH2deJLs9pzUxiJveQxj66y9CNzylev32";

    fn unseal(secret: &str, task: &str, sealed: &str) -> Result<String, UnsealError> {
        let version = FirstVersion::new("default", &[secret.to_owned().into()]);
        let text = sealed.strip_prefix(PREFIX).unwrap();
        version.unseal(&format!("default\n{task}"), text)
    }

    #[test]
    fn what_version_0_1_0_sealed_is_unsealed() {
        assert_eq!(
            unseal("not-a-real-key", TASK, SEALED).unwrap(),
            "https://host.example/v.mp4?X-Tos-Signature=fixture"
        );
        let id = SEALED.split(':').nth(2).unwrap().to_owned();
        assert_eq!(
            unseal("another", TASK, SEALED),
            Err(UnsealError::UnknownKey(id))
        );
        assert_eq!(
            unseal("not-a-real-key", "cgt-2", SEALED),
            Err(UnsealError::Tampered)
        );
    }
}
