//! A store that fails, or crashes the process that uses it, at any operation except listing.
//!
//! A stream of deletions is one operation, and never deletes objects before it fails: in
//! [`delete_stream`](ObjectStore::delete_stream), `FailureMode::After` is the same as `FailureMode::Before`, and
//! `FailureMode::ErrorAfter` the same as `FailureMode::ErrorBefore`.

use std::{
    collections::BTreeSet,
    fmt, io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    client::{HttpError, HttpErrorKind},
    multipart::{MultipartStore, PartId},
    path::Path,
};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{
    hold::{Hold, Point},
    memory::{Memory, error},
};

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum FailureMode {
    /// The process crashes before the operation.
    Before,
    /// The process crashes after the operation, before it receives the result.
    After,
    /// Only this operation returns an error, and has no effect.
    ErrorBefore,
    /// Only this operation returns an error, although it had an effect.
    ErrorAfter,
    /// This and all later operations return an error.
    Outage,
    /// This and all later operations that write return an error. Reads are not counted.
    ReadOnly,
    /// The process stalls before the operation.
    StallBefore,
    /// The process stalls after the operation, before it receives the result.
    StallAfter,
    /// The store answers only one part at a time, at first not before others arrived.
    Busy,
}

pub(crate) struct FailingStore {
    memory: Arc<Memory>,
    failing_operation: usize,
    mode: FailureMode,
    operations: AtomicUsize,
    has_failed: AtomicBool,
    crashed: Notify,
    /// The parts whose storage the process was told of.
    confirmed_parts: Mutex<BTreeSet<usize>>,
    /// Number of puts of objects before which the process will stall.
    stalling_puts: AtomicUsize,
    stall: Hold,
    hold: OnceLock<(Point, Hold)>,
    /// Number of parts that the store is receiving.
    parts_at_once: AtomicUsize,
    /// Number of parts that the store refused because it was busy.
    refused_parts: AtomicUsize,
    refused: Notify,
}

impl FailingStore {
    pub(crate) fn at(
        memory: &Arc<Memory>,
        failing_operation: usize,
        mode: FailureMode,
    ) -> Arc<Self> {
        Arc::new(Self {
            memory: memory.clone(),
            failing_operation,
            mode,
            operations: AtomicUsize::new(0),
            has_failed: AtomicBool::new(false),
            crashed: Notify::new(),
            confirmed_parts: Mutex::default(),
            stalling_puts: AtomicUsize::new(0),
            stall: Hold::default(),
            hold: OnceLock::new(),
            parts_at_once: AtomicUsize::new(0),
            refused_parts: AtomicUsize::new(0),
            refused: Notify::new(),
        })
    }

    pub(crate) fn never(memory: &Arc<Memory>) -> Arc<Self> {
        Self::at(memory, usize::MAX, FailureMode::Before)
    }

    /// Suspends processes at a point.
    pub(crate) fn hold_at(&self, point: Point) -> Hold {
        let (_, hold) = self.hold.get_or_init(|| (point, Hold::default()));
        hold.clone()
    }

    /// Makes the process stall before each of its next puts of objects.
    pub(crate) fn stall_before_puts(&self, count: usize) -> Hold {
        self.stalling_puts.store(count, Ordering::SeqCst);
        self.stall()
    }

    /// Returns the number of parts that the store refused because it was busy.
    pub(crate) fn refused_parts(&self) -> usize {
        self.refused_parts.load(Ordering::SeqCst)
    }

    /// Returns the hold of a process that stalls.
    pub(crate) fn stall(&self) -> Hold {
        self.stall.clone()
    }

    /// Returns the number of leading parts that the store confirmed.
    pub(crate) fn confirmed_parts(&self) -> usize {
        let confirmed = self.confirmed_parts.lock();
        (0..).take_while(|index| confirmed.contains(index)).count()
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::SeqCst)
    }

    /// Waits until the process crashes.
    pub(crate) async fn crashed(&self) {
        self.crashed.notified().await;
    }

    async fn operation<T>(&self, operation: impl Future<Output = Result<T>>) -> Result<T> {
        let number = self.operations.fetch_add(1, Ordering::SeqCst);
        match self.mode {
            FailureMode::Outage | FailureMode::ReadOnly if number >= self.failing_operation => {
                self.error()
            }
            FailureMode::ErrorBefore if number == self.failing_operation => self.error(),
            FailureMode::ErrorAfter if number == self.failing_operation => {
                let _ = operation.await;
                self.error()
            }
            FailureMode::Before if number >= self.failing_operation => self.fail().await,
            FailureMode::After if number == self.failing_operation => {
                let _ = operation.await;
                self.fail().await
            }
            FailureMode::After if number > self.failing_operation => self.fail().await,
            FailureMode::StallBefore if number == self.failing_operation => {
                self.stall.wait().await;
                operation.await
            }
            FailureMode::StallAfter if number == self.failing_operation => {
                let result = operation.await;
                self.stall.wait().await;
                result
            }
            _ => operation.await,
        }
    }

    fn error<T>(&self) -> Result<T> {
        self.has_failed.store(true, Ordering::SeqCst);
        Err(error("the store is down"))
    }

    async fn fail<T>(&self) -> T {
        self.has_failed.store(true, Ordering::SeqCst);
        self.crashed.notify_one();
        std::future::pending().await
    }

    async fn hold(&self, point: Point) {
        if let Some((_, hold)) = self.hold.get().filter(|(held, _)| *held == point) {
            hold.wait().await;
        }
    }

    /// Answers as a busy store: the request of a part times out if there is another one.
    async fn answer_if_not_busy(&self) -> Result<()> {
        let at_once = self.parts_at_once.fetch_add(1, Ordering::SeqCst) + 1;
        if at_once > 1 {
            self.parts_at_once.fetch_sub(1, Ordering::SeqCst);
            self.refused_parts.fetch_add(1, Ordering::SeqCst);
            self.refused.notify_one();
            return Err(timed_out());
        }
        while self.refused_parts() == 0 {
            self.refused.notified().await;
        }
        self.parts_at_once.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    }
}

