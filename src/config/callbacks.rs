//! What an account's service may tell a worker by itself.

use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Secret;

/// Shortest token, in bytes: who guesses it can make the worker ask about tasks.
const SHORTEST_TOKEN: usize = 16;

/// Callbacks that are taken for an account.
#[derive(Clone, Debug)]
pub struct Callbacks {
    /// What stands at the end of the callback URL, and is known to the service alone.
    pub token: Secret,
    /// Whether the callback of a task that has no lifecycle starts one.
    pub start_lifecycles: bool,
}

impl Callbacks {
    /// Whether this is the token. Takes the same time whatever is wrong with it.
    ///
    /// # Errors
    ///
    /// Where the token cannot be read, or has become one that is refused at start. The error completes the
    /// sentence "the token …", and has nothing of it.
    pub fn accept(&self, given: &str) -> Result<bool, String> {
        // Its file may have changed since the start.
        check(&self.token)?;
        let token = self.token.read().map_err(|error| error.to_string())?;
        // Digests have one length, so not even that of the token can be found out.
        let token = Sha256::digest(token.expose_secret());
        Ok(token.ct_eq(&Sha256::digest(given)).into())
    }
}

/// Checks a token as it is now. The error completes the sentence "the token …".
pub(super) fn check(token: &Secret) -> Result<(), String> {
    let token = token
        .read()
        .map_err(|error| format!("cannot be had: {error}"))?;
    let token = token.expose_secret();
    let is_sound = token
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_.~".contains(c));
    if !is_sound || token.len() < SHORTEST_TOKEN {
        return Err(format!(
            "must be at least {SHORTEST_TOKEN} characters long, of letters, digits, `-`, `_`, `.` and \
             `~`, because it is part of a URL"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_token_alone() {
        let callbacks = Callbacks {
            token: Secret::from("0123456789abcdef".to_owned()),
            start_lifecycles: false,
        };
        let accept = |token| callbacks.accept(token).unwrap();
        assert!(accept("0123456789abcdef"));
        for wrong in [
            "",
            "0123456789abcdeF",
            "0123456789abcdef0",
            "0123456789abcde",
        ] {
            assert!(!accept(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_token_is_long_and_part_of_a_url() {
        let check = |token: &str| super::check(&Secret::from(token.to_owned())).is_ok();
        assert!(check("0123456789abcdef") && check("a-b_c.d~0123456789"));
        for wrong in [
            "short",
            "0123456789abcde/",
            "0123456789 abcdef",
            "0123456789abcdé",
        ] {
            assert!(!check(wrong), "{wrong}");
        }
    }
}
