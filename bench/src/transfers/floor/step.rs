//! The steps of a transfer.

use std::{fs::File, io::Write, path::PathBuf};

use anyhow::ensure;
use bytes::Bytes;
use reqwest::Client;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::runtime;

use crate::transfers::certificate::Certificate;

/// Bytes that arrive together.
const PIECE_LEN: usize = 64 << 10;
/// Bytes of a part of an upload, the smallest that S3 accepts.
const PART_LEN: usize = 5 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Step {
    Sha256,
    Copy,
    ReceiveHttp,
    ReceiveHttps,
    WriteFile,
    SendHttp,
    SendHttps,
}

/// What the steps work with. Of two URLs, the first is http.
pub(super) struct Setup {
    pub(super) bytes: u64,
    pub(super) certificate: Certificate,
    pub(super) videos: [String; 2],
    pub(super) sinks: [String; 2],
    pub(super) file: PathBuf,
}

impl Step {
    pub(super) const ALL: [Self; 7] = [
        Self::Sha256,
        Self::Copy,
        Self::ReceiveHttp,
        Self::ReceiveHttps,
        Self::WriteFile,
        Self::SendHttp,
        Self::SendHttps,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Copy => "copy into a buffer of 5 MiB",
            Self::ReceiveHttp => "receive over http",
            Self::ReceiveHttps => "receive over https",
            Self::WriteFile => "write to a file, in pieces of 64 KiB",
            Self::SendHttp => "send over http, in parts of 5 MiB",
            Self::SendHttps => "send over https, in parts of 5 MiB",
        }
    }

    /// Does the step for all bytes, on this thread.
    pub(super) fn run(self, setup: &Setup) -> anyhow::Result<()> {
        match self {
            Self::Sha256 => digest(setup.bytes),
            Self::Copy => copy(setup.bytes),
            Self::ReceiveHttp => block_on(receive(setup, &setup.videos[0])),
            Self::ReceiveHttps => block_on(receive(setup, &setup.videos[1])),
            Self::WriteFile => write(setup),
            Self::SendHttp => block_on(send(setup, &setup.sinks[0])),
            Self::SendHttps => block_on(send(setup, &setup.sinks[1])),
        }
    }
}

/// Runs a future without other threads, whose CPU time would be missing.
fn block_on(future: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(future)
}

/// Returns the lengths of the pieces of so many bytes.
fn lengths(bytes: u64, piece: usize) -> impl Iterator<Item = usize> {
    let starts = (0..bytes).step_by(piece);
    starts.map(move |start| (bytes - start).min(piece as u64) as usize)
}

fn digest(bytes: u64) -> anyhow::Result<()> {
    let piece = vec![0x5a; PIECE_LEN];
    let mut sha256 = Sha256::new();
    for len in lengths(bytes, PIECE_LEN) {
        sha256.update(&piece[..len]);
    }
    std::hint::black_box(sha256.finalize());
    Ok(())
}

fn copy(bytes: u64) -> anyhow::Result<()> {
    let piece = vec![0x5a; PIECE_LEN];
    let mut buffer = Vec::with_capacity(PART_LEN);
    for len in lengths(bytes, PIECE_LEN) {
        if buffer.len() + len > PART_LEN {
            std::hint::black_box(&buffer);
            buffer.clear();
        }
        buffer.extend_from_slice(std::hint::black_box(&piece[..len]));
    }
    std::hint::black_box(buffer);
    Ok(())
}

async fn receive(setup: &Setup, url: &str) -> anyhow::Result<()> {
    let client: Client = setup.certificate.client()?;
    let mut response = client.get(url).send().await?.error_for_status()?;
    let mut received = 0;
    while let Some(piece) = response.chunk().await? {
        received += piece.len() as u64;
    }
    ensure!(received == setup.bytes, "received {received} bytes");
    Ok(())
}

fn write(setup: &Setup) -> anyhow::Result<()> {
    // Larger pieces take more CPU time: they leave the cache of the processor before they are written.
    let piece = vec![0x5a; PIECE_LEN];
    let mut file = File::create(&setup.file)?;
    for len in lengths(setup.bytes, PIECE_LEN) {
        file.write_all(&piece[..len])?;
    }
    Ok(file.sync_all()?)
}

async fn send(setup: &Setup, url: &str) -> anyhow::Result<()> {
    let client: Client = setup.certificate.client()?;
    let part = Bytes::from(vec![0x5a; PART_LEN]);
    for len in lengths(setup.bytes, PART_LEN) {
        let request = client.put(url).body(part.slice(..len));
        request.send().await?.error_for_status()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_all_bytes() {
        let lengths: Vec<_> = lengths(2 * PIECE_LEN as u64 + 7, PIECE_LEN).collect();
        assert_eq!(lengths, [PIECE_LEN, PIECE_LEN, 7]);
    }
}
