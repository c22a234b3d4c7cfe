//! Erasures that fail at the k-th operation, for every k, and archivals that run meanwhile. In the end, an erased task has
//! a tombstone and nothing else.

use std::{future::Future, pin::pin, sync::Arc};

use crate::{
    FAILURES, MAX_OPERATIONS,
    failing_store::{FailingStore, FailureMode},
    fixture::{End, Fixture, resources},
};

const STALLS: [FailureMode; 2] = [FailureMode::StallBefore, FailureMode::StallAfter];

async fn archived(has_conditional_complete: bool) -> Fixture {
    let fixture = Fixture::new(has_conditional_complete, &resources()).await;
    let end = archive(&fixture).await;
    assert!(matches!(end, End::Archived(_)), "{end:?}");
    fixture
}

async fn archive(fixture: &Fixture) -> End {
    let never = FailingStore::never(&fixture.memory);
    fixture.archive(never, &Fixture::fresh()).await
}

async fn erase(fixture: &Fixture) -> End {
    fixture.erase(FailingStore::never(&fixture.memory)).await
}

fn assert_refused(end: &End, at: &str) {
    let is_refused = |error: &str| error.contains("the task was erased at ");
    assert!(
        matches!(end, End::Failed(error) if is_refused(error)),
        "{at}: {end:?}"
    );
}

#[tokio::test]
async fn an_interrupted_erasure_is_completed_by_the_next_one() {
    for mode in FAILURES {
        let mut operations = 0;
        for k in 0..MAX_OPERATIONS {
            let fixture = archived(true).await;
            for name in ["outcome.json", "manifest.json.invalid-0083af14"] {
                fixture.put(name, b"{}").await;
            }
            let store = FailingStore::at(&fixture.memory, k, mode);
            let end = fixture.erase(store.clone()).await;
            let at = format!("{mode:?} operation {k}: {end:?}");
            if let End::Failed(error) = &end {
                assert!(error.contains("the store is down"), "{at}");
            }
            let keys = fixture.keys().await;
            let has_tombstone = keys.iter().any(|key| key.ends_with("/erased.json"));
            if !has_tombstone {
                assert_eq!(
                    keys.len(),
                    5,
                    "{at}: deleted before the tombstone: {keys:?}"
                );
            }
            // Otherwise nobody would find the task again.
            assert!(
                fixture.has_receipt().await || keys.len() == 1,
                "{at}: the receipt was not the last object: {keys:?}"
            );
            let has_record = keys.iter().any(|key| key.ends_with("/task.json"));
            assert!(
                has_record || keys.len() <= 2,
                "{at}: the record was not the last object before the receipt: {keys:?}"
            );
            let findings = fixture.all_findings().await;
            let is_reported = findings.iter().any(|it| it.object == "erased.json");
            assert_eq!(
                is_reported,
                has_tombstone && keys.len() > 1,
                "{at}: {findings:?}"
            );
            assert!(findings.len() <= 1, "{at}: {findings:?}");
            let again = erase(&fixture).await;
            assert!(matches!(again, End::Archived(_)), "{at}: {again:?}");
            fixture.assert_erased(&at).await;
            assert_refused(&archive(&fixture).await, &at);
            fixture.assert_erased(&at).await;
            if !store.has_failed() {
                operations = k;
                break;
            }
        }
        assert!(operations >= 6, "{mode:?}: {operations} operations");
    }
}

/// For each operation of a slow process, runs a fast one while it stalls. Afterwards, the archive has only the tombstone.
async fn stall_at_every_operation<'a, S, F>(
    mode: FailureMode,
    fixture: impl AsyncFn() -> Arc<Fixture>,
    slow: S,
    fast: F,
) where
    S: Fn(Arc<Fixture>, Arc<FailingStore>) -> std::pin::Pin<Box<dyn Future<Output = End> + 'a>>,
    F: AsyncFn(&Fixture),
{
    for k in 0..MAX_OPERATIONS {
        let fixture = fixture().await;
        let store = FailingStore::at(&fixture.memory, k, mode);
        let stall = store.stall();
        let mut slow = pin!(slow(fixture.clone(), store));
        tokio::select! {
            _ = &mut slow => {
                assert!(k > 3, "{mode:?}: {k} operations");
                return;
            }
            () = stall.reached() => {}
        }
        fast(&fixture).await;
        stall.release();
        let end = slow.await;
        let at = format!("{mode:?} operation {k}: {end:?}");
        assert!(!matches!(end, End::Crashed), "{at}");
        fixture.assert_erased(&at).await;
        assert_refused(&archive(&fixture).await, &at);
    }
    panic!("more than {MAX_OPERATIONS} operations");
}

#[tokio::test]
async fn an_archival_that_an_erasure_overtakes_leaves_nothing() {
    let resources = resources();
    for mode in STALLS {
        for has_conditional_complete in [false, true] {
            let fixture =
                async || Arc::new(Fixture::new(has_conditional_complete, &resources).await);
            let slow = |fixture: Arc<Fixture>, store| {
                let archival = async move { fixture.archive(store, &Fixture::fresh()).await };
                Box::pin(archival) as _
            };
            // Another attempt archives the video, and the erasure finds its receipt.
            let fast = async |fixture: &Fixture| {
                let archived = archive(fixture).await;
                assert!(matches!(archived, End::Archived(_)), "{archived:?}");
                let erased = erase(fixture).await;
                assert!(matches!(erased, End::Archived(_)), "{erased:?}");
            };
            stall_at_every_operation(mode, fixture, slow, fast).await;
        }
    }
}

#[tokio::test]
async fn an_erasure_deletes_what_an_archival_wrote_meanwhile() {
    for mode in STALLS {
        for has_conditional_complete in [false, true] {
            let fixture = async || Arc::new(archived(has_conditional_complete).await);
            let slow = |fixture: Arc<Fixture>, store| {
                Box::pin(async move { fixture.erase(store).await }) as _
            };
            // Returns the receipt, or sees the tombstone.
            let fast = async |fixture: &Fixture| drop(archive(fixture).await);
            stall_at_every_operation(mode, fixture, slow, fast).await;
        }
    }
}

/// The attempt dies after it wrote the receipt that the erasure did not see. The next attempt deletes it.
#[tokio::test]
async fn the_next_attempt_deletes_what_a_dead_one_wrote_after_the_erasure() {
    for mode in [FailureMode::Before, FailureMode::After] {
        for k in 0..MAX_OPERATIONS {
            let fixture = Fixture::new(true, &resources()).await;
            let store = FailingStore::at(&fixture.memory, k, mode);
            let end = fixture.archive(store, &Fixture::fresh()).await;
            let at = format!("{mode:?} operation {k}: {end:?}");
            fixture.put_tombstone().await;
            assert_refused(&archive(&fixture).await, &at);
            fixture.assert_erased(&at).await;
            if matches!(end, End::Archived(_)) {
                break;
            }
        }
    }
}
