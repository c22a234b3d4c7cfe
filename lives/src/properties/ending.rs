//! How a lifecycle may end.

use seedance_archiver_proto::{
    outcome,
    reason::{
        CANCELLED_AND_PURGED, OUTSIDE_QUERY_WINDOW, QUERY_WINDOW_CLOSED, RECORD_VANISHED,
        TASK_NOT_FOUND, URL_EXPIRED,
    },
    status,
};

use crate::{
    log::{End, Life, What},
    oracle::Oracle,
    world::{Kind, World},
};

/// Checks that a savable video is archived, and that the reason is the right one otherwise.
pub(super) fn check(world: &World, life: &Life, task: usize) -> Option<String> {
    let Some(end) = &life.ends[task] else {
        return Some("the lifecycle does not end".to_owned());
    };
    let End {
        outcome, reason, ..
    } = end;
    if Oracle::new(world, task).is_savable() && outcome != outcome::ARCHIVED {
        return Some(format!("a savable video is {outcome}: {reason}"));
    }
    let is_right = match outcome.as_str() {
        outcome::ARCHIVED => world.tasks[task].end == status::SUCCEEDED,
        outcome::UNSUCCESSFUL => is_unsuccessful(world, task, reason),
        _ => has_cause(world, life, task, reason),
    };
    (!is_right).then(|| format!("wrong reason: {outcome} {reason}"))
}

fn is_unsuccessful(world: &World, task: usize, reason: &str) -> bool {
    match world.tasks[task].end {
        _ if reason == CANCELLED_AND_PURGED => world.fails_ever(|kind| *kind == Kind::NotFound),
        status::SUCCEEDED => false,
        status::FAILED => reason == "OutputVideoSensitiveContentDetected",
        end => reason == end,
    }
}

/// Returns whether something in the world explains why a video is lost.
fn has_cause(world: &World, life: &Life, task: usize, reason: &str) -> bool {
    let planned = &world.tasks[task];
    let fails = |is_kind: &dyn Fn(&Kind) -> bool| world.fails_ever(is_kind);
    let is_forgotten = || {
        let last = life.ends[task].as_ref().map_or(0, |end| end.at);
        last >= world.forgotten(task)
    };
    let may_vanish = || fails(&|kind| *kind == Kind::NotFound) || is_forgotten();
    match reason {
        OUTSIDE_QUERY_WINDOW => planned.started >= world.forgotten(task),
        TASK_NOT_FOUND => {
            !was_seen(life, task) && (may_vanish() || planned.visible > planned.created)
        }
        RECORD_VANISHED => may_vanish() && !has_other_failure(life, task),
        CANCELLED_AND_PURGED => false,
        QUERY_WINDOW_CLOSED => {
            planned.ended + 120 >= world.last_poll(task)
                || fails(&|kind| *kind == Kind::Workers)
                || is_forgotten()
        }
        URL_EXPIRED => !has_other_failure(life, task),
        "unauthorized" => fails(&|kind| {
            matches!(
                kind,
                Kind::Api {
                    status: 401 | 403,
                    ..
                }
            )
        }),
        "rate_limited" => {
            world.queries_per_second < 20
                || fails(&|kind| matches!(kind, Kind::Api { status: 429, .. }))
        }
        "upstream_unavailable" => {
            fails(&|kind| matches!(kind, Kind::Api { .. } | Kind::Host { .. }))
        }
        "unexpected_response" => fails(&|kind| *kind == Kind::Unreadable),
        "store_unavailable" => fails(&|kind| *kind == Kind::Store),
        "corrupt_video" => fails(&|kind| *kind == Kind::Corrupt),
        _ => false,
    }
}

/// Returns whether the lifecycle received a record.
fn was_seen(life: &Life, task: usize) -> bool {
    let mut entries = life.log.iter().filter(|entry| entry.task == Some(task));
    entries.any(|entry| matches!(entry.what, What::Received(_)))
}

/// Returns whether something else than a dead URL kept the video from being archived.
fn has_other_failure(life: &Life, task: usize) -> bool {
    let mut entries = life.log.iter().filter(|entry| entry.task == Some(task));
    entries.any(|entry| match &entry.what {
        What::TransferFailed(reason) => ![URL_EXPIRED, RECORD_VANISHED].contains(&reason.as_str()),
        _ => false,
    })
}
