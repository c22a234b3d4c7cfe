//! What the watcher of an account asks the API next, and when lifecycles poll although they are watched.
//!
//! A request costs the same whether it answers for one task or for 500, so the watcher compares what requests are *worth*:
//! the sum of the lag that their tasks have probably accumulated since they were last looked at, measured in polls. A
//! request is sent when it is worth at least one poll. For a single task that is the schedule that the task would be
//! polled by on its own, so watching never costs more than polling, and each further task makes it cheaper.

mod list_order;
mod watched_task;
mod watched_tasks;

use std::time::Duration;

pub use watched_tasks::{News, Waiting, Watch, WatchedTasks};

/// Number of open lifecycles of an account from which watching costs less than polling each task: the watcher itself
/// costs heartbeats.
pub const MIN_WATCHED: usize = 4;
/// Time until a lifecycle whose task no record was seen of polls itself, unless the watcher has found the task by then.
const NEW_TASK_DELAY: Duration = Duration::from_secs(90);
/// Minimum time between two polls of a task that is watched.
const MIN_BACKSTOP: Duration = Duration::from_secs(10 * 60);
/// A watched task is polled again when this many times its age has passed, so that the number of polls stays small
/// however long the task takes.
const BACKSTOP_FACTOR: u32 = 5;
/// Maximum time between two polls of a task that is watched.
const MAX_BACKSTOP: Duration = Duration::from_secs(12 * 60 * 60);
/// Worth from which a request is sent.
const MIN_WORTH: f64 = 1.0;

/// Returns how long after its last answer a watched task is polled by its own lifecycle. `age` is its age at that time.
pub fn backstop(age: Duration) -> Duration {
    age.saturating_mul(BACKSTOP_FACTOR)
        .clamp(MIN_BACKSTOP, MAX_BACKSTOP)
}

/// Returns how long a lifecycle that has just started relies on the watcher: until the watcher must have looked for the
/// task, and has said so if it does not exist.
pub fn first_backstop() -> Duration {
    NEW_TASK_DELAY
}

/// A task that may be asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// The list that shows the task, by its index. `None`: no list is known to.
    pub list: Option<usize>,
    /// Number of tasks before it in the list. `None`: not known.
    pub position: Option<usize>,
    /// The lag that it has probably accumulated, in polls.
    pub worth: f64,
    /// Whether it can be queried on its own: no `Retry-After` of its last query is running.
    pub can_be_queried: bool,
}

/// How the lists of an account can be used now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lists {
    /// Whether list requests are answered.
    pub are_available: bool,
    /// Maximum number of tasks on a page.
    pub page_size: usize,
    /// Maximum number of ids in a request. 0: the service does not filter by id.
    pub max_ids: usize,
}

/// A request to the API.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Query one task, by its index among the candidates.
    Query(usize),
    /// List these candidates by their ids.
    Tasks {
        /// Index of the list.
        list: usize,
        /// Indices of the candidates.
        candidates: Vec<usize>,
    },
    /// List a page.
    Page {
        /// Index of the list.
        list: usize,
        /// Number of the page, from 1.
        page_num: usize,
    },
}

/// Returns the request that is worth most, or `None` if none is worth sending yet. `can_query`: whether a query can be sent.
/// If not, lists also answer for tasks that a query would suit better.
pub fn choose(candidates: &[Candidate], lists: Lists, can_query: bool) -> Option<Request> {
    let mut best = match can_query {
        true => single(candidates, lists),
        false => None,
    };
    if lists.are_available {
        let listed = candidates.iter().filter_map(|it| it.list);
        for list in 0..listed.max().map_or(0, |last| last + 1) {
            for offer in [
                by_ids(candidates, list, lists),
                page(candidates, list, lists),
            ] {
                best = better(best, offer);
            }
        }
    }
    best.filter(|offer| offer.worth >= MIN_WORTH)
        .map(|offer| offer.request)
}

/// A request and what it is worth.
struct Offer {
    request: Request,
    worth: f64,
}

/// Returns the offer that is worth more. An equal one does not replace an earlier one: a query also brings the complete
/// record.
fn better(best: Option<Offer>, offer: Option<Offer>) -> Option<Offer> {
    match (best, offer) {
        (Some(best), Some(offer)) if offer.worth > best.worth => Some(offer),
        (None, offer) => offer,
        (best, _) => best,
    }
}

/// Offers to query one task: the one that is worth most, of those that no list answers for if lists are available.
fn single(candidates: &[Candidate], lists: Lists) -> Option<Offer> {
    let alone = |list: Option<usize>| {
        let shown = candidates.iter().filter(|it| it.list == list);
        shown.take(2).count() < 2
    };
    let worth = |(_, candidate): &(usize, &Candidate)| candidate.worth;
    let offered = candidates.iter().enumerate();
    let offered = offered.filter(|(_, it)| it.can_be_queried);
    let unlisted =
        offered.filter(|(_, it)| !lists.are_available || it.list.is_none() || alone(it.list));
    let (index, candidate) = unlisted.max_by(|a, b| worth(a).total_cmp(&worth(b)))?;
    Some(Offer {
        request: Request::Query(index),
        worth: candidate.worth,
    })
}

/// Offers to list the tasks that are worth most by their ids.
fn by_ids(candidates: &[Candidate], list: usize, lists: Lists) -> Option<Offer> {
    if lists.max_ids == 0 {
        return None;
    }
    let mut indices: Vec<_> = (0..candidates.len())
        .filter(|index| candidates[*index].list == Some(list) && candidates[*index].worth > 0.0)
        .collect();
    let worth = |index: &usize| candidates[*index].worth;
    if indices.len() > lists.max_ids {
        indices.select_nth_unstable_by(lists.max_ids, |a, b| worth(b).total_cmp(&worth(a)));
        indices.truncate(lists.max_ids);
    }
    // If not all ids fit into the request, these do.
    indices.sort_unstable_by(|a, b| worth(b).total_cmp(&worth(a)));
    (!indices.is_empty()).then(|| Offer {
        worth: indices.iter().map(worth).sum(),
        request: Request::Tasks {
            list,
            candidates: indices,
        },
    })
}

/// Offers to list the page whose tasks are worth most.
fn page(candidates: &[Candidate], list: usize, lists: Lists) -> Option<Offer> {
    let page_size = lists.page_size.max(1);
    let mut pages = Vec::new();
    for candidate in candidates.iter().filter(|it| it.list == Some(list)) {
        let Some(position) = candidate.position else {
            continue;
        };
        let page = position / page_size;
        if pages.len() <= page {
            pages.resize(page + 1, 0.0);
        }
        pages[page] += candidate.worth;
    }
    let pages = pages.into_iter().enumerate();
    let (page, worth) = pages.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    Some(Offer {
        request: Request::Page {
            list,
            page_num: page + 1,
        },
        worth,
    })
}

#[cfg(test)]
mod tests;
