//! Downloads the Temporal CLI, and verifies it against the digest in [`release`](super::release).

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use flate2::read::GzDecoder;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use super::release::{Archive, NEWEST};
use crate::http;

/// The site that says where an archive is.
const SITE: &str = "https://temporal.download/cli";
/// Name of the program in the archive.
const PROGRAM: &str = "temporal";
/// How long a download may make no progress. A firewall that drops packets would block it for minutes.
const STALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum size of an archive, in bytes. That of version 1.9.1 has 45 MB.
const MAX_SIZE: u64 = 256 << 20;

/// Where an archive is, according to the site.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    archive_url: String,
}

/// Downloads the CLI for this machine into a directory and returns its path.
///
/// # Errors
///
/// Returns an error if the download fails or stalls, or its digest is not the one of the release. Nothing of it is run
/// then.
pub(super) async fn download(directory: &Path) -> Result<PathBuf, String> {
    let archive = Archive::for_this_machine()?;
    let client = client().map_err(http::describe)?;
    let url = locate(&client, archive).await?;
    download_from(&client, &url, archive.sha256, directory).await
}

/// Returns a client that uses the proxy of the environment and follows redirects: the digest proves what arrives.
fn client() -> reqwest::Result<reqwest::Client> {
    let client = reqwest::Client::builder();
    let client = client
        .connect_timeout(STALL_TIMEOUT)
        .read_timeout(STALL_TIMEOUT);
    client.build()
}

async fn locate(client: &reqwest::Client, archive: &Archive) -> Result<String, String> {
    let Archive {
        platform,
        architecture,
        ..
    } = archive;
    let url = format!("{SITE}/{NEWEST}?platform={platform}&arch={architecture}&format=tar.gz");
    let response = client.get(url).send().await.map_err(http::describe)?;
    let response = response.error_for_status().map_err(http::describe)?;
    let location = response.bytes().await.map_err(http::describe)?;
    let location: Location = serde_json::from_slice(&location)
        .map_err(|error| format!("`{SITE}` does not name the archive: {error}"))?;
    Ok(location.archive_url)
}

async fn download_from(
    client: &reqwest::Client,
    url: &str,
    sha256: &str,
    directory: &Path,
) -> Result<PathBuf, String> {
    let archive = directory.join("archive.tar.gz");
    let found = fetch(client, url, &archive).await?;
    if found != sha256 {
        return Err(format!(
            "the archive has SHA-256 {found}, expected {sha256}"
        ));
    }
    let program = directory.join(PROGRAM);
    let target = program.clone();
    let unpacked = spawn_blocking(move || unpack(&archive, &target)).await;
    match unpacked.map_err(io::Error::other).flatten() {
        Ok(()) => Ok(program),
        Err(error) => Err(format!("cannot unpack the archive: {error}")),
    }
}

/// Downloads a file and returns its SHA-256.
async fn fetch(client: &reqwest::Client, url: &str, target: &Path) -> Result<String, String> {
    let cannot_write = |error| format!("cannot write `{}`: {error}", target.display());
    let mut file = File::create(target).map_err(cannot_write)?;
    let response = client.get(url).send().await.map_err(http::describe)?;
    let mut response = response.error_for_status().map_err(http::describe)?;
    let (mut size, mut sha256) = (0, Sha256::new());
    while let Some(bytes) = response.chunk().await.map_err(http::describe)? {
        size += bytes.len() as u64;
        if size > MAX_SIZE {
            return Err(format!("the archive is larger than {} MiB", MAX_SIZE >> 20));
        }
        sha256.update(&bytes);
        file.write_all(&bytes).map_err(cannot_write)?;
    }
    Ok(hex::encode(sha256.finalize()))
}

/// Extracts the program from an archive.
fn unpack(archive: &Path, target: &Path) -> io::Result<()> {
    let mut archive = tar::Archive::new(GzDecoder::new(File::open(archive)?));
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.path()? == Path::new(PROGRAM) {
            // Preserves the permission to execute the file.
            return entry.unpack(target).map(drop);
        }
    }
    Err(io::Error::new(
        io::ErrorKind::NotFound,
        format!("it has no file `{PROGRAM}`"),
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use axum::{Router, response::Redirect, routing::get};
    use flate2::{Compression, write::GzEncoder};
    use tokio::net::TcpListener;

    use super::*;

    fn archive(name: &str) -> Vec<u8> {
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
        for (name, text) in [("LICENSE", "text"), (name, "#!/bin/sh\n")] {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o755);
            tar.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    /// Downloads an archive that another digest may be expected of. Returns the result and the names of the files.
    async fn download(
        bytes: Vec<u8>,
        sha256: &str,
    ) -> (Result<PathBuf, String>, Vec<String>, tempfile::TempDir) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/cli", listener.local_addr().unwrap());
        let site = Router::new()
            .route(
                "/cli",
                get(|| async { Redirect::temporary("/assets/cli.tar.gz") }),
            )
            .route("/assets/cli.tar.gz", get(|| async { bytes }));
        tokio::spawn(async move { axum::serve(listener, site).await });
        let directory = tempfile::tempdir().unwrap();
        let result = download_from(&client().unwrap(), &url, sha256, directory.path()).await;
        let files = std::fs::read_dir(&directory).unwrap();
        let files = files.map(|file| file.unwrap().file_name().display().to_string());
        (result, files.collect(), directory)
    }

    #[tokio::test]
    async fn a_verified_archive_is_unpacked() {
        let bytes = archive(PROGRAM);
        let sha256 = hex::encode(Sha256::digest(&bytes));
        let (program, _, _directory) = download(bytes, &sha256).await;
        let program = program.unwrap();
        assert_eq!(std::fs::read_to_string(&program).unwrap(), "#!/bin/sh\n");
        let mode = program.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{mode:o}");
    }

    #[tokio::test]
    async fn an_archive_with_another_digest_is_not_unpacked() {
        let bytes = archive(PROGRAM);
        let expected = Archive::for_this_machine().unwrap().sha256;
        let found = hex::encode(Sha256::digest(&bytes));
        let (program, files, _directory) = download(bytes, expected).await;
        let error = program.unwrap_err();
        assert_eq!(
            error,
            format!("the archive has SHA-256 {found}, expected {expected}")
        );
        assert_eq!(files, ["archive.tar.gz"]);
    }

    #[tokio::test]
    async fn an_archive_without_the_program_is_an_error() {
        let bytes = archive("other");
        let sha256 = hex::encode(Sha256::digest(&bytes));
        let (program, ..) = download(bytes, &sha256).await;
        let error = program.unwrap_err();
        assert!(error.contains("no file `temporal`"), "{error}");
    }
}
