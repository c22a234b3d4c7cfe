//! Which fields, elements, headers and parameters hold a secret, by their names. Names are compared without case and
//! punctuation.

/// Ends of the names of credentials. What a signature was computed from contains the credentials too.
const CREDENTIALS: [&str; 20] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "apikey",
    "accesskey",
    "accesskeyid",
    "secretkey",
    "privatekey",
    "signature",
    "signatureprovided",
    "stringtosign",
    "stringtosignbytes",
    "canonicalrequest",
    "canonicalrequestbytes",
    "authorization",
    "credential",
    "credentials",
    "cookie",
];
/// Names of credentials that other names may end with by chance.
const SHORT_CREDENTIALS: [&str; 4] = ["sig", "pwd", "jwt", "pass"];
/// Names of URLs that have a secret in the path.
const CALLBACKS: [&str; 5] = [
    "callbackurl",
    "callback",
    "webhookurl",
    "webhook",
    "notifyurl",
];
/// Credentials that no sentence of an error explains, as in `token: must not be empty`.
const NO_SENTENCES: [&str; 6] = [
    "password",
    "passwd",
    "passphrase",
    "xapikey",
    "xamzsecuritytoken",
    "xtossecuritytoken",
];
/// Beginnings of the names of the parameters with which a store signs a URL.
const SIGNED: [&str; 10] = [
    "xtos", "xamz", "xgoog", "xoss", "xcos", "xobs", "xbce", "qsign", "qak", "qheader",
];
/// Other parameters of signed URLs. Elsewhere the names are ordinary words.
const PARAMETERS: [&str; 24] = [
    "se",
    "sp",
    "sv",
    "sr",
    "st",
    "spr",
    "ske",
    "skoid",
    "sktid",
    "skt",
    "sks",
    "skv",
    "authkey",
    "auth",
    "sign",
    "expires",
    "xexpires",
    "policy",
    "keypairid",
    "googleaccessid",
    "key",
    "code",
    "hash",
    "ticket",
];

/// The name of a field, an element, a header or a parameter, in lower case and without punctuation.
#[derive(Debug, Default)]
pub(super) struct Name(String);

/// Maximum length of a name. A longer word is none.
const MAX_NAME: usize = 64;

impl Name {
    /// Adds a character. Returns `false` if it is not part of a name.
    pub(super) fn push(&mut self, character: char) -> bool {
        if character.is_ascii_alphanumeric() {
            if self.0.len() <= MAX_NAME {
                self.0.push(character.to_ascii_lowercase());
            }
            return true;
        }
        matches!(character, '_' | '-' | '.')
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether the value is a secret, wherever the name is.
    pub(super) fn is_credential(&self) -> bool {
        let name = self.0.trim_end_matches(|it: char| it.is_ascii_digit());
        let is_known = CREDENTIALS.iter().any(|end| name.ends_with(end))
            || SHORT_CREDENTIALS.contains(&name)
            || CALLBACKS.contains(&name);
        self.0.len() <= MAX_NAME && is_known
    }

    /// Returns whether the value after `=` is a secret: a credential or a parameter of a signed URL.
    pub(super) fn is_secret_parameter(&self, is_in_query: bool) -> bool {
        let is_parameter = is_in_query && PARAMETERS.contains(&self.0.as_str());
        self.is_signature() || is_parameter || self.is_credential()
    }

    /// Returns whether this is a parameter with which a store signs a URL.
    pub(super) fn is_signature(&self) -> bool {
        SIGNED.iter().any(|start| self.0.starts_with(start))
    }

    /// Returns whether the value after `:` is a secret, even if it looks like a word.
    pub(super) fn has_no_sentence(&self) -> bool {
        NO_SENTENCES.contains(&self.0.as_str())
    }

    /// Returns whether the value is a scheme of `Authorization` and a credential, as in `Bearer ey…`.
    pub(super) fn is_authorization_scheme(&self) -> bool {
        ["bearer", "basic"].contains(&self.0.as_str())
    }

    /// Returns whether the value is a whole line.
    pub(super) fn is_header(&self) -> bool {
        ["authorization", "cookie"]
            .iter()
            .any(|end| self.0.ends_with(end))
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        let mut name = Self::default();
        for character in text.chars() {
            name.push(character);
        }
        name
    }
}

/// Returns whether a field holds a URL to which a service posts, which has a secret in its path.
pub(super) fn is_callback(field: &str) -> bool {
    CALLBACKS.contains(&Name::from(field).0.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_known_in_every_spelling() {
        for name in [
            "Token",
            "Token-0",
            "SecurityToken",
            "SessionToken",
            "session_token",
            "AWSAccessKeyId",
            "AccessKeyId",
            "SignatureProvided",
            "StringToSign",
            "StringToSignBytes",
            "CanonicalRequest",
            "CanonicalRequestBytes",
            "Authorization",
            "proxy-authorization",
            "x-amz-security-token",
            "api_key",
            "apiKey",
            "X-API-Key",
            "password",
            "client_secret",
            "callbackUrl",
            "Set-Cookie",
        ] {
            assert!(Name::from(name).is_credential(), "{name}");
        }
        for name in [
            "",
            "Code",
            "Message",
            "Key",
            "BucketName",
            "RequestId",
            "total_tokens",
            "tokenizer",
            "secretary",
            "sign",
            "model",
        ] {
            assert!(!Name::from(name).is_credential(), "{name}");
        }
        let long = format!("{}token", "x".repeat(MAX_NAME));
        assert!(!Name::from(long.as_str()).is_credential());
    }

    #[test]
    fn ordinary_words_are_secret_only_in_a_query() {
        for name in [
            "X-Tos-Expires",
            "x-amz-date",
            "X-Goog-Credential",
            "Signature",
        ] {
            assert!(Name::from(name).is_secret_parameter(false), "{name}");
        }
        for name in ["se", "Policy", "Key-Pair-Id", "auth_key", "key"] {
            assert!(Name::from(name).is_secret_parameter(true), "{name}");
            assert!(!Name::from(name).is_secret_parameter(false), "{name}");
        }
    }
}