/// Returns the error of a request that the store did not answer, as `object_store` returns it.
fn timed_out() -> object_store::Error {
    let source = io::Error::from(io::ErrorKind::TimedOut);
    object_store::Error::Generic {
        store: "memory",
        source: Box::new(HttpError::new(HttpErrorKind::Timeout, source)),
    }
}

impl fmt::Debug for FailingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FailingStore")
    }
}

impl fmt::Display for FailingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a failing store")
    }
}

#[async_trait]
impl ObjectStore for FailingStore {
    async fn put_opts(
        &self,
        key: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let decrement = |left: usize| left.checked_sub(1);
        let order = Ordering::SeqCst;
        let stalls = self.stalling_puts.fetch_update(order, order, decrement);
        if stalls.is_ok() {
            self.stall.wait().await;
        }
        let objects = &self.memory.objects;
        let put = async {
            // As S3: `InMemory` returns the error of an object that was changed.
            if matches!(options.mode, PutMode::Update(_)) {
                objects.head(key).await?;
            }
            objects.put_opts(key, payload, options).await
        };
        self.operation(put).await
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(error(
            "only multipart uploads through `MultipartStore` are supported",
        ))
    }

    async fn get_opts(&self, key: &Path, options: GetOptions) -> Result<GetResult> {
        let get = self.memory.objects.get_opts(key, options);
        match self.mode {
            FailureMode::ReadOnly => get.await,
            _ => self.operation(get).await,
        }
    }

    fn delete_stream(
        &self,
        keys: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let (memory, number) = (
            self.memory.clone(),
            self.operations.fetch_add(1, Ordering::SeqCst),
        );
        let is_reached = number >= self.failing_operation;
        let is_this = number == self.failing_operation;
        let stall = is_this.then(|| self.stall());
        let [before, after] = [FailureMode::StallBefore, FailureMode::StallAfter]
            .map(|mode| stall.clone().filter(|_| self.mode == mode));
        let (has_failed, is_crash) = match self.mode {
            FailureMode::StallBefore | FailureMode::StallAfter | FailureMode::Busy => {
                (false, false)
            }
            FailureMode::ErrorBefore | FailureMode::ErrorAfter => (is_this, false),
            FailureMode::Outage | FailureMode::ReadOnly => (is_reached, false),
            FailureMode::Before | FailureMode::After => (is_reached, true),
        };
        self.has_failed.fetch_or(has_failed, Ordering::SeqCst);
        if has_failed && is_crash {
            self.crashed.notify_one();
        }
        keys.then(move |key| {
            let (memory, before, after) = (memory.clone(), before.clone(), after.clone());
            async move {
                if let Some(stall) = before {
                    stall.wait().await;
                }
                let deleted = match (has_failed, is_crash) {
                    (true, false) => Err(error("the store is down")),
                    (true, true) => std::future::pending().await,
                    _ => {
                        let key = key?;
                        memory.objects.delete(&key).await.map(|()| key)
                    }
                };
                if let Some(stall) = after {
                    stall.wait().await;
                }
                deleted
            }
        })
        .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.memory.objects.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.memory.objects.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.hold(Point::Publication).await;
        self.operation(self.memory.objects.copy_opts(from, to, options))
            .await
    }
}

#[async_trait]
impl MultipartStore for FailingStore {
    async fn create_multipart(&self, _: &Path) -> Result<String> {
        self.operation(async { Ok(self.memory.start_upload()) })
            .await
    }

    async fn put_part(
        &self,
        _: &Path,
        id: &String,
        index: usize,
        part: PutPayload,
    ) -> Result<PartId> {
        if index == 0 {
            self.hold(Point::FirstPart).await;
        }
        if self.mode == FailureMode::Busy {
            self.answer_if_not_busy().await?;
        }
        let put = self.operation(async { self.memory.put_part(id, index, part) });
        let part = put.await?;
        self.confirmed_parts.lock().insert(index);
        Ok(part)
    }

    async fn complete_multipart(
        &self,
        key: &Path,
        id: &String,
        parts: Vec<PartId>,
    ) -> Result<PutResult> {
        self.hold(Point::Completion).await;
        if self.memory.has_conditional_complete {
            self.hold(Point::Publication).await;
        }
        let completed = self.operation(self.memory.complete(key, id, parts)).await;
        self.hold(Point::Completed).await;
        completed
    }

    async fn abort_multipart(&self, _: &Path, id: &String) -> Result<()> {
        self.operation(async { self.memory.abort(id) }).await
    }
}
