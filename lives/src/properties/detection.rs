//! When the end of a task is detected.

use seedance_archiver_proto::status;

use crate::{
    log::{Life, What},
    oracle::Oracle,
    world::World,
};

/// Checks that a lifecycle receives the record of its succeeded task by the time that the oracle says.
pub(super) fn check(world: &World, life: &Life, task: usize) -> Option<String> {
    let latest = Oracle::new(world, task).received_by()?;
    let is_end = |what: &What| matches!(what, What::Received(it) if it == status::SUCCEEDED);
    let mut entries = life.log.iter().filter(|entry| entry.task == Some(task));
    let received = entries.find(|entry| is_end(&entry.what));
    let received_at = received.map(|entry| entry.at);
    (received_at.is_none_or(|at| at > latest)).then(|| match received_at {
        Some(at) => format!("detected at {at} s instead of {latest} s"),
        None => format!("not detected by {latest} s"),
    })
}
