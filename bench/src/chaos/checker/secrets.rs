//! Finds secrets in anything: as they are, in base64 or hexadecimal, and compressed, also one in the other.
//!
//! A text that was cut inside of a secret still has a part of it: the beginning or the end of a secret counts as well.

mod decode;

use std::collections::{BTreeSet, HashSet};

use crate::chaos::world::AllSecrets;

/// How many encodings may be around a secret.
const MAX_DEPTH: usize = 3;
/// Length of the part of a secret that is no coincidence.
const PART: usize = 20;

pub(super) struct Finder {
    /// The beginnings and ends of signatures.
    signatures: HashSet<Vec<u8>>,
    /// The beginnings and ends of words, and entire ones that are shorter.
    parts: BTreeSet<Vec<u8>>,
}

impl Finder {
    pub(super) fn new(secrets: AllSecrets) -> Self {
        let signatures = secrets.signatures.iter();
        let words = secrets.words.iter();
        Self {
            signatures: signatures.flat_map(|it| parts(it.as_bytes())).collect(),
            parts: words.flat_map(|word| parts(word.as_bytes())).collect(),
        }
    }

    /// Returns a secret, or a part of one, that the bytes contain in any form.
    pub(super) fn find(&self, bytes: &[u8]) -> Option<String> {
        self.find_at(bytes, MAX_DEPTH)
    }

    fn find_at(&self, bytes: &[u8], depth: usize) -> Option<String> {
        if let Some(secret) = self.find_plain(bytes) {
            return Some(String::from_utf8_lossy(&secret).into_owned());
        }
        if depth == 0 {
            return None;
        }
        let mut decoded = decode::all(bytes);
        decoded.find_map(|bytes| self.find_at(&bytes, depth - 1))
    }

    fn find_plain(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let lower = bytes.to_ascii_lowercase();
        let runs = lower.split(|byte| !byte.is_ascii_hexdigit());
        let mut candidates = runs.flat_map(|run| run.windows(PART));
        let signature = candidates.find(|it| self.signatures.contains(*it));
        let part = || {
            let mut parts = self.parts.iter();
            parts.find(|part| contains(bytes, part))
        };
        signature.map(<[u8]>::to_vec).or_else(|| part().cloned())
    }
}

/// Returns the beginning and the end of a secret.
fn parts(secret: &[u8]) -> [Vec<u8>; 2] {
    let length = secret.len().min(PART);
    let (beginning, end) = (&secret[..length], &secret[secret.len() - length..]);
    [beginning.to_vec(), end.to_vec()]
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    !word.is_empty() && bytes.windows(word.len()).any(|window| window == word)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use base64::{
        Engine,
        prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
    };
    use flate2::{
        Compression,
        write::{DeflateEncoder, GzEncoder, ZlibEncoder},
    };

    use super::*;

    const WORD: &str = "called-first-key-0000000000000007-chaos";

    /// It does not repeat itself.
    fn signature() -> String {
        hex::encode((0..32).map(|byte| byte * 7).collect::<Vec<u8>>())
    }

    fn finder() -> Finder {
        Finder::new(AllSecrets {
            signatures: vec![signature()],
            words: vec![WORD.into()],
        })
    }

    fn planted() -> [String; 2] {
        [
            format!("url=http://host/x?X-Tos-Signature={}&a=b", signature()),
            format!("{{\"note\":\"key {WORD}\"}}"),
        ]
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn nothing_is_found_where_nothing_is() {
        let digest = "fedcba9876543210".repeat(4);
        for text in ["", "key", digest.as_str(), &BASE64_STANDARD.encode(&digest)] {
            assert_eq!(finder().find(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_secret_is_found_as_it_is() {
        for text in planted() {
            assert!(finder().find(text.as_bytes()).is_some(), "{text}");
            assert!(
                finder()
                    .find(&[b"\xff\x00", text.as_bytes()].concat())
                    .is_some()
            );
        }
        let upper = signature().to_uppercase();
        assert!(finder().find(upper.as_bytes()).is_some());
    }

    #[test]
    fn a_key_that_was_cut_is_found() {
        let (beginning, end) = (&WORD[..PART], &WORD[WORD.len() - PART..]);
        for text in [format!("key {beginning}…"), format!("…{end} is wrong")] {
            assert!(finder().find(text.as_bytes()).is_some(), "{text}");
            let encoded = BASE64_STANDARD.encode(&text);
            assert!(finder().find(encoded.as_bytes()).is_some(), "{encoded}");
        }
        for short in [&WORD[..PART - 1], &WORD[WORD.len() - PART + 1..]] {
            assert_eq!(finder().find(short.as_bytes()), None, "{short}");
        }
        let finder = Finder::new(AllSecrets {
            words: vec!["bench-password".into()],
            ..AllSecrets::default()
        });
        assert!(finder.find(b"<bench-password>").is_some());
        assert_eq!(finder.find(b"bench-passwor"), None);
    }

    #[test]
    fn a_signature_that_was_cut_is_found() {
        let signature = signature();
        let (beginning, end) = (&signature[..PART], &signature[signature.len() - PART..]);
        for text in [
            format!("http://host/x?X-Tos-Signature={beginning}…"),
            format!("…{end}&a=b"),
            format!("X-TOS-SIGNATURE={}", beginning.to_uppercase()),
            // The digits before it are of something else.
            format!("c0ffee{beginning}"),
        ] {
            assert!(finder().find(text.as_bytes()).is_some(), "{text}");
            let encoded = BASE64_STANDARD.encode(gzip(text.as_bytes()));
            assert!(finder().find(encoded.as_bytes()).is_some(), "{encoded}");
        }
        for short in [&beginning[..PART - 1], &end[1..]] {
            assert_eq!(finder().find(short.as_bytes()), None, "{short}");
        }
    }

    #[test]
    fn a_secret_is_found_in_base64_at_every_alignment() {
        for text in planted() {
            for padding in ["", "x", "xy", "xyz"] {
                let text = format!("{padding}{text}");
                for encoded in [
                    BASE64_STANDARD.encode(&text),
                    BASE64_URL_SAFE_NO_PAD.encode(&text),
                ] {
                    let around = format!("{{\"data\":\"{encoded}\"}}");
                    assert!(finder().find(around.as_bytes()).is_some(), "{around}");
                    // The run of characters begins earlier than the encoded text.
                    let glued = format!("abc{around}Q{encoded}");
                    assert!(finder().find(glued.as_bytes()).is_some(), "{glued}");
                }
            }
        }
    }

    #[test]
    fn a_secret_is_found_in_hexadecimal_and_percent_encoding() {
        for text in planted() {
            let hex = hex::encode(&text);
            assert!(finder().find(format!("x{hex}").as_bytes()).is_some());
            let escaped: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            assert!(finder().find(escaped.as_bytes()).is_some());
        }
    }

    #[test]
    fn a_secret_is_found_compressed_also_inside_other_encodings() {
        for text in planted() {
            let text = text.as_bytes();
            let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
            zlib.write_all(text).unwrap();
            let mut deflate = DeflateEncoder::new(Vec::new(), Compression::best());
            deflate.write_all(text).unwrap();
            for compressed in [
                gzip(text),
                zlib.finish().unwrap(),
                deflate.finish().unwrap(),
            ] {
                assert!(finder().find(&compressed).is_some());
            }
            let nested = BASE64_STANDARD.encode(gzip(BASE64_STANDARD.encode(text).as_bytes()));
            assert!(finder().find(nested.as_bytes()).is_some());
            let inside = [b"some bytes before", gzip(text).as_slice(), b"and after"].concat();
            assert!(finder().find(&inside).is_some());
        }
    }
}
