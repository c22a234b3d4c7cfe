//! The body of a download: throttled, interrupted and counted.

use std::{
    io,
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::{Stream, stream};
use tokio::time::sleep;

use crate::{service::Service, source::Source, task::Task};

/// Maximum pause of a throttled download.
const MAX_THROTTLE_PAUSE: Duration = Duration::from_millis(20);
/// Delay before a connection is aborted, so that the bytes sent so far reach the client. An abort discards
/// hyper's buffer.
const FLUSH_DELAY: Duration = Duration::from_millis(50);

/// A download of an object.
pub(crate) struct Download {
    pub(crate) service: Arc<Service>,
    pub(crate) task: Arc<Task>,
    /// Only videos are throttled, interrupted and counted.
    pub(crate) is_video: bool,
    pub(crate) source: Arc<Source>,
}

impl Download {
    /// Returns the bytes of a range. The stream ends with an error if the script interrupts the download, or if
    /// the declared length exceeds the size of the object.
    pub(crate) fn stream(self, range: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> {
        let abort_at = self.start(range.start).unwrap_or(range.end);
        let started = Instant::now();
        let download = Arc::new(self);
        stream::unfold(range.start, move |position| {
            let download = download.clone();
            async move {
                let hold_at = download.hold_at(position).await;
                let piece = download
                    .source
                    .piece(position..abort_at.min(range.end).min(hold_at));
                let Some(piece) = piece else {
                    if position >= range.end {
                        return None;
                    }
                    sleep(FLUSH_DELAY).await;
                    let error = io::Error::from(io::ErrorKind::ConnectionAborted);
                    return Some((Err(error), position));
                };
                let next = position + piece.len() as u64;
                download.throttle(started, next - range.start).await;
                download.count_bytes(piece.len() as u64);
                Some((Ok(piece), next))
            }
        })
    }

    /// Waits if the download is held at a position. Returns the next position at which it is held.
    async fn hold_at(&self, position: u64) -> u64 {
        match self.task.hold_at().filter(|_| self.is_video) {
            Some(hold_at) if position < hold_at => hold_at,
            Some(_) => {
                self.task.released().await;
                u64::MAX
            }
            None => u64::MAX,
        }
    }

    /// Counts the download. Returns the position at which the script aborts it, or `None` if it is not aborted.
    fn start(&self, position: u64) -> Option<u64> {
        if !self.is_video {
            return None;
        }
        let mut downloads = 0;
        self.service.tasks.count(&self.task.id, |stats| {
            stats.downloads += 1;
            stats.open_downloads += 1;
            downloads = stats.downloads;
        });
        let script = &self.task.script;
        (downloads <= script.cuts).then(|| position + script.cut_after)
    }

    /// Waits until `sent` bytes are due at the script's rate.
    async fn throttle(&self, started: Instant, sent: u64) {
        let Some(rate) = self.task.script.bytes_per_second.filter(|_| self.is_video) else {
            return;
        };
        let due = Duration::from_secs_f64(sent as f64 / rate as f64);
        loop {
            let left = due.saturating_sub(started.elapsed());
            if left.is_zero() {
                return;
            }
            sleep(left.min(MAX_THROTTLE_PAUSE)).await;
        }
    }

    fn count_bytes(&self, sent: u64) {
        if self.is_video {
            self.service
                .tasks
                .count(&self.task.id, |stats| stats.bytes_sent += sent);
        }
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        if self.is_video {
            self.service
                .tasks
                .count(&self.task.id, |stats| stats.open_downloads -= 1);
        }
    }
}
