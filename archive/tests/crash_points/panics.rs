//! A check that panics on the state from which it resumes.

use seedance_archiver_archive::Progress;
use serde_json::json;

use crate::{
    failing_store::FailingStore,
    fixture::{End, Fixture, resources},
    host,
};

/// Number of attempts that may resume from one checkpoint.
const MAX_TRIES: usize = 3;

/// Returns the progress with a state of the checks that panics when the next byte is counted, as in all tests: with checks
/// for overflow.
fn with_panicking_checks(progress: &Progress) -> Progress {
    let mut state = serde_json::to_value(progress.state()).unwrap();
    let position = &mut state["checkpoint"]["checks"]["scanner"]["position"];
    assert!(position.is_u64(), "{position}");
    *position = json!(u64::MAX);
    Progress::resume(serde_json::from_value(state).unwrap())
}

#[tokio::test]
async fn a_transfer_whose_restored_checks_panic_starts_over() {
    let fixture = Fixture::new(true, &resources()).await;
    fixture.host.fail_after(host::CHUNKS - 2);
    let store = || FailingStore::never(&fixture.memory);
    let progress = Fixture::fresh();
    let end = fixture.archive(store(), &progress).await;
    assert!(matches!(end, End::Failed(_)), "{end:?}");
    fixture.host.recover();
    let mut progress = with_panicking_checks(&progress);
    for attempt in 0..MAX_TRIES {
        match fixture.archive(store(), &progress).await {
            End::Failed(error) => assert!(error.contains("panicked"), "{attempt}: {error}"),
            end => panic!("{attempt}: {end:?}"),
        }
        progress = Fixture::resumed(&progress);
    }
    let end = fixture.archive(store(), &progress).await;
    assert!(matches!(end, End::Archived(_)), "{end:?}");
    fixture.assert_archived_once("after panics").await;
}
