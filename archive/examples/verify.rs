//! Verifies the objects of an archive against their receipts.
//!
//! ```sh
//! cargo run -p seedance-archiver-archive --example verify -- s3://bucket/videos --deep
//! ```
//!
//! Credentials come from the store's usual environment variables, such as `AWS_ACCESS_KEY_ID`.

// A command-line program prints its results.
#![allow(clippy::print_stdout)]

use std::process::ExitCode;

use anyhow::Context;
use futures::TryStreamExt;
use seedance_archiver_archive::{Archive, audit};

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().context("usage: verify URL [--deep]")?;
    let is_deep = arguments.any(|argument| argument == "--deep");

    let archive = Archive::open(&url.parse()?)?;
    let mut verified = std::pin::pin!(audit::verify(&archive, None, is_deep));
    let (mut receipts, mut findings) = (0, 0);
    while let Some(receipt) = verified.try_next().await? {
        receipts += 1;
        findings += receipt.findings.len();
        for finding in receipt.findings {
            println!(
                "{}: {} {}",
                finding.receipt, finding.object, finding.problem
            );
        }
    }
    println!("{receipts} receipts verified, {findings} findings");
    Ok(match findings {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}
