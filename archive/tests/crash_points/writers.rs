//! Two writers of one task's directory: a slow one stalls at its k-th operation, for every k, while another one
//! completes. What the other one wrote stays.

use std::{pin::pin, sync::Arc};

use seedance_archiver_proto::v1::OutcomeRecord;
use serde_json::{Value, json};

use crate::{
    MAX_OPERATIONS,
    failing_store::{FailingStore, FailureMode},
    fixture::{End, Fixture, resources},
};

/// What a writer does.
#[derive(Clone, Copy, Debug)]
enum Writer {
    /// Archives the video.
    Archival,
    /// Records that there is no video.
    Outcome,
}

fn record(status: &str, writer: &str) -> Value {
    json!({ "id": "cgt-1", "status": status, "writer": writer })
}

fn outcome(reason: &str, ended_at: i64) -> OutcomeRecord {
    OutcomeRecord {
        task_id: "cgt-1".into(),
        outcome: "lost".into(),
        reason: reason.into(),
        ended_at,
        ..OutcomeRecord::default()
    }
}

impl Writer {
    async fn write(self, fixture: &Fixture, store: Arc<FailingStore>, name: &str) -> End {
        match self {
            Self::Archival => {
                let record = record("succeeded", name);
                let progress = Fixture::fresh();
                fixture.archive_record(store, &progress, record).await
            }
            Self::Outcome => {
                let outcome = outcome(name, 200);
                let record = record("succeeded", name);
                match fixture.record_outcome(store, record, &outcome).await {
                    Ok(()) => End::Archived(Box::default()),
                    Err(error) => End::Failed(error.to_string()),
                }
            }
        }
    }
}

/// The writer of an outcome died after it wrote one beside a new receipt, and is repeated.
#[tokio::test]
async fn an_outcome_beside_a_receipt_is_deleted() {
    let fixture = Fixture::new(true, &resources()).await;
    let store = || FailingStore::never(&fixture.memory);
    let end = Writer::Archival.write(&fixture, store(), "one").await;
    assert!(matches!(end, End::Archived(_)), "{end:?}");
    fixture.put("outcome.json", b"{}").await;
    let end = Writer::Outcome.write(&fixture, store(), "other").await;
    assert!(matches!(end, End::Archived(_)), "{end:?}");
    fixture.assert_archived("an outcome beside a receipt").await;
}

/// For each operation of the slow writer, lets an archival complete while it stalls. Returns the number of operations.
async fn stall_at_every_operation(
    slow: Writer,
    mode: FailureMode,
    has_conditional_complete: bool,
    has_outcome: bool,
) -> usize {
    let resources = resources();
    for k in 0..MAX_OPERATIONS {
        let fixture = Fixture::new(has_conditional_complete, &resources).await;
        if has_outcome {
            let store = FailingStore::never(&fixture.memory);
            let (record, outcome) = (record("running", "earlier"), outcome("earlier", 100));
            fixture
                .record_outcome(store, record, &outcome)
                .await
                .unwrap();
        }
        let at = format!(
            "{slow:?}, {mode:?} operation {k}, conditional complete: {has_conditional_complete}, \
             earlier outcome: {has_outcome}"
        );
        let store = FailingStore::at(&fixture.memory, k, mode);
        let stall = store.stall();
        let mut slow = pin!(slow.write(&fixture, store, "slow"));
        tokio::select! {
            _ = &mut slow => return k,
            () = stall.reached() => {}
        }
        let never = FailingStore::never(&fixture.memory);
        let fast = Writer::Archival.write(&fixture, never, "fast").await;
        assert!(matches!(fast, End::Archived(_)), "{at}: {fast:?}");
        let (receipt, record) = written(&fixture).await;
        stall.release();
        let slow = slow.await;
        assert!(matches!(slow, End::Archived(_)), "{at}: {slow:?}");
        assert_eq!(written(&fixture).await, (receipt, record), "{at}");
        fixture.assert_archived(&at).await;
        let findings = fixture.findings().await;
        assert!(findings.is_empty(), "{at}: {findings:?}");
    }
    panic!("{slow:?} needs more than {MAX_OPERATIONS} operations");
}

async fn written(fixture: &Fixture) -> (String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        text(fixture.read("manifest.json").await),
        text(fixture.read("task.json").await),
    )
}

#[tokio::test]
async fn a_stalled_writer_changes_nothing_after_the_receipt() {
    for slow in [Writer::Archival, Writer::Outcome] {
        for mode in [FailureMode::StallBefore, FailureMode::StallAfter] {
            for has_conditional_complete in [false, true] {
                for has_outcome in [false, true] {
                    let operations =
                        stall_at_every_operation(slow, mode, has_conditional_complete, has_outcome);
                    assert!(operations.await > 3, "{slow:?}");
                }
            }
        }
    }
}

