use std::{
    io,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};

use async_trait::async_trait;
use futures::future::{join_all, try_join_all};
use object_store::{
    Error, MultipartId, PutResult, Result,
    client::{HttpError, HttpErrorKind},
};
use parking_lot::Mutex;
use tokio::time::sleep;

use super::*;

/// How long a store takes for each answer, unless its requests hang.
const LATENCY: Duration = Duration::from_secs(1);

/// A store that refuses parts above a number at once.
#[derive(Debug)]
struct BusyStore {
    max_at_once: usize,
    error: fn() -> Error,
    latency: Duration,
    at_once: AtomicUsize,
    /// The indices of the parts that arrived, with the number of parts that the store was receiving.
    arrivals: Mutex<Vec<(usize, usize)>>,
    stored: Mutex<Vec<usize>>,
}

impl BusyStore {
    fn new(max_at_once: usize) -> Arc<Self> {
        Self::failing_with(max_at_once, no_answer)
    }

    fn failing_with(max_at_once: usize, error: fn() -> Error) -> Arc<Self> {
        Self::with_latency(LATENCY, max_at_once, error)
    }

    fn with_latency(latency: Duration, max_at_once: usize, error: fn() -> Error) -> Arc<Self> {
        Arc::new(Self {
            max_at_once,
            error,
            latency,
            at_once: AtomicUsize::new(0),
            arrivals: Mutex::default(),
            stored: Mutex::default(),
        })
    }

    /// Returns the numbers of parts at once, at each arrival.
    fn at_once(&self) -> Vec<usize> {
        let arrivals = self.arrivals.lock();
        arrivals.iter().map(|(_, at_once)| *at_once).collect()
    }
}

fn error(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Generic {
        store: "busy",
        source: Box::new(source),
    }
}

fn no_answer() -> Error {
    let source = io::Error::from(io::ErrorKind::TimedOut);
    error(HttpError::new(HttpErrorKind::Timeout, source))
}

#[async_trait]
impl MultipartStore for BusyStore {
    async fn create_multipart(&self, _: &Path) -> Result<MultipartId> {
        Ok(String::new())
    }

    async fn put_part(
        &self,
        _: &Path,
        _: &MultipartId,
        index: usize,
        _: PutPayload,
    ) -> Result<PartId> {
        let at_once = self.at_once.fetch_add(1, SeqCst) + 1;
        self.arrivals.lock().push((index, at_once));
        sleep(self.latency).await;
        self.at_once.fetch_sub(1, SeqCst);
        if at_once > self.max_at_once {
            return Err((self.error)());
        }
        self.stored.lock().push(index);
        let content_id = index.to_string();
        Ok(PartId { content_id })
    }

    async fn complete_multipart(
        &self,
        _: &Path,
        _: &MultipartId,
        _: Vec<PartId>,
    ) -> Result<PutResult> {
        Err(no_answer())
    }

    async fn abort_multipart(&self, _: &Path, _: &MultipartId) -> Result<()> {
        Ok(())
    }
}

