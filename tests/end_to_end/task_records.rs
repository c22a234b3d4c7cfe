//! `task.json`: the record that the poll received is archived, without another query.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver_simulator::{RecordDialect, Script};
use serde_json::{Value, json};

use crate::harness::{
    Fixture, Server,
    caller::{call_json, with_worker_and_caller},
    lifecycle::encoded_history,
    register,
};

const SEALED: &str = "sealed-record:v1:";

/// Returns a fixture whose tasks succeed at once, so that the first poll returns.
async fn fixture(server: &Server) -> anyhow::Result<Fixture> {
    let builder = |simulator: seedance_archiver_simulator::Builder| {
        simulator.queued(Duration::ZERO).running(Duration::ZERO)
    };
    Fixture::with(server, builder, |_| {}).await
}

async fn archiving_needs_no_further_query(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = fixture(&server).await?;
    let id = fixture.simulator.create(Script {
        extra: true,
        ..Script::default()
    });
    let result = fixture.run_lifecycle(&server, &id).await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let queries = fixture.simulator.stats(&id).queries;
    ensure!(queries == 1, "{queries} queries");
    check_record(&fixture, &id).await?;
    // In the result of the poll and the input of the transfer, but in no result of the lifecycle.
    let history = encoded_history(&server, &id).await?;
    let records = history.matches(SEALED).count();
    ensure!(records == 2, "{records} sealed records in the history");
    let secrets = [
        "X-Tos-Signature",
        "content_filter",
        fixture.simulator.api_key(),
    ];
    for text in secrets {
        ensure!(!history.contains(text), "{text} is in the history");
    }
    Ok(())
}
register!(archiving_needs_no_further_query);

/// Also the text that parsers refuse, and the record inside the wrappers of a gateway.
async fn an_unusual_record_travels_unchanged(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = fixture(&server).await?;
    for wrapped in [false, true] {
        let id = fixture.simulator.create(Script {
            dialect: Some(RecordDialect::StrictParsersRefuse),
            wrapped,
            ..Script::default()
        });
        let result = fixture.run_lifecycle(&server, &id).await?;
        ensure!(result.outcome == "archived", "{result:?}");
        let queries = fixture.simulator.stats(&id).queries;
        ensure!(queries == 1, "wrapped: {wrapped}: {queries} queries");
        let text = archived_record(&fixture, &id)?;
        // In an envelope, the simulator adds these fields to the envelope.
        let fields = ["\\ud800", "1e400", "12345678901234567890123"];
        let has_fields = fields.iter().all(|field| text.contains(field));
        ensure!(has_fields != wrapped, "wrapped: {wrapped}: {text}");
    }
    Ok(())
}
register!(an_unusual_record_travels_unchanged);

async fn a_record_that_is_too_large_for_history_is_queried(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = fixture(&server).await?;
    let id = fixture.simulator.create(Script {
        dialect: Some(RecordDialect::Large),
        ..Script::default()
    });
    let result = fixture.run_lifecycle(&server, &id).await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let queries = fixture.simulator.stats(&id).queries;
    ensure!(queries == 2, "{queries} queries");
    let history = encoded_history(&server, &id).await?;
    ensure!(!history.contains(SEALED), "a record is in the history");
    check_record(&fixture, &id).await
}
register!(a_record_that_is_too_large_for_history_is_queried);

async fn a_record_that_cannot_be_unsealed_is_queried(server: Arc<Server>) -> anyhow::Result<()> {
    let keys = tempfile::NamedTempFile::new()?;
    std::fs::write(&keys, "old")?;
    let path = keys.path().to_owned();
    let fixture = Fixture::with(
        &server,
        |simulator| simulator.queued(Duration::ZERO).running(Duration::ZERO),
        |account| account.endpoint.seal_keys_file = Some(path),
    );
    let fixture = fixture.await?;
    let [other, id, lost] = [(); 3].map(|()| fixture.simulator.create(Script::default()));
    with_worker_and_caller(&server, &fixture, async {
        let poll = async |id: &str, with_record: bool| {
            let request = json!({"task_id": id, "with_record": with_record});
            call_json(&server, &fixture, "QueryVideoTask", &request).await
        };
        let archive = async |task: &Value, record: &Value| {
            let request = json!({"task": task, "sealed_record": record});
            call_json(&server, &fixture, "ArchiveVideo", &request).await
        };
        let without = poll(&other, false).await?;
        ensure!(without.get("sealed_record").is_none(), "{without:#}");
        let record_of_other = poll(&other, true).await?["sealed_record"].take();
        ensure!(
            record_of_other
                .as_str()
                .is_some_and(|it| it.starts_with(SEALED))
        );

        let task = poll(&id, true).await?;
        archive(&task, &record_of_other).await?;
        ensure!(fixture.simulator.stats(&id).queries == 2, "not queried");

        let task = poll(&lost, true).await?;
        std::fs::write(&keys, "new")?;
        archive(&task, &task["sealed_record"]).await?;
        // One for the record and one for the URL, which was sealed with the same key.
        ensure!(fixture.simulator.stats(&lost).queries == 3, "not queried");
        Ok(())
    })
    .await?;
    check_record(&fixture, &id).await?;
    check_record(&fixture, &lost).await
}
register!(a_record_that_cannot_be_unsealed_is_queried);

/// Checks that the archived record of a task is what the API returns, but for the queries of URLs.
async fn check_record(fixture: &Fixture, id: &str) -> anyhow::Result<()> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let base_url = fixture.simulator.base_url();
    let response = http
        .get(format!("{base_url}/contents/generations/tasks/{id}"))
        .bearer_auth(fixture.simulator.api_key())
        .send()
        .await?;
    let served = response.error_for_status()?.text().await?;
    let parts = served.split('?');
    let parts = parts.enumerate().map(|(number, part)| match number {
        0 => part.to_owned(),
        _ => part.find('"').map_or_else(String::new, |end| {
            format!("?REDACTED{}", part.get(end..).unwrap_or_default())
        }),
    });
    let expected: String = parts.collect();
    let archived = archived_record(fixture, id)?;
    ensure!(archived == expected, "{archived:.4000}\n{expected:.4000}");
    Ok(())
}

fn archived_record(fixture: &Fixture, id: &str) -> anyhow::Result<String> {
    let receipt = fixture.receipt_path(id).context("no receipt")?;
    let receipt = fixture.directory.path().join(receipt);
    Ok(std::fs::read_to_string(
        receipt.with_file_name("task.json"),
    )?)
}
