//! Results and receipts as JSON, parsed by the Python protobuf library, which rejects unknown fields. The
//! parser of the Go SDK is as strict; the Go example covers it.

use std::{process::Stdio, sync::Arc};

use anyhow::{Context, ensure};
use seedance_archiver_proto::names;
use seedance_archiver_simulator::Script;
use temporalio_client::UntypedWorkflow;
use tokio::{io::AsyncWriteExt, process::Command};

use crate::harness::{
    Fixture, Server, read_local, register,
    tools::{in_repository, python_example},
};

const PACKAGE: &str = "seedance.archiver.v1";

async fn the_contract_defines_every_field_of_a_result(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let result = fixture.run_lifecycle(&server, &id).await?;
    let receipt = result.manifest.context("no receipt")?.manifest_url;

    let descriptors = tempfile::NamedTempFile::new()?;
    std::fs::write(&descriptors, seedance_archiver_proto::FILE_DESCRIPTOR_SET)?;
    let parse = |message, json| parse(&descriptors, message, json);
    parse(
        "VideoTaskLifecycleResult",
        stored_result(&server, &id).await?,
    )
    .await?;
    parse("Manifest", read_local(&receipt)?).await?;
    let rejected = parse("Manifest", br#"{"of_the_future": 1}"#.to_vec()).await;
    ensure!(rejected.is_err(), "the parser accepts unknown fields");
    Ok(())
}
register!(
    the_contract_defines_every_field_of_a_result,
    needs = [python_example]
);

/// Returns the JSON result of a lifecycle, as stored in the history.
async fn stored_result(server: &Server, id: &str) -> anyhow::Result<Vec<u8>> {
    let workflow_id = names::lifecycle_workflow_id("", id);
    let lifecycle = server
        .client
        .get_workflow_handle::<UntypedWorkflow>(workflow_id);
    let result = lifecycle.get_result(Default::default()).await?;
    let payload = result.payloads.into_iter().next().context("no payload")?;
    let encoding = payload.metadata.get("encoding").context("no encoding")?;
    ensure!(encoding.starts_with(b"json/"), "{payload:?}");
    Ok(payload.data)
}

/// Parses JSON as a message of the contract.
async fn parse(
    descriptors: &tempfile::NamedTempFile,
    message: &str,
    json: Vec<u8>,
) -> anyhow::Result<()> {
    let mut parser = Command::new(python_example()?)
        .arg(in_repository("tests/strict_json.py"))
        .arg(descriptors.path())
        .arg(format!("{PACKAGE}.{message}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut input = parser.stdin.take().context("no stdin")?;
    input.write_all(&json).await?;
    drop(input);
    let output = parser.wait_with_output().await?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{message}: {stderr}");
    Ok(())
}
