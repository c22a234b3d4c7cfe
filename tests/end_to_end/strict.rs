//! What the archiver writes as JSON, against a parser that refuses every field it does not know:
//! protobuf's own, in Python. (Go's SDK parses as strictly: see `examples`.)

use std::{path::PathBuf, process::Stdio, sync::Arc};

use anyhow::{Context, ensure};
use prost::Message;
use seedance_archiver_proto::names;
use seedance_archiver_simulator::Script;
use temporalio_client::UntypedWorkflow;
use tokio::{io::AsyncWriteExt, process::Command};

use crate::{
    Suite,
    tools::{Example, in_repository, installed},
    world::{Server, World, read_local},
};

const PACKAGE: &str = "seedance.archiver.v1";

pub(crate) fn tests(suite: Suite) -> Suite {
    suite.test_with(
        "strict::protobuf_knows_every_field_of_a_result",
        Example::Python.is_here(),
        knows_every_field,
    )
}

async fn knows_every_field(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script::default());
    let result = world.run(&server, &id).await?;
    let receipt = result.manifest.context("no receipt")?.manifest_url;

    let descriptors = descriptors()?;
    let parse = |message, json| parse(&descriptors, message, json);
    parse("VideoTaskLifecycleResult", reply(&server, &id).await?).await?;
    parse("Manifest", read_local(&receipt)?).await?;
    let refused = parse("Manifest", br#"{"of_the_future": 1}"#.to_vec()).await;
    ensure!(refused.is_err(), "it is not strict");
    Ok(())
}

/// The result of a lifecycle as it is in the history.
async fn reply(server: &Server, id: &str) -> anyhow::Result<Vec<u8>> {
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

/// The contract, as parsers in other languages read it.
fn descriptors() -> anyhow::Result<tempfile::NamedTempFile> {
    let contract = ["archive", "lifecycle", "task"]
        .map(|file| PathBuf::from(format!("seedance/archiver/v1/{file}.proto")));
    let descriptors = protox::compile(contract, [in_repository("proto")])?;
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(&file, descriptors.encode_to_vec())?;
    Ok(file)
}

async fn parse(
    descriptors: &tempfile::NamedTempFile,
    message: &str,
    json: Vec<u8>,
) -> anyhow::Result<()> {
    let mut parser = Command::new(installed("examples/python/bin/python"))
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
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{message}: {errors}");
    Ok(())
}
