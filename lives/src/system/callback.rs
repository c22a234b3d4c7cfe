//! A callback: `CallbackHandler::handle`, and deliveries: `complete_query`.

use std::time::Duration;

use seedance_archiver_policy::poll::{is_later_status, lacks_url};
use seedance_archiver_proto::{status, v1::VideoTask};

use super::System;
use crate::log::By;

impl System<'_> {
    /// Takes a callback. It is lost if no worker runs, the lifecycle has ended, or the task cannot be queried now.
    pub(super) fn callback(&mut self, task: usize) {
        let has_workers = self.world.workers_at(self.now) == self.now;
        if !has_workers || !self.lifecycles[task].is_open() {
            return;
        }
        let Some(Ok(record)) = self.query(task, By::Callback, Duration::MAX) else {
            return;
        };
        let seen = self.lifecycles[task].seen.as_ref();
        let known = seen.map_or(status::QUEUED, |task| task.status.as_str());
        if is_later_status(&record.status, known) && !lacks_url(&record) {
            self.deliver(task, record);
        }
    }

    /// Completes the waiting activity of a lifecycle. Returns whether there was one.
    pub(super) fn deliver(&mut self, task: usize, record: VideoTask) -> bool {
        let is_polling = self.lifecycles[task].is_polling();
        if is_polling {
            self.received(task, record);
        }
        is_polling
    }
}
