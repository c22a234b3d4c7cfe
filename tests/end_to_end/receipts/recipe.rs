//! The commands and queries of `docs/receipts.md`, as written, on a bucket.

use std::{collections::HashMap, path::Path, process::Stdio, sync::Arc};

use anyhow::{Context, anyhow, ensure};
use object_store::{ObjectStoreExt, path::Path as Key};
use seedance_archiver_proto::v1::{Manifest, ObjectCheck};
use seedance_archiver_simulator::Script;
use serde_json::json;
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt, process::Command};

use super::archive::{manifest, parse_csv};
use crate::harness::{
    Fixture, Server,
    minio::{Bucket, Minio},
    register, shell, tools,
};

const PAGE: &str = include_str!("../../../docs/receipts.md");
/// The archive of the page.
const ARCHIVE: &str = "s3://bucket/prefix";
/// The part of a query that depends on where the credentials are.
const CREDENTIALS: &str = "PROVIDER credential_chain, REGION 'eu-central-1'";

async fn every_command_and_query_works_as_written(server: Arc<Server>) -> anyhow::Result<()> {
    let minio = Minio::start(tools::minio()?).await?;
    let bucket = minio.new_bucket("bucket")?;
    let archived = archive_video(&server, &bucket).await?;
    let warned = add_receipts(&bucket).await?;
    let page = Page::new(&minio)?;

    let [table, summary, csv, jsonl] = page.run_commands().await?;
    ensure!(
        table.contains(&archived.task_id) && table.contains(&warned),
        "{table}"
    );
    ensure!(summary.contains("total"), "{summary}");
    ensure!(csv.is_empty() && jsonl.is_empty(), "{csv}{jsonl}");

    let queries: [_; 7] = blocks("sql").try_into().map_err(|it| anyhow!("{it:?}"))?;
    let [
        secret,
        view,
        by_month,
        warnings,
        prompts,
        from_csv,
        from_jsonl,
    ] = queries;
    let from_bucket = [page.with_credentials(secret)?, view.to_owned()].concat();
    let tokens = archived.usage.as_ref().context("no usage")?.total_tokens;

    let rows = page.query(&format!("{from_bucket}{by_month}")).await?;
    let months: Vec<_> = rows.iter().map(|row| row["month"].as_str()).collect();
    ensure!(months.len() == 2 && months[0] == "2026-08", "{rows:?}");
    ensure!(
        rows[0]["videos"] == "2" && rows[0]["tokens"] == "120",
        "{rows:?}"
    );
    ensure!(rows[1]["tokens"] == tokens.to_string(), "{rows:?}");

    let rows = page.query(&format!("{from_bucket}{warnings}")).await?;
    ensure!(rows.len() == 1 && rows[0]["task_id"] == warned, "{rows:?}");
    ensure!(
        rows[0]["check"] == "duration" && rows[0]["found"] == "6.292 s",
        "{rows:?}"
    );

    let rows = page.query(&format!("{from_bucket}{prompts}")).await?;
    let prompt = |id: &str| rows.iter().find(|row| row["task_id"] == id);
    let prompt = prompt(&warned).context("no prompt")?;
    ensure!(prompt["revised_prompt"] == "a kite, \"red\"", "{rows:?}");
    ensure!(rows.len() == 2, "{rows:?}");

    let rows = page.query(from_csv).await?;
    ensure!(
        rows[0]["month"] == "2026-08" && rows[0]["bytes"] == "14000000",
        "{rows:?}"
    );
    let rows = page.query(from_jsonl).await?;
    ensure!(rows.len() == 1 && rows[0]["videos"] == "3", "{rows:?}");
    Ok(())
}
register!(
    every_command_and_query_works_as_written,
    needs = [minio, duckdb]
);

/// Archives a video with a worker.
async fn archive_video(server: &Server, bucket: &Bucket) -> anyhow::Result<Manifest> {
    let fixture = Fixture::new(server).await?;
    let mut environment = bucket.environment();
    environment.push(("SEEDANCE_ARCHIVE_URL", ARCHIVE));
    let _worker = fixture.spawn_worker_with(server, &environment)?;
    let id = fixture.simulator.create(Script::default());
    let lifecycle = fixture.start_lifecycle(server, &id).await?;
    lifecycle.result().await?.manifest.context("no receipt")
}

