//! The number of parts is limited to 10,000, so the parts of a large object are larger. Here, a buffer has a few bytes.

use seedance_archiver_archive::{Buffers, TransferResources};

use crate::{
    failing_store::FailingStore,
    fixture::{End, Fixture, resources},
    host::CHUNK_SIZE,
};

const BUFFER_SIZE: usize = 64;
const MAX_PARTS: usize = 10_000;
/// Padding of a video that is too large for parts of one buffer.
const PADDING: u32 = (MAX_PARTS * BUFFER_SIZE) as u32;

fn with_buffers_of(size: usize) -> TransferResources {
    TransferResources {
        buffers: Buffers::new(1, 8, size),
        ..resources()
    }
}

#[tokio::test]
async fn a_large_object_has_larger_parts_which_another_process_continues() {
    let mut fixture = Fixture::with_padding(PADDING, true, &with_buffers_of(BUFFER_SIZE)).await;
    let size = fixture.host.video().len();
    fixture.host.fail_after(size / CHUNK_SIZE / 2);
    let store = FailingStore::never(&fixture.memory);
    let progress = Fixture::fresh();
    let end = fixture.archive(store.clone(), &progress).await;
    assert!(matches!(end, End::Failed(_)), "{end:?}");
    let before = fixture.memory.incomplete_parts();
    assert!(before > 100, "{before}");
    fixture.host.recover();
    // Other memory, in which one buffer and a half are a part.
    fixture.set_resources(with_buffers_of(96));
    let end = fixture.archive(store, &Fixture::resumed(&progress)).await;
    assert!(matches!(end, End::Archived(_)), "{end:?}");
    assert_eq!(fixture.memory.started_uploads(), 1, "the upload continues");
    let parts = fixture.memory.completed_parts();
    let (last, others) = parts.split_last().unwrap();
    assert!(others.iter().all(|part| *part == 2 * BUFFER_SIZE));
    assert!((1..=2 * BUFFER_SIZE).contains(last));
    assert_eq!(parts.len(), size.div_ceil(2 * BUFFER_SIZE));
    fixture.assert_archived_once("large").await;
}

#[tokio::test]
async fn an_object_of_unknown_size_has_at_most_10_000_parts() {
    let fixture = Fixture::with_padding(PADDING, true, &with_buffers_of(BUFFER_SIZE)).await;
    fixture.host.omit_length();
    let store = FailingStore::never(&fixture.memory);
    let end = fixture.archive(store, &Fixture::fresh()).await;
    let is_named = |error: &str| error.contains("more than 10000 parts");
    assert!(
        matches!(&end, End::Failed(error) if is_named(error)),
        "{end:?}"
    );
    // The last ones were being sent.
    let parts = fixture.memory.incomplete_parts();
    assert!((MAX_PARTS - 9..=MAX_PARTS).contains(&parts), "{parts}");
}

#[tokio::test]
async fn an_object_whose_parts_need_too_much_memory_is_not_uploaded() {
    let mut resources = with_buffers_of(BUFFER_SIZE);
    resources.buffers = Buffers::new(1, 0, BUFFER_SIZE);
    let fixture = Fixture::with_padding(PADDING, true, &resources).await;
    let store = FailingStore::never(&fixture.memory);
    let end = fixture.archive(store, &Fixture::fresh()).await;
    let is_named = |error: &str| error.contains("needs parts of 128 bytes");
    assert!(
        matches!(&end, End::Failed(error) if is_named(error)),
        "{end:?}"
    );
    assert_eq!(fixture.memory.started_uploads(), 0);
}
