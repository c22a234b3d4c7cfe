//! Signed URLs in the form of ByteDance's object store (TOS): whoever has one can fetch the object
//! until it expires, and nobody can make or change one.

use std::time::{Duration, SystemTime};

use hmac::{Hmac, KeyInit, Mac};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use sha2::Sha256;

const ALGORITHM: &str = "TOS4-HMAC-SHA256";
const DATE: &str = "%Y%m%dT%H%M%SZ";
const REGION: &str = "ap-southeast-1";

/// Signs and checks with a key that dies with the simulator.
pub(crate) struct Signer {
    key: [u8; 64],
}

/// A signature and what it signs.
pub(crate) struct Signed {
    /// What goes behind the `?` of the URL.
    pub(crate) query: String,
    pub(crate) signature: String,
}

/// Why a URL is refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Refused {
    /// It was signed otherwise, or not at all.
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

    /// Checks a request for `path`, and returns the signature.
    pub(crate) fn check(
        &self,
        path: &str,
        query: &str,
        now: SystemTime,
    ) -> Result<String, Refused> {
        let (signed, signature) = query
            .rsplit_once("&X-Tos-Signature=")
            .ok_or(Refused::Tampered)?;
        let bytes = hex::decode(signature).map_err(|_| Refused::Tampered)?;
        self.mac(path, signed)
            .verify_slice(&bytes)
            .map_err(|_| Refused::Tampered)?;
        match end(signed) {
            Some(end) if now < end => Ok(signature.to_owned()),
            _ => Err(Refused::Expired),
        }
    }

    fn mac(&self, path: &str, query: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new(&self.key.into());
        mac.update(format!("GET\n{path}\n{query}").as_bytes());
        mac
    }
}

fn end(query: &str) -> Option<SystemTime> {
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
            signer.check("/bucket/a.mp4", &signed.query, now)
        };
        assert_eq!(after(0), Ok(signed.signature.clone()));
        assert_eq!(after(59), Ok(signed.signature.clone()));
        assert_eq!(after(60), Err(Refused::Expired));
    }

    #[test]
    fn a_url_that_was_changed_does_not_work() {
        let signer = Signer::new();
        let now = SystemTime::now();
        let query = signer
            .sign("/bucket/a.mp4", now, Duration::from_secs(60))
            .query;
        let check = |path: &str, query: &str| signer.check(path, query, now);
        let longer = query.replace("Expires=60", "Expires=6000");
        assert_ne!(longer, query);
        assert_eq!(check("/bucket/a.mp4", &longer), Err(Refused::Tampered));
        assert_eq!(check("/bucket/b.mp4", &query), Err(Refused::Tampered));
        assert_eq!(check("/bucket/a.mp4", ""), Err(Refused::Tampered));
        let other = Signer::new().check("/bucket/a.mp4", &query, now);
        assert_eq!(other, Err(Refused::Tampered));
    }
}
