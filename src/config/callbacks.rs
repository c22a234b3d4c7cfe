//! Callbacks of an account.

use reqwest::Url;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Secret;

/// Minimum length of a callback token, in bytes. Anyone who guesses the token can make the worker query tasks.
const MIN_TOKEN_LENGTH: usize = 16;

/// How callbacks of an account are handled.
#[derive(Clone, Debug)]
pub struct Callbacks {
    /// The secret at the end of the callback URL, which only the service knows.
    pub token: Secret,
    /// Whether the callback of a task without a lifecycle starts one.
    pub start_lifecycles: bool,
    /// The URL by which the service reaches the callback port, without `/callbacks`. `None`: `CreateVideoTask` requests no
    /// callbacks.
    pub url: Option<Url>,
}

impl Callbacks {
    /// Returns whether `given` is the token, compared in constant time.
    ///
    /// # Errors
    ///
    /// Returns an error if the token cannot be read, or its file now contains one that is invalid. The error
    /// completes the sentence "the token …" and contains no part of the token.
    pub fn accept(&self, given: &str) -> Result<bool, String> {
        // The token file may be different since the start.
        check(&self.token)?;
        let token = self.token.read().map_err(|error| error.to_string())?;
        // All digests have the same length, so not even the length of the token leaks.
        let token = Sha256::digest(token.expose_secret());
        Ok(token.ct_eq(&Sha256::digest(given)).into())
    }
}

/// Checks the current token. The error completes the sentence "the token …".
pub(super) fn check(token: &Secret) -> Result<(), String> {
    let token = token
        .read()
        .map_err(|error| format!("cannot be read: {error}"))?;
    let token = token.expose_secret();
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    if !token.chars().all(is_allowed) || token.len() < MIN_TOKEN_LENGTH {
        return Err(format!(
            "must be at least {MIN_TOKEN_LENGTH} characters long and contain only letters, digits, `-`, \
             `_`, `.` and `~`, because it is part of a URL"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_token_is_accepted() {
        let callbacks = Callbacks {
            token: Secret::from("0123456789abcdef".to_owned()),
            start_lifecycles: false,
            url: None,
        };
        let accept = |token| callbacks.accept(token).unwrap();
        assert!(accept("0123456789abcdef"));
        for invalid in [
            "",
            "0123456789abcdeF",
            "0123456789abcdef0",
            "0123456789abcde",
        ] {
            assert!(!accept(invalid), "{invalid}");
        }
    }

    #[test]
    fn a_token_is_long_and_needs_no_escaping_in_a_url() {
        let check = |token: &str| super::check(&Secret::from(token.to_owned())).is_ok();
        assert!(check("0123456789abcdef") && check("a-b_c.d~0123456789"));
        for invalid in [
            "short",
            "0123456789abcde/",
            "0123456789 abcdef",
            "0123456789abcdé",
        ] {
            assert!(!check(invalid), "{invalid}");
        }
    }
}
