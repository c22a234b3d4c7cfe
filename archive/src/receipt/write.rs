//! Writes receipts.

use object_store::ObjectStoreExt;
use seedance_archiver_proto::{names, v1::Manifest};
use sha2::{Digest, Sha256};

use super::{
    find::{Found, look_up, problem},
    json::{self, Stored},
};
use crate::{Archive, Error, Layout};

/// Writes the receipt of a task and returns it. If another attempt already wrote a receipt, returns that one instead.
///
/// If there is an object that is not a receipt, the object is copied to `manifest.json.invalid-` and the first digits of
/// its SHA-256, and the receipt replaces it.
///
/// # Errors
///
/// Returns [`Error::InvalidRecord`] if the manifest names no task or no object, [`Error::OtherReceipt`] if there is a
/// receipt of another task, and another error if the store fails.
pub async fn write(
    archive: &Archive,
    layout: &Layout,
    mut manifest: Manifest,
) -> Result<Manifest, Error> {
    let key = layout.manifest();
    if let Some(problem) = problem(&manifest) {
        return Err(Error::InvalidRecord(format!("{key} {problem}")));
    }
    let created = json::put(archive, &key, json::to_json(&key, &manifest)?, None).await;
    let Err(error) = created else {
        return Ok(manifest);
    };
    // The receipt may have been written even if the response was lost.
    match look_up(archive, layout).await? {
        Found::Receipt(manifest) => Ok(*manifest),
        // Whatever the error was: only this version of the object is replaced.
        Found::Invalid(invalid, problem) => {
            let copy = copy(archive, layout, &invalid).await?;
            tracing::warn!(%problem, copy, "replacing an invalid receipt");
            let warning = format!("replaced an invalid receipt, which is preserved as {copy}");
            manifest.warnings.push(warning);
            let json = json::to_json(&key, &manifest)?;
            json::put(archive, &key, json, Some(invalid.version)).await?;
            Ok(manifest)
        }
        Found::Nothing => Err(error),
    }
}

/// Copies an invalid receipt to a name that depends on its bytes, and returns the name. The store copies one that is too large to
/// be read, whose name depends on its version.
async fn copy(archive: &Archive, layout: &Layout, invalid: &Stored) -> Result<String, Error> {
    let sha256 = match invalid.is_too_large() {
        true => Sha256::digest(format!("{} {:?}", invalid.size, invalid.version)),
        false => Sha256::digest(&invalid.json),
    };
    let sha256 = hex::encode(sha256);
    let digits = sha256.get(..8).unwrap_or(&sha256);
    let name = format!("{}.invalid-{digits}", names::MANIFEST);
    let key = layout.file(&name);
    if invalid.is_too_large() {
        archive.store.copy(&layout.manifest(), &key).await?;
        return Ok(name);
    }
    match json::put(archive, &key, invalid.json.to_vec(), None).await {
        Err(error) if !error.is_already_exists() => Err(error),
        _ => Ok(name),
    }
}