fn part(store: &Arc<BusyStore>, index: usize) -> PartRequest {
    PartRequest {
        store: store.clone(),
        key: Path::from("video.mp4"),
        upload_id: String::new(),
        index,
        part: PutPayload::new(),
        urgency: Urgency::of_deadline(0),
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_store_receives_fewer_parts_at_once() {
    for max_at_once in [1, 2, 5] {
        let store = BusyStore::new(max_at_once);
        let slots = PartSlots::default();
        let parts = (0..60).map(|index| put_part(part(&store, index), slots.clone()));
        let ids = try_join_all(parts).await.unwrap();
        let expected: Vec<_> = (0..60).map(|index| index.to_string()).collect();
        let ids: Vec<_> = ids.into_iter().map(|id| id.content_id).collect();
        assert_eq!(ids, expected);
        let at_once = store.at_once();
        assert_eq!(at_once.iter().max(), Some(&60), "there is no limit before");
        let later = &at_once[at_once.len() - 40..];
        let is_adapted = later.iter().all(|it| *it <= 2 * max_at_once);
        assert!(is_adapted, "{max_at_once}: {later:?}");
        let refused = later.iter().filter(|it| **it > max_at_once).count();
        assert!(refused <= 40 / 3, "{max_at_once}: {later:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_connection_does_not_lower_the_limit() {
    let interrupted = || {
        let source = io::Error::from(io::ErrorKind::ConnectionReset);
        error(HttpError::new(HttpErrorKind::Interrupted, source))
    };
    let slots = PartSlots::default();
    let failing = BusyStore::failing_with(0, interrupted);
    assert!(put_part(part(&failing, 0), slots.clone()).await.is_err());
    assert_eq!(failing.arrivals.lock().len(), MAX_RETRIES + 1);
    let store = BusyStore::new(usize::MAX);
    let parts = (0..20).map(|index| put_part(part(&store, index), slots.clone()));
    try_join_all(parts).await.unwrap();
    assert_eq!(store.at_once().iter().max(), Some(&20));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_recovers_receives_more_parts_at_once() {
    let slots = PartSlots::default();
    let busy = BusyStore::new(1);
    let parts = (0..4).map(|index| put_part(part(&busy, index), slots.clone()));
    try_join_all(parts).await.unwrap();
    let store = BusyStore::new(usize::MAX);
    let parts = (0..100).map(|index| put_part(part(&store, index), slots.clone()));
    try_join_all(parts).await.unwrap();
    let at_once = store.at_once();
    assert!(at_once[..5].iter().all(|it| *it < 5), "{at_once:?}");
    assert!(at_once.iter().max() >= Some(&5), "{at_once:?}");
}

#[tokio::test(start_paused = true)]
async fn the_most_urgent_part_is_sent_first() {
    let slots = PartSlots::default();
    let store = BusyStore::new(1);
    slots.acquire(Urgency::MOST).await.refused();
    let parts = [(0, 9), (1, 5), (2, 1), (3, 7), (4, 30), (5, 20)].map(|(index, hours)| {
        let urgency = Urgency::of_deadline(hours * 3600);
        let part = PartRequest {
            urgency,
            ..part(&store, index)
        };
        put_part(part, slots.clone())
    });
    try_join_all(parts).await.unwrap();
    let arrivals: Vec<_> = store.arrivals.lock().iter().map(|it| it.0).collect();
    assert_eq!(arrivals[..2], [0, 2], "the first one found a free slot");
    let mut next = [arrivals[2], arrivals[3]];
    next.sort_unstable();
    assert_eq!(next, [1, 3], "after two rounds, two are sent at once");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_stays_busy_fails_the_part_after_minutes() {
    let store = BusyStore::new(0);
    let started = Instant::now();
    let failed = put_part(part(&store, 0), PartSlots::default()).await;
    assert!(failed.is_err());
    assert_eq!(store.arrivals.lock().len(), MAX_RETRIES + 1);
    let minutes = started.elapsed().as_secs() / 60;
    assert!((1..4).contains(&minutes), "{minutes}");
}

#[tokio::test(start_paused = true)]
async fn a_part_whose_requests_hang_fails_after_minutes() {
    for (latency, requests) in [(300, 1), (100, 2)] {
        let store = BusyStore::with_latency(Duration::from_secs(latency), 0, no_answer);
        let failed = put_part(part(&store, 0), PartSlots::default()).await;
        assert!(failed.is_err());
        assert_eq!(store.arrivals.lock().len(), requests, "{latency} s");
    }
}

/// The store is busy with more urgent parts, so it works.
#[tokio::test(start_paused = true)]
async fn a_part_does_not_fail_because_it_waited_for_a_slot() {
    let store = BusyStore::new(0);
    let slots = PartSlots::default();
    let put = put_part(part(&store, 0), slots.clone());
    let occupy_slot = async {
        sleep(2 * LATENCY).await;
        let slot = slots.acquire(Urgency::MOST).await;
        sleep(2 * MAX_DURATION).await;
        drop(slot);
    };
    let (failed, ()) = tokio::join!(put, occupy_slot);
    assert!(failed.is_err());
    assert_eq!(store.arrivals.lock().len(), MAX_RETRIES + 1);
}

#[tokio::test(start_paused = true)]
async fn a_part_that_the_store_rejects_is_not_sent_again() {
    let rejected = || error(io::Error::other("EntityTooSmall"));
    let missing = || Error::NotFound {
        path: String::new(),
        source: "NoSuchUpload".into(),
    };
    let errors: [fn() -> Error; 2] = [rejected, missing];
    for error in errors {
        let store = BusyStore::failing_with(0, error);
        let slots = PartSlots::default();
        let parts = (0..3).map(|index| put_part(part(&store, index), slots.clone()));
        let failed = join_all(parts).await;
        assert!(failed.iter().all(std::result::Result::is_err));
        assert_eq!(store.arrivals.lock().len(), 3);
    }
}
