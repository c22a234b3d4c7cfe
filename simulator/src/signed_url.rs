//! Signed URLs in the format of ByteDance's object store (TOS).

use std::time::{Duration, SystemTime};

use hmac::{Hmac, KeyInit, Mac};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use sha2::Sha256;

const ALGORITHM: &str = "TOS4-HMAC-SHA256";
const DATE: &str = "%Y%m%dT%H%M%SZ";
const REGION: &str = "ap-southeast-1";

/// Signs and verifies URLs with a random key.
pub(crate) struct Signer {
    key: [u8; 64],
}

/// The result of signing a path.
pub(crate) struct Signed {
    /// The query of the URL, with the signature.
    pub(crate) query: String,
    pub(crate) signature: String,
}

/// Why a URL is refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Refusal {
    /// The signature is missing or does not match.
    Tampered,
    Expired,
}

impl Signer {
    pub(crate) fn new() -> Self {
        Self {
            key: std::array::from_fn(|_| fastrand::u8(..)),
        }
    }

    pub(crate) fn sign(&self, path: &str, now: SystemTime, lifetime: Duration) -> Signed {
        let now = Timestamp::try_from(now).unwrap_or_default();
        let date = now.strftime(DATE).to_string();
        let credential = format!("simulator/{}/{REGION}/tos/request", now.strftime("%Y%m%d"));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("X-Tos-Algorithm", ALGORITHM)
            .append_pair("X-Tos-Credential", &credential)
            .append_pair("X-Tos-Date", &date)
            .append_pair("X-Tos-Expires", &lifetime.as_secs().to_string())
            .append_pair("X-Tos-SignedHeaders", "host");
        let query = query.finish();
        let signature = hex::encode(self.mac(path, &query).finalize().into_bytes());
        Signed {
            query: format!("{query}&X-Tos-Signature={signature}"),
            signature,
        }
    }

    /// Verifies a request for `path` and returns its signature.
    pub(crate) fn verify(
        &self,
        path: &str,
        query: &str,
        now: SystemTime,
    ) -> Result<String, Refusal> {
        let (signed, signature) = query
            .rsplit_once("&X-Tos-Signature=")
            .ok_or(Refusal::Tampered)?;
        let bytes = hex::decode(signature).map_err(|_| Refusal::Tampered)?;
        self.mac(path, signed)
            .verify_slice(&bytes)
            .map_err(|_| Refusal::Tampered)?;
        match expiry(signed) {
            Some(expiry) if now < expiry => Ok(signature.to_owned()),
            _ => Err(Refusal::Expired),
        }
    }

    fn mac(&self, path: &str, query: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new(&self.key.into());
        mac.update(format!("GET\n{path}\n{query}").as_bytes());
        mac
    }
}

fn expiry(query: &str) -> Option<SystemTime> {
    let value = |name: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let date = DateTime::strptime(DATE, value("X-Tos-Date")?).ok()?;
    let signed_at = SystemTime::try_from(TimeZone::UTC.to_timestamp(date).ok()?).ok()?;
    signed_at.checked_add(Duration::from_secs(value("X-Tos-Expires")?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_works_until_it_expires() {
        let signer = Signer::new();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_752_850_104);
        let signed = signer.sign("/bucket/a.mp4", now, Duration::from_secs(60));
        let after = |seconds| {
            let now = now + Duration::from_secs(seconds);
            signer.verify("/bucket/a.mp4", &signed.query, now)
        };
        assert_eq!(after(0), Ok(signed.signature.clone()));
        assert_eq!(after(59), Ok(signed.signature.clone()));
        assert_eq!(after(60), Err(Refusal::Expired));
    }

    #[test]
    fn a_url_that_was_changed_is_refused() {
        let signer = Signer::new();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_752_850_104);
        let query = signer
            .sign("/bucket/a.mp4", now, Duration::from_secs(60))
            .query;
        let verify = |path: &str, query: &str| signer.verify(path, query, now);
        let longer = query.replace("Expires=60", "Expires=6000");
        assert_ne!(longer, query);
        assert_eq!(verify("/bucket/a.mp4", &longer), Err(Refusal::Tampered));
        assert_eq!(verify("/bucket/b.mp4", &query), Err(Refusal::Tampered));
        assert_eq!(verify("/bucket/a.mp4", ""), Err(Refusal::Tampered));
        let other = Signer::new().verify("/bucket/a.mp4", &query, now);
        assert_eq!(other, Err(Refusal::Tampered));
    }
}
