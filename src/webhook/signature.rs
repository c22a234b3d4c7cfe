//! The headers that sign a request, as of Standard Webhooks: <https://www.standardwebhooks.com>.

use std::time::SystemTime;

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use seedance_archiver_proto::time::unix_seconds;
use sha2::Sha256;

/// Header with the id of the event.
pub(crate) const ID: &str = "webhook-id";
/// Header with the time of the request, in Unix seconds.
pub(crate) const TIMESTAMP: &str = "webhook-timestamp";
/// Header with the signatures, one of each key.
pub(crate) const SIGNATURE: &str = "webhook-signature";

/// Returns the headers of a request that is sent at `now`.
pub(crate) fn headers(
    keys: &[SecretSlice<u8>],
    id: &str,
    now: SystemTime,
    body: &[u8],
) -> [(&'static str, String); 3] {
    let timestamp = unix_seconds(now).to_string();
    let signatures = keys
        .iter()
        .filter_map(|key| sign(key, id, &timestamp, body));
    let signatures: Vec<_> = signatures.collect();
    [
        (ID, id.to_owned()),
        (SIGNATURE, signatures.join(" ")),
        (TIMESTAMP, timestamp),
    ]
}

/// Returns the signature by one key. HMAC accepts a key of any length, so there always is one.
fn sign(key: &SecretSlice<u8>, id: &str, timestamp: &str, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_secret()).ok()?;
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
    Some(format!("v1,{signature}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    // The example of the library `standardwebhooks`.
    #[test]
    fn the_signature_is_that_of_standard_webhooks() {
        let key = BASE64_STANDARD
            .decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
            .unwrap();
        let keys = [SecretSlice::from(key), SecretSlice::from(vec![7; 24])];
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_614_265_330);
        let headers = headers(
            &keys,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            now,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(headers[2], (TIMESTAMP, "1614265330".to_owned()));
        let (first, second) = headers[1].1.split_once(' ').unwrap();
        assert_eq!(first, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(second.starts_with("v1,") && second != first);
    }
}