/// Adds a receipt without usage and one with a warning, whose task has a prompt. Returns the task id of the latter.
async fn add_receipts(bucket: &Bucket) -> anyhow::Result<String> {
    let august = |id: &str| Manifest {
        task_updated_at: 1_787_869_695,
        ..manifest(id)
    };
    let mut warned = august("cgt-warned");
    warned.objects[0].checks.push(ObjectCheck {
        name: "duration".to_owned(),
        result: "warning".to_owned(),
        expected: "5 s".to_owned(),
        found: "6.292 s".to_owned(),
    });
    let without_usage = Manifest {
        usage: None,
        ..august("cgt-without-usage")
    };
    for receipt in [&warned, &without_usage] {
        let json = serde_json::to_vec_pretty(receipt)?;
        put(bucket, &receipt.task_id, "manifest.json", json).await?;
    }
    let record = json!({"id": warned.task_id, "revised_prompt": "a kite, \"red\""});
    put(
        bucket,
        &warned.task_id,
        "task.json",
        record.to_string().into(),
    )
    .await?;
    Ok(warned.task_id)
}

async fn put(bucket: &Bucket, id: &str, name: &str, json: Vec<u8>) -> anyhow::Result<()> {
    let key = Key::from(format!("prefix/default/2026/08/27/{id}/{name}"));
    bucket.store.put(&key, json.into()).await?;
    Ok(())
}

/// Returns the blocks of code in a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let start = format!("```{language}\n");
    let blocks = PAGE.split(start.as_str()).skip(1);
    blocks
        .filter_map(|rest| Some(rest.split_once("```")?.0))
        .collect()
}

/// A directory in which the page is followed.
struct Page {
    directory: TempDir,
    environment: HashMap<&'static str, String>,
}

impl Page {
    fn new(minio: &Minio) -> anyhow::Result<Self> {
        Ok(Self {
            directory: tempfile::tempdir()?,
            environment: minio.environment().into(),
        })
    }

    /// Runs the commands, each with the variable that the first line sets, and returns what they print.
    async fn run_commands(&self) -> anyhow::Result<[String; 4]> {
        let [block] = blocks("sh").try_into().map_err(|it| anyhow!("{it:?}"))?;
        let (export, commands) = block.split_once('\n').context("only one line")?;
        ensure!(
            export == format!("export SEEDANCE_ARCHIVE_URL={ARCHIVE}"),
            "{export}"
        );
        let mut printed = Vec::new();
        for command in commands.lines() {
            let program = env!("CARGO_BIN_EXE_seedance-archiver");
            let line = command.replacen("seedance-archiver", program, 1);
            let output = shell(&format!("{export}; {line}"))
                .envs(&self.environment)
                .current_dir(&self.directory)
                .output()
                .await?;
            ensure!(output.status.success(), "{command}: {output:?}");
            printed.push(String::from_utf8(output.stdout)?);
        }
        printed.try_into().map_err(|it| anyhow!("{it:?}"))
    }

    /// Replaces the credentials of AWS by those of the server.
    fn with_credentials(&self, secret: &str) -> anyhow::Result<String> {
        ensure!(secret.contains(CREDENTIALS), "{secret}");
        let endpoint = self.environment["AWS_ENDPOINT"].trim_start_matches("http://");
        let credentials = format!(
            "KEY_ID '{}', SECRET '{}', ENDPOINT '{endpoint}', URL_STYLE 'path', USE_SSL false",
            self.environment["AWS_ACCESS_KEY_ID"], self.environment["AWS_SECRET_ACCESS_KEY"],
        );
        // The result would precede the rows.
        let quiet = format!(".mode trash\n{secret}.mode csv\n");
        Ok(quiet.replace(CREDENTIALS, &credentials))
    }

    /// Runs queries with DuckDB, and returns the rows of the last one.
    async fn query(&self, sql: &str) -> anyhow::Result<Vec<HashMap<String, String>>> {
        let installed = tools::duckdb()?;
        let mut duckdb = duckdb(&installed)
            .current_dir(&self.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stdin = duckdb.stdin.take().context("no stdin")?;
        stdin.write_all(sql.as_bytes()).await?;
        drop(stdin);
        let output = duckdb.wait_with_output().await?;
        let is_quiet = output.status.success() && output.stderr.is_empty();
        ensure!(is_quiet, "{sql}: {output:?}");
        parse_csv(&String::from_utf8(output.stdout)?)
    }
}

fn duckdb(installed: &Path) -> Command {
    let mut duckdb = Command::new(installed.join("bin/duckdb"));
    duckdb
        .args(["-batch", "-bail", "-csv"])
        .env("HOME", installed.join("home"));
    duckdb
}
