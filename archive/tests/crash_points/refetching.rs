//! What a process downloads again after another one crashed: less than a part beyond what the store had confirmed.

use crate::{
    FAILURES, MAX_OPERATIONS,
    failing_store::{FailingStore, FailureMode},
    fixture::{End, Fixture, PART_SIZE, resources},
};

/// Crashes or fails at each operation in turn. Returns the number of operations.
async fn crash_at_every_operation(has_conditional_complete: bool, mode: FailureMode) -> usize {
    let resources = resources();
    for k in 0..MAX_OPERATIONS {
        let fixture = Fixture::new(has_conditional_complete, &resources).await;
        let store = FailingStore::at(&fixture.memory, k, mode);
        let progress = Fixture::fresh();
        fixture.archive(store.clone(), &progress).await;
        if !store.has_failed() {
            return k;
        }
        let size = fixture.host.video().len();
        let confirmed = size.min(store.confirmed_parts() * PART_SIZE);
        let served = fixture.host.served_bytes();
        let at =
            format!("operation {k}, {mode:?}, conditional complete: {has_conditional_complete}");
        assert!(served <= size, "{at}: {served} bytes downloaded at once");
        if confirmed == size {
            // No URL is needed any more.
            fixture.host.fail_after(0);
        }
        let again = fixture
            .archive(
                FailingStore::never(&fixture.memory),
                &Fixture::resumed(&progress),
            )
            .await;
        assert!(matches!(again, End::Archived(_)), "{at}: {again:?}");
        let downloaded = fixture.host.served_bytes() - served;
        assert!(
            downloaded < size - confirmed + PART_SIZE,
            "{at}: {downloaded} bytes downloaded, although {confirmed} of {size} were stored"
        );
        if confirmed == size {
            assert_eq!(downloaded, 0, "{at}: all bytes were stored");
        }
    }
    panic!("the archival needs more than {MAX_OPERATIONS} operations");
}

#[tokio::test]
async fn only_what_the_store_did_not_confirm_is_downloaded_again() {
    for has_conditional_complete in [false, true] {
        for mode in FAILURES {
            let operations = crash_at_every_operation(has_conditional_complete, mode).await;
            assert!(operations > 10, "{operations}");
        }
    }
}

/// The store accepts no write from one of the operations on. Later attempts find it so, and then the URL stops working if
/// all parts were stored. Returns the number of operations.
async fn refuse_writes_from_every_operation(has_conditional_complete: bool) -> usize {
    const ATTEMPTS: usize = 5;
    let resources = resources();
    for k in 0..MAX_OPERATIONS {
        let at = format!("operation {k}, conditional complete: {has_conditional_complete}");
        let fixture = Fixture::new(has_conditional_complete, &resources).await;
        let store = FailingStore::at(&fixture.memory, k, FailureMode::ReadOnly);
        let mut progress = Fixture::fresh();
        let end = fixture.archive(store.clone(), &progress).await;
        if let End::Failed(error) = &end {
            assert!(error.contains("the store is down"), "{at}: {error}");
        }
        if !store.has_failed() {
            return k;
        }
        let size = fixture.host.video().len();
        let is_stored = store.confirmed_parts() * PART_SIZE >= size;
        let served = fixture.host.served_bytes();
        for _ in 0..ATTEMPTS {
            progress = Fixture::resumed(&progress);
            let store = FailingStore::at(&fixture.memory, 0, FailureMode::ReadOnly);
            fixture.retry(store, &progress).await;
        }
        let downloaded = fixture.host.served_bytes() - served;
        assert_eq!(
            downloaded, 0,
            "{at}: downloaded although it cannot be stored"
        );
        if is_stored {
            fixture.host.fail_after(0);
        }
        let store = FailingStore::never(&fixture.memory);
        let end = fixture.retry(store, &Fixture::resumed(&progress)).await;
        assert!(matches!(end, End::Archived(_)), "{at}: {end:?}");
        fixture.assert_archived_once(&at).await;
    }
    panic!("the archival needs more than {MAX_OPERATIONS} operations");
}

#[tokio::test]
async fn a_store_that_accepts_no_writes_costs_no_download_and_no_upload() {
    for has_conditional_complete in [false, true] {
        let operations = refuse_writes_from_every_operation(has_conditional_complete).await;
        assert!(operations > 5, "{operations}");
    }
}
