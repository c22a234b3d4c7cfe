//! What a sweep skips is counted.

use std::sync::Arc;

use anyhow::ensure;
use seedance_archiver_simulator::{ListDialect, Script};
use serde_json::Value;

use super::outcome_file;
use crate::harness::{
    Server, register,
    sweeps::{self, fixture, sweep_command},
};

async fn an_item_that_cannot_be_read_is_counted(server: Arc<Server>) -> anyhow::Result<()> {
    let (fixture, account) = fixture(&server, |_| {}).await?;
    for _ in 0..2 {
        fixture.simulator.create(Script::default());
    }
    fixture
        .simulator
        .set_list_dialect(Some(ListDialect::UnreadableItem));
    let output = fixture
        .with_worker(&server, async {
            let mut sweep = sweep_command(&fixture, &server, &account);
            Ok(sweep.args(["--output", "json"]).output().await?)
        })
        .await?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout)?;
    ensure!(
        report["listed"] == 1 && report["skipped"] == 1 && report["incomplete_lists"] == 0,
        "{report}"
    );
    Ok(())
}
register!(an_item_that_cannot_be_read_is_counted);

/// A loop of symbolic links stands for any object that the store cannot read. The delays between the attempts are those of
/// Temporal.
async fn a_task_whose_receipt_cannot_be_read_is_counted(server: Arc<Server>) -> anyhow::Result<()> {
    let (fixture, account) = fixture(&server, |_| {}).await?;
    let unreadable = fixture.simulator.create(Script::default());
    fixture.simulator.create(Script::default());
    let outcome = outcome_file(&fixture, &account, &unreadable).await?;
    let receipt = outcome.with_file_name("manifest.json");
    std::os::unix::fs::symlink(&receipt, &receipt)?;
    let swept = fixture
        .with_worker(&server, sweeps::run(&fixture, &server, &account))
        .await?;
    ensure!(swept.listed == 1 && swept.skipped == 1, "{swept:?}");
    Ok(())
}
register!(a_task_whose_receipt_cannot_be_read_is_counted, takes_long);
