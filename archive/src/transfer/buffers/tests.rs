use futures::FutureExt;

use super::*;

async fn start(buffers: &Buffers) -> TransferBuffers<'_> {
    buffers.start(Urgency::of_deadline(0)).await
}

/// Fills a part, and takes it as if to send it. Returns `None` if there is no memory.
async fn fill(transfer: &mut TransferBuffers<'_>) -> Option<PutPayload> {
    transfer.reserve().now_or_never()?;
    assert_eq!(transfer.fill(b"12345678..."), 8);
    assert!(transfer.is_full());
    Some(transfer.take())
}

#[tokio::test]
async fn memory_is_limited_and_reused() {
    let buffers = Buffers::new(1, 0, 8);
    let mut transfer = start(&buffers).await;
    let part = fill(&mut transfer).await.unwrap();
    assert!(transfer.part().is_empty());
    let address = part.iter().next().map(|bytes| bytes.as_ptr());
    let sent = part.clone();
    drop(part);
    assert!(fill(&mut transfer).await.is_none(), "the store reads it");
    drop(sent);
    let part = fill(&mut transfer).await.unwrap();
    assert_eq!(part.iter().next().map(|bytes| bytes.as_ptr()), address);
    drop(transfer);
    let is_waiting = start(&buffers).now_or_never().is_none();
    assert!(is_waiting, "the last part is being published");
    drop(part);
    assert!(start(&buffers).now_or_never().is_some());
}

#[tokio::test]
async fn memory_is_released_with_the_last_transfer() {
    let buffers = Buffers::new(2, 0, 8);
    let is_kept = || {
        buffers
            .free
            .lock()
            .upgrade()
            .is_some_and(|free| !free.lock().is_empty())
    };
    let (mut first, mut second) = (start(&buffers).await, start(&buffers).await);
    let part = fill(&mut first).await.unwrap();
    drop(first);
    drop(part);
    assert!(is_kept(), "the second transfer can use it");
    let part = fill(&mut second).await.unwrap();
    drop(second);
    assert!(!is_kept(), "it is in use");
    drop(part);
    assert!(!is_kept(), "no transfer runs");
}

#[tokio::test]
async fn a_store_that_hangs_stops_no_other_transfer() {
    let buffers = Buffers::new(3, 2, 8);
    let mut hangs = start(&buffers).await;
    let mut sent = Vec::new();
    while let Some(part) = fill(&mut hangs).await {
        sent.push(part);
    }
    assert_eq!(sent.len(), 3, "its own and the shared ones");
    let (mut one, mut other) = (start(&buffers).await, start(&buffers).await);
    for transfer in [&mut one, &mut other] {
        let part = fill(transfer).await;
        assert!(part.is_some());
        assert!(fill(transfer).await.is_none(), "no part is left to share");
    }
    drop(sent);
    let parts = [fill(&mut one).await, fill(&mut one).await];
    assert!(parts.iter().all(Option::is_some));
}
/// Fills a part of two buffers. Returns `None` if there is no memory.
fn fill_both(transfer: &mut TransferBuffers<'_>) -> Option<PutPayload> {
    transfer.reserve().now_or_never()?;
    let mut bytes = &b"0123456789abcdef"[..];
    while !transfer.is_full() {
        let filled = transfer.fill(bytes);
        bytes = &bytes[filled..];
    }
    assert_eq!(bytes, b"ef");
    Some(transfer.take())
}

#[tokio::test]
async fn a_part_of_several_buffers_takes_shared_ones() {
    let buffers = Buffers::new(2, 4, 8);
    let mut large = start(&buffers).await;
    assert!(large.set_part_size(14));
    let mut sent = Vec::new();
    while let Some(part) = fill_both(&mut large) {
        let bytes: Vec<u8> = part.clone().into_iter().flatten().collect();
        assert_eq!(bytes, b"0123456789abcd");
        sent.push(part);
    }
    assert_eq!(
        sent.len(),
        2,
        "its own buffer and three of four shared ones"
    );
    let mut other = start(&buffers).await;
    let parts = [fill(&mut other).await, fill(&mut other).await];
    assert!(parts.iter().all(Option::is_some));
    assert!(fill(&mut other).await.is_none());
    sent.pop();
    assert!(fill(&mut other).await.is_some());
}

#[tokio::test]
async fn a_part_is_not_larger_than_the_memory_of_one_transfer() {
    let buffers = Buffers::new(1, 2, 8);
    let mut transfer = start(&buffers).await;
    for (size, fits) in [(0, false), (24, true), (25, false), (u64::MAX, false)] {
        assert_eq!(transfer.set_part_size(size), fits, "{size}");
    }
    let part = transfer.reserve().now_or_never();
    assert!(part.is_some(), "its own buffer and all shared ones");
    assert!(transfer.set_length(Some(240_000)).is_ok());
    let error = transfer.set_length(Some(240_001)).unwrap_err();
    let text = "object of 240001 bytes needs parts of 32 bytes (limit: 10000 parts), but a transfer has buffers for 24; \
                fix: more shared parts in `Buffers::new`";
    assert!(error.to_string().contains(text), "{error}");
}
