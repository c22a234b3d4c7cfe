//! What a process sees of a store, until the k-th operation.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    multipart::{MultipartStore, PartId},
    path::Path,
};
use tokio::sync::Notify;

use crate::memory::{Memory, refused};

/// What happens at the k-th operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Death {
    /// The process dies before it.
    Before,
    /// The process dies after it, and never learns what came of it.
    After,
    /// The store is down from then on, and the process lives to see it.
    Down,
}

pub(crate) struct Dying {
    memory: Arc<Memory>,
    k: usize,
    death: Death,
    operations: AtomicUsize,
    is_dead: AtomicBool,
    died: Notify,
    hold: OnceLock<Hold>,
}

/// Where a process waits before it publishes what it has.
#[derive(Clone, Default)]
pub(crate) struct Hold(Arc<(Notify, Notify)>);

impl Hold {
    pub(crate) async fn reached(&self) {
        self.0.0.notified().await;
    }

    pub(crate) fn let_go(&self) {
        self.0.1.notify_one();
    }
}

impl Dying {
    pub(crate) fn at(memory: &Arc<Memory>, k: usize, death: Death) -> Arc<Self> {
        Arc::new(Self {
            memory: memory.clone(),
            k,
            death,
            operations: AtomicUsize::new(0),
            is_dead: AtomicBool::new(false),
            died: Notify::new(),
            hold: OnceLock::new(),
        })
    }

    pub(crate) fn never(memory: &Arc<Memory>) -> Arc<Self> {
        Self::at(memory, usize::MAX, Death::Before)
    }

    pub(crate) fn hold_before_publishing(&self) -> Hold {
        self.hold.get_or_init(Hold::default).clone()
    }

    pub(crate) fn has_died(&self) -> bool {
        self.is_dead.load(Ordering::SeqCst)
    }

    /// Resolves when the process dies.
    pub(crate) async fn died(&self) {
        self.died.notified().await;
    }

    async fn operation<T>(&self, operation: impl Future<Output = Result<T>>) -> Result<T> {
        let number = self.operations.fetch_add(1, Ordering::SeqCst);
        match self.death {
            Death::Down if number >= self.k => {
                self.is_dead.store(true, Ordering::SeqCst);
                Err(refused("it is down"))
            }
            Death::Before if number >= self.k => self.die().await,
            Death::After if number == self.k => {
                let _ = operation.await;
                self.die().await
            }
            Death::After if number > self.k => self.die().await,
            _ => operation.await,
        }
    }

    async fn die<T>(&self) -> T {
        self.is_dead.store(true, Ordering::SeqCst);
        self.died.notify_one();
        std::future::pending().await
    }

    async fn hold(&self) {
        if let Some(hold) = self.hold.get() {
            hold.0.0.notify_one();
            hold.0.1.notified().await;
        }
    }
}

impl fmt::Debug for Dying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dying")
    }
}

impl fmt::Display for Dying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a store that dies")
    }
}

#[async_trait]
impl ObjectStore for Dying {
    async fn put_opts(
        &self,
        key: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let put = self.memory.objects.put_opts(key, payload, options);
        self.operation(put).await
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(refused("uploads have ids here"))
    }

    async fn get_opts(&self, key: &Path, options: GetOptions) -> Result<GetResult> {
        self.operation(self.memory.objects.get_opts(key, options))
            .await
    }

    fn delete_stream(
        &self,
        keys: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let (memory, number) = (
            self.memory.clone(),
            self.operations.fetch_add(1, Ordering::SeqCst),
        );
        let (is_over, is_down) = (number >= self.k, self.death == Death::Down);
        if is_over {
            self.is_dead.store(true, Ordering::SeqCst);
            self.died.notify_one();
        }
        keys.then(move |key| {
            let memory = memory.clone();
            async move {
                match (is_over, is_down) {
                    (true, true) => Err(refused("it is down")),
                    (true, false) => std::future::pending().await,
                    _ => {
                        let key = key?;
                        memory.objects.delete(&key).await.map(|()| key)
                    }
                }
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
        self.hold().await;
        self.operation(self.memory.objects.copy_opts(from, to, options))
            .await
    }
}

#[async_trait]
impl MultipartStore for Dying {
    async fn create_multipart(&self, _: &Path) -> Result<String> {
        self.operation(async { Ok(self.memory.begin()) }).await
    }

    async fn put_part(
        &self,
        _: &Path,
        id: &String,
        index: usize,
        part: PutPayload,
    ) -> Result<PartId> {
        self.operation(async { self.memory.put_part(id, index, part) })
            .await
    }

    async fn complete_multipart(
        &self,
        key: &Path,
        id: &String,
        parts: Vec<PartId>,
    ) -> Result<PutResult> {
        if self.memory.creates_only {
            self.hold().await;
        }
        self.operation(self.memory.complete(key, id, parts)).await
    }

    async fn abort_multipart(&self, _: &Path, id: &String) -> Result<()> {
        self.operation(async { self.memory.abort(id) }).await
    }
}
