//! Divides an archive into parts of equal size, by a hash of each receipt's key.

use object_store::path::Path;
use sha2::{Digest, Sha256};

use crate::Archive;

/// Returns the hash of a receipt: the first four bytes of the SHA-256 of its key after the prefix of the archive, as a
/// number. It stays the same if the archive is moved.
pub fn hash_of(archive: &Archive, receipt: &Path) -> u32 {
    let root = format!("{}/", archive.root);
    let key = receipt.as_ref();
    let key = key.strip_prefix(&root).unwrap_or(key);
    let digest: [u8; 32] = Sha256::digest(key).into();
    let [first, second, third, fourth, ..] = digest;
    u32::from_be_bytes([first, second, third, fourth])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;

    use super::*;

    #[test]
    fn the_hash_is_of_the_key_after_the_prefix() {
        let hash = |prefix: &str, key: &str| {
            let url = "memory:///".parse().unwrap();
            let mut archive = Archive::from_store(url, Arc::new(InMemory::new()));
            archive.root = Path::from(prefix);
            hash_of(&archive, &Path::from(key))
        };
        let key = "default/2026/08/27/cgt-1/manifest.json";
        // echo -n default/2026/08/27/cgt-1/manifest.json | sha256sum
        assert_eq!(hash("", key), 0x936b_eb96);
        assert_eq!(hash("team", &format!("team/{key}")), hash("", key));
        assert_ne!(hash("tea", &format!("team/{key}")), hash("", key));
    }
}
