//! A store that is busy.

use crate::{
    MAX_OPERATIONS,
    failing_store::{FailingStore, FailureMode},
    fixture::{End, Fixture, resources},
};

/// The requests of parts time out while the store receives another part: they are sent again, one after the other.
#[tokio::test]
async fn a_busy_store_fails_no_attempt() {
    let resources = resources();
    for has_conditional_complete in [false, true] {
        let fixture = Fixture::new(has_conditional_complete, &resources).await;
        let store = FailingStore::at(&fixture.memory, MAX_OPERATIONS, FailureMode::Busy);
        let end = fixture.archive(store.clone(), &Fixture::fresh()).await;
        assert!(matches!(end, End::Archived(_)), "{end:?}");
        assert!(store.refused_parts() > 0);
        assert_eq!(fixture.memory.started_uploads(), 1);
        assert_eq!(fixture.host.served_bytes(), fixture.host.video().len());
        fixture.assert_archived_once("busy").await;
    }
}