/// A stalled attempt does not replace the outcome that a later one recorded.
#[tokio::test]
async fn a_later_outcome_stays() {
    let resources = resources();
    for mode in [FailureMode::StallBefore, FailureMode::StallAfter] {
        for has_outcome in [false, true] {
            for k in 0..MAX_OPERATIONS {
                let fixture = Fixture::new(true, &resources).await;
                let never = || FailingStore::never(&fixture.memory);
                if has_outcome {
                    let (record, outcome) = (record("running", "a"), outcome("earlier", 100));
                    let written = fixture.record_outcome(never(), record, &outcome);
                    written.await.unwrap();
                }
                let store = FailingStore::at(&fixture.memory, k, mode);
                let stall = store.stall();
                let (record, later) = (record("failed", "b"), outcome("later", 300));
                let mut slow = pin!(Writer::Outcome.write(&fixture, store, "slow"));
                tokio::select! {
                    _ = &mut slow => break,
                    () = stall.reached() => {}
                }
                let written = fixture.record_outcome(never(), record, &later);
                written.await.unwrap();
                stall.release();
                let slow = slow.await;
                let at = format!("{mode:?} operation {k}: {slow:?}");
                let stored = fixture.read("outcome.json").await;
                let stored: OutcomeRecord = serde_json::from_slice(&stored).unwrap();
                assert_eq!(stored.reason, "later", "{at}");
            }
        }
    }
}

/// A failed attempt is repeated with the same outcome.
#[tokio::test]
async fn an_outcome_that_could_not_be_written_is_completed_by_the_next_attempt() {
    let resources = resources();
    for mode in [FailureMode::ErrorBefore, FailureMode::ErrorAfter] {
        let mut operations = 0;
        for k in 0..MAX_OPERATIONS {
            let fixture = Fixture::new(true, &resources).await;
            let never = || FailingStore::never(&fixture.memory);
            let (queued, earlier) = (record("queued", "a"), outcome("earlier", 100));
            let written = fixture.record_outcome(never(), queued, &earlier);
            written.await.unwrap();
            let store = FailingStore::at(&fixture.memory, k, mode);
            let (running, later) = (record("running", "b"), outcome("later", 200));
            let written = fixture.record_outcome(store.clone(), running.clone(), &later);
            let written = written.await;
            let at = format!("{mode:?} operation {k}: {written:?}");
            assert_eq!(written.is_err(), store.has_failed(), "{at}");
            let again = fixture.record_outcome(never(), running.clone(), &later);
            again.await.unwrap();
            let stored = fixture.read("outcome.json").await;
            let stored: OutcomeRecord = serde_json::from_slice(&stored).unwrap();
            assert_eq!(stored, later, "{at}");
            let stored: Value = serde_json::from_slice(&fixture.read("task.json").await).unwrap();
            assert_eq!(stored, running, "{at}");
            if !store.has_failed() {
                operations = k;
                break;
            }
        }
        assert!(operations > 4, "{mode:?}: {operations} operations");
    }
}

/// How often an archival puts `task.json` while other writers are faster.
const MAX_PUTS: usize = 3;

/// Unfinished records are written before each of the first puts of an archival.
#[tokio::test]
async fn a_receipt_names_the_record_of_a_succeeded_task() {
    let resources = resources();
    for puts in 0..=5 {
        let fixture = Fixture::new(true, &resources).await;
        let store = FailingStore::never(&fixture.memory);
        let stall = store.stall_before_puts(puts);
        let mut archival = pin!(Writer::Archival.write(&fixture, store, "archival"));
        let mut outcomes = 0;
        let end = loop {
            tokio::select! {
                end = &mut archival => break end,
                () = stall.reached() => {}
            }
            outcomes += 1;
            let record = record("running", &outcomes.to_string());
            let outcome = outcome("cancelled_by_caller", outcomes);
            let never = FailingStore::never(&fixture.memory);
            let recorded = fixture.record_outcome(never, record, &outcome);
            recorded.await.unwrap();
            stall.release();
        };
        let at = format!("{puts} puts, {outcomes} outcomes: {end:?}");
        // Each of them replaced the record, so that the archival put its own again.
        assert_eq!(outcomes, puts.min(MAX_PUTS) as i64, "{at}");
        let has_failed = matches!(end, End::Failed(_));
        assert_eq!(has_failed, puts >= MAX_PUTS, "{at}");
        if has_failed {
            assert!(!fixture.has_receipt().await, "{at}");
            let never = FailingStore::never(&fixture.memory);
            let again = Writer::Archival.write(&fixture, never, "again").await;
            assert!(matches!(again, End::Archived(_)), "{at}, {again:?}");
        }
        let stored: Value = serde_json::from_slice(&fixture.read("task.json").await).unwrap();
        assert_eq!(stored["status"], "succeeded", "{at}");
        fixture.assert_archived(&at).await;
    }
}
