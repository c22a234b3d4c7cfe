//! Locks that keep the callbacks of one task from being handled at the same time.

use std::{
    array,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use tokio::sync::{Mutex, MutexGuard};

/// Number of locks. Tasks share them, so a callback may wait for that of another task.
const LOCKS: usize = 256;

/// A lock for each task. Clones are the same locks.
#[derive(Clone)]
pub(super) struct TaskLocks(Arc<[Mutex<()>; LOCKS]>);

impl Default for TaskLocks {
    fn default() -> Self {
        Self(Arc::new(array::from_fn(|_| Mutex::default())))
    }
}

impl TaskLocks {
    /// Waits until no other callback of this task is handled, until the guard is dropped.
    pub(super) async fn lock(&self, task: &str) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        task.hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % LOCKS as u64).unwrap_or_default();
        self.0[index].lock().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_is_locked_once() {
        let locks = TaskLocks::default();
        let guard = locks.lock("a").await;
        let clone = locks.clone();
        let second = clone.lock("a");
        tokio::pin!(second);
        tokio::select! {
            biased;
            _ = &mut second => panic!("locked twice"),
            () = tokio::task::yield_now() => {}
        }
        drop(guard);
        drop(second.await);
    }
}
