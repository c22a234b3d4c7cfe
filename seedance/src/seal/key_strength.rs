//! Which keys may seal URLs.

use std::collections::BTreeSet;

use secrecy::{ExposeSecret, SecretString};

/// Minimum number of random bytes of a key.
const MIN_BYTES: usize = 32;
/// Minimum number of different characters. 32 random bytes have more in every notation.
const MIN_DISTINCT: usize = 10;

/// Checks that a secret is random enough to seal URLs: anyone who can read Temporal's history can test guesses of it
/// without any limit. An API key is not checked, because a service issues it.
///
/// # Errors
///
/// Returns an error if the secret has less than 32 bytes, in hexadecimal digits, Base64 or any other text, or is evidently
/// not random. The error completes "the key …" and does not contain the secret.
pub fn check_seal_key(secret: &SecretString) -> Result<(), String> {
    let secret = secret.expose_secret();
    let is_hexadecimal = secret.bytes().all(|byte| byte.is_ascii_hexdigit());
    let count = match is_hexadecimal {
        true => secret.len() / 2,
        false => secret.len(),
    };
    if count < MIN_BYTES {
        let notation = if is_hexadecimal {
            " in hexadecimal"
        } else {
            ""
        };
        return Err(format!(
            "has {count} bytes{notation}, at least {MIN_BYTES} are needed"
        ));
    }
    let distinct = secret.bytes().collect::<BTreeSet<_>>().len();
    if distinct < MIN_DISTINCT || is_repeated(secret) {
        return Err("is not random".to_owned());
    }
    Ok(())
}

/// Returns whether a text is a shorter text, repeated.
fn is_repeated(text: &str) -> bool {
    let twice = text.repeat(2);
    twice
        .get(1..twice.len() - 1)
        .is_some_and(|inner| inner.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), String> {
        check_seal_key(&text.to_owned().into())
    }

    #[test]
    fn a_key_of_32_random_bytes_is_accepted_in_every_notation() {
        for key in [
            // `openssl rand -base64 32`, `openssl rand -hex 32`, a password generator.
            "mGdKXhGhRfXcJzN0x8tWqkq3WQb9dHk1u6oTn2yQm5c=",
            "9f2c4e6ad81b03577a9e1c40d2b86f35e7a10c94b25d38f6610e7fc3a94b82d5",
            "correct-Horse7battery.Staple+q9Zx",
        ] {
            assert_eq!(check(key), Ok(()), "{key}");
        }
    }

    #[test]
    fn a_weak_key_is_refused() {
        let short = "has 3 bytes, at least 32 are needed";
        assert_eq!(check("old"), Err(short.to_owned()));
        let hexadecimal = "has 16 bytes in hexadecimal, at least 32 are needed";
        let half = "9f2c4e6ad81b03577a9e1c40d2b86f35";
        assert_eq!(check(half), Err(hexadecimal.to_owned()));
        for key in [
            "0".repeat(64),
            "abc-".repeat(20),
            "correct-horse-battery-".repeat(2),
            half.repeat(2),
        ] {
            assert_eq!(check(&key), Err("is not random".to_owned()), "{key}");
        }
    }
}
