//! A secret that is planted into inputs, in every place where redaction promises to find it.

/// The secret. No other input contains it.
pub(crate) const SECRET: &str = "ZqSECRETqZ";
/// The byte of an input in whose place a signed URL is planted.
const PLACEHOLDER: u8 = 1;
/// A signed URL with the secret.
const SIGNED_URL: &str = "https://host.example/v.mp4?X-Tos-Signature=ZqSECRETqZ";

/// Returns whether a text contains the secret in any case.
pub(crate) fn is_in(text: &str) -> bool {
    text.to_uppercase().contains(&SECRET.to_uppercase())
}

/// Returns whether bytes contain the secret in any case.
pub(crate) fn is_in_bytes(bytes: &[u8]) -> bool {
    is_in(&String::from_utf8_lossy(bytes))
}

/// Replaces each placeholder by a signed URL.
pub(crate) fn plant(bytes: &[u8]) -> Vec<u8> {
    let parts = bytes.split(|byte| *byte == PLACEHOLDER);
    parts.collect::<Vec<_>>().join(SIGNED_URL.as_bytes())
}
