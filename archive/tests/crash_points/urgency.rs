//! Which archival continues first when several wait.

use futures::future::join;
use parking_lot::Mutex;
use seedance_archiver_archive::Buffers;
use tokio::task::yield_now;

use crate::{
    failing_store::FailingStore,
    fixture::{End, Fixture, PART_SIZE, resources},
    hold::Point,
};

async fn until(mut condition: impl AsyncFnMut() -> bool) {
    while !condition().await {
        yield_now().await;
    }
}

/// There is memory for one transfer. While the store holds the one that came first, three others start.
#[tokio::test]
async fn the_most_urgent_of_the_archivals_that_wait_finishes_first() {
    let mut resources = resources();
    resources.buffers = Buffers::new(1, 8, PART_SIZE);
    let fixture = Fixture::new(true, &resources).await;
    let store = FailingStore::never(&fixture.memory);
    let held = store.hold_at(Point::FirstPart);
    let finished = Mutex::new(Vec::new());
    let archive = async |id: &'static str, hours: i64| {
        let end = fixture.archive_task(store.clone(), id, hours * 3600).await;
        assert!(matches!(end, End::Archived(_)), "{id}: {end:?}");
        finished.lock().push(id);
    };
    let others = async {
        held.reached().await;
        let others = [
            archive("late", 90),
            archive("first", 10),
            archive("next", 50),
        ];
        let others = futures::future::join_all(others);
        let release = async {
            // An archival writes the record of its task before it waits for memory.
            let has_records = async || {
                let keys = fixture.keys().await;
                keys.iter().filter(|key| key.ends_with("task.json")).count() == 4
            };
            until(has_records).await;
            for count in 1..=4 {
                held.release();
                until(async || finished.lock().len() == count).await;
                if count < 4 {
                    held.reached().await;
                }
            }
        };
        join(others, release).await;
    };
    join(archive("held", 100), others).await;
    assert_eq!(finished.into_inner(), ["held", "first", "next", "late"]);
}
