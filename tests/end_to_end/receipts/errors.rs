//! Receipts that cannot be read, output that nobody reads, and empty archives.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
    sync::Arc,
};

use anyhow::ensure;
use object_store::{ObjectStoreExt, path::Path};

use super::archive::{LocalArchive, manifest, parse_csv, receipts};
use crate::harness::{Server, command, proxied_bucket::ProxiedBucket, register, s3_proxy::Dialect};

/// More receipts than a table has rows.
const MANY: usize = 1200;

async fn a_receipt_that_cannot_be_read_does_not_end_the_others(
    _: Arc<Server>,
) -> anyhow::Result<()> {
    let archive = LocalArchive::new()?;
    for id in ["a", "m", "z"] {
        archive.add(&manifest(id))?;
    }
    archive.write("b", "{\"task_id\": \"b")?;
    archive.write("c", "{\"task_id\": \"c\", \"objects\": {\"video.mp4\": 1}}")?;
    archive.write("d", "{\"name\": \"an app\"}")?;
    archive.write("e", &"x".repeat((1 << 20) + 1))?;
    for format in ["table", "csv", "jsonl"] {
        let printed = archive.receipts(&["--output", format]).await?;
        ensure!(printed.code == Some(1), "{:?}", printed.code);
        for problem in [
            "error: default/b/manifest.json is not a receipt: ",
            "error: default/c/manifest.json is not a receipt: ",
            "error: default/d/manifest.json has no task id",
            "error: default/e/manifest.json is not a receipt: it has 1048577 bytes",
            "4 receipts could not be read",
        ] {
            ensure!(
                printed.stderr.contains(problem),
                "{problem}: {}",
                printed.stderr
            );
        }
        let header = match format {
            "table" => 2,
            "csv" => 1,
            _ => 0,
        };
        ensure!(
            printed.stdout.lines().count() == header + 3,
            "{}",
            printed.stdout
        );
    }
    let summary = archive.receipts(&["--summary", "--output", "csv"]).await?;
    let rows = parse_csv(&summary.stdout)?;
    ensure!(summary.code == Some(1) && rows.len() == 2, "{rows:?}");
    ensure!(rows[1]["videos"] == "3", "{rows:?}");
    Ok(())
}
register!(a_receipt_that_cannot_be_read_does_not_end_the_others);

async fn a_denied_receipt_and_a_denied_list_are_reported(_: Arc<Server>) -> anyhow::Result<()> {
    let proxied = ProxiedBucket::start("videos").await?;
    let (bucket, proxy) = (&proxied.bucket, &proxied.proxy);
    let environment = proxied.environment();
    for id in ["a", "created", "z"] {
        let key = Path::from(format!("team-a/default/{id}/manifest.json"));
        let json = serde_json::to_vec(&manifest(id))?;
        bucket.store.put(&key, json.into()).await?;
    }
    proxy.set("default/created/", Dialect::DeniesGet);
    let printed = receipts(&environment, &["--output", "jsonl"]).await?;
    ensure!(printed.code == Some(1), "{:?}", printed.code);
    ensure!(printed.stdout.lines().count() == 2, "{}", printed.stdout);
    let start = "error: team-a/default/created/manifest.json cannot be read: ";
    ensure!(printed.stderr.starts_with(start), "{}", printed.stderr);
    ensure!(printed.stderr.contains("403"), "{}", printed.stderr);
    ensure!(
        printed.stderr.ends_with("1 receipt could not be read\n"),
        "{}",
        printed.stderr
    );

    proxy.set("/videos", Dialect::DeniesList);
    for arguments in [&["--output", "jsonl"][..], &["--summary"]] {
        let printed = receipts(&environment, arguments).await?;
        ensure!(printed.code == Some(1), "{:?}", printed.code);
        ensure!(
            printed.stderr.contains("error: cannot list all receipts: "),
            "{}",
            printed.stderr
        );
        ensure!(
            !printed.stderr.contains("no receipts"),
            "{}",
            printed.stderr
        );
    }
    Ok(())
}
register!(
    a_denied_receipt_and_a_denied_list_are_reported,
    needs = [minio]
);

/// The last receipt would be reported if the command read all of them.
async fn the_command_ends_when_nobody_reads(_: Arc<Server>) -> anyhow::Result<()> {
    let archive = LocalArchive::new()?;
    for number in 0..MANY {
        archive.add(&manifest(&format!("cgt-{number:04}")))?;
    }
    archive.write("z", "{")?;
    for format in ["table", "csv", "jsonl"] {
        let all = archive.receipts(&["--output", format]).await?;
        ensure!(
            all.code == Some(1) && all.stderr.contains("default/z/"),
            "{}",
            all.stderr
        );
        let (reader, writer) = std::io::pipe()?;
        let mut receipts = command();
        receipts
            .args(["receipts", "--output", format])
            .env("SEEDANCE_ARCHIVE_URL", archive.url())
            .stdout(writer)
            .stderr(Stdio::piped());
        let process = receipts.spawn()?;
        // Closes this process's end of the pipe.
        drop(receipts);
        let mut line = String::new();
        BufReader::with_capacity(1, reader).read_line(&mut line)?;
        ensure!(!line.is_empty(), "nothing was printed");
        let output = process.wait_with_output().await?;
        let stderr = String::from_utf8(output.stderr)?;
        ensure!(
            output.status.success() && stderr.is_empty(),
            "{format}: {stderr}"
        );
    }
    Ok(())
}
register!(the_command_ends_when_nobody_reads);

async fn an_empty_archive_has_no_receipts(_: Arc<Server>) -> anyhow::Result<()> {
    let archive = LocalArchive::new()?;
    std::fs::write(archive.path().join("note.txt"), "not a receipt")?;
    let message = format!("no receipts in {}\n", archive.url());
    for (arguments, lines) in [
        (&[][..], 0),
        (&["--output", "csv"], 1),
        (&["--output", "jsonl"], 0),
        (&["--summary"], 0),
        (&["--summary", "--output", "csv"], 2),
        (&["--summary", "--output", "jsonl"], 1),
    ] {
        let printed = archive.receipts(arguments).await?;
        ensure!(printed.code == Some(0), "{:?}", printed.code);
        ensure!(printed.stderr == message, "{}", printed.stderr);
        ensure!(
            printed.stdout.lines().count() == lines,
            "{}",
            printed.stdout
        );
    }
    Ok(())
}
register!(an_empty_archive_has_no_receipts);

async fn bad_arguments_are_rejected(_: Arc<Server>) -> anyhow::Result<()> {
    let archive = LocalArchive::new()?;
    for (arguments, code, message) in [
        (&["--since", "soon"][..], 2, "must be a duration such as"),
        (
            &["--output", "text"],
            2,
            "[possible values: table, csv, jsonl]",
        ),
        (&["--account", "a/b"], 1, "error: --account "),
        (&["all"], 2, "unexpected argument 'all'"),
    ] {
        let printed = archive.receipts(arguments).await?;
        ensure!(
            printed.code == Some(code),
            "{arguments:?}: {:?}",
            printed.code
        );
        ensure!(printed.stderr.contains(message), "{}", printed.stderr);
        ensure!(printed.stdout.is_empty(), "{}", printed.stdout);
    }
    let unset = receipts(&[], &[]).await?;
    ensure!(unset.code == Some(78), "{:?}", unset.code);
    let named = unset.stderr.contains("SEEDANCE_ARCHIVE_URL");
    ensure!(named, "{}", unset.stderr);
    Ok(())
}
register!(bad_arguments_are_rejected);
