//! Generates a world from a seed.

use seedance_archiver_policy::watch::MIN_WATCHED;
use seedance_archiver_proto::status;

use super::{
    Fault, Kind, List, Task, World,
    dialect::{Dialect, Times, UrlPlace},
};
use crate::{
    random::Random,
    time::{self, DAY, HOUR, MINUTE, WEEK},
};

/// Number of completion times that workers may have learned: see `learned`.
const LEARNED: u64 = 12;

impl World {
    /// Returns the world of a seed.
    pub fn generate(seed: u64) -> Self {
        let random = &mut Random::new(seed);
        let list = random.percent(20).then(|| list(random));
        let query_window = match list {
            Some(_) => watched_window(random),
            None => query_window(random),
        };
        let shortest = match query_window {
            WEEK => DAY,
            _ => query_window / 8,
        };
        let url_lifetime = random.pick(&[shortest, query_window / 2, 2 * query_window]);
        let mut world = Self {
            dialect: dialect(random),
            query_window,
            url_lifetime,
            signs_again: random.percent(50),
            configured_url_lifetime: random.pick(&[url_lifetime, url_lifetime, 2 * query_window]),
            queries_per_second: random.pick(&[1, 1, 2, 20]),
            min_interval: 2,
            max_interval: MINUTE,
            learned: random.percent(25).then(|| random.below(LEARNED) as usize),
            resumes: random.percent(50),
            tasks: Vec::new(),
            faults: Vec::new(),
            list,
        };
        world.tasks = tasks(random, &world);
        if random.percent(85) {
            let count = 1 + random.below(4);
            world.faults = (0..count).map(|_| fault(random, &world)).collect();
        }
        if random.percent(30) {
            world.min_interval = random.pick(&[1, 2, 10, 30]);
            world.max_interval = random.pick(&[30, MINUTE, 2 * MINUTE, 10 * MINUTE]);
        }
        world
    }
}

/// Returns a query window. Most are shorter than those of services, because a life takes as long to compute as its window.
fn query_window(random: &mut Random) -> u64 {
    match random.below(100) {
        0 => random.pick(&[2 * DAY, WEEK]),
        1..4 => DAY,
        4..24 => 6 * HOUR,
        _ => 2 * HOUR,
    }
}

/// Returns the query window of a service with a list. More of them are long: a lifecycle leaves its task to the watcher for
/// up to half a day.
fn watched_window(random: &mut Random) -> u64 {
    match random.below(100) {
        0..2 => WEEK,
        2..5 => DAY,
        5..25 => 6 * HOUR,
        _ => 2 * HOUR,
    }
}

fn list(random: &mut Random) -> List {
    List {
        lag: random.pick(&[0, 0, 5, 120]),
        filters: random.percent(70),
        omits: (0..8).filter(|_| random.percent(10)).collect(),
        repeats: random.percent(20),
    }
}

fn dialect(random: &mut Random) -> Dialect {
    Dialect {
        times: random.pick(&[
            Times::Seconds,
            Times::Seconds,
            Times::Seconds,
            Times::Milliseconds,
            Times::Microseconds,
            Times::Text,
            Times::LocalText,
            Times::Absent,
        ]),
        url_place: random.pick(&[UrlPlace::Content, UrlPlace::Metadata, UrlPlace::Result]),
        url_has_expiry: random.percent(60),
        has_other_words: random.percent(20),
        is_wrapped: random.percent(20),
        id_has_time: random.percent(60),
    }
}

fn tasks(random: &mut Random, world: &World) -> Vec<Task> {
    let count = match world.list {
        Some(_) => MIN_WATCHED as u64 + random.below(4),
        None => 1 + random.below(3),
    };
    (0..count).map(|index| task(random, world, index)).collect()
}

fn task(random: &mut Random, world: &World, index: u64) -> Task {
    let window = world.query_window;
    let created = random.below(window / 8);
    let waits = random.any_length(window / 4);
    let runs = runs(random, world);
    let running = created + waits;
    let ended = running + runs;
    let started = created
        + match random.below(20) {
            0 => random.below(window * 3 / 2),
            1..5 => random.any_length(window / 2),
            5..9 => random.below(MINUTE),
            _ => 0,
        };
    let day = time::text(created, "%Y%m%d%H%M%S", 8);
    Task {
        id: match world.dialect.id_has_time {
            true => format!("cgt-{day}-{index}"),
            false => format!("task-{index}"),
        },
        created,
        visible: match random.percent(20) {
            true => created + random.any_length(8 * MINUTE),
            false => created,
        },
        running,
        ended,
        end: match random.below(20) {
            0 => status::FAILED,
            1 => status::EXPIRED,
            2 => status::CANCELLED,
            _ => status::SUCCEEDED,
        },
        without_url: match random.percent(15) {
            true => random.any_length(window / 2),
            false => 0,
        },
        started,
        download: random.any_length(10 * MINUTE),
        callbacks: match random.below(5) {
            0 => vec![ended + random.below(5)],
            1 => vec![running, ended, ended + random.below(HOUR)],
            _ => Vec::new(),
        },
    }
}

/// Returns how long a task runs. A watcher ends when few tasks are left, so that in a long life most of its tasks must be
/// slow.
fn runs(random: &mut Random, world: &World) -> u64 {
    match world.is_watched_for_days() && random.percent(60) {
        true => random.below(world.query_window),
        false => random.any_length(world.query_window),
    }
}

fn fault(random: &mut Random, world: &World) -> Fault {
    let from = match random.percent(60) {
        true => near_a_change(random, world),
        false => random.below(world.query_window * 5 / 4),
    };
    Fault {
        from,
        until: from + random.any_length(world.query_window),
        kind: kind(random, world),
    }
}

/// Returns a time at which something changes, or shortly before.
fn near_a_change(random: &mut Random, world: &World) -> u64 {
    let index = random.below(world.tasks.len() as u64) as usize;
    let task = &world.tasks[index];
    let change = random.pick(&[
        task.started,
        task.running,
        task.ended,
        task.ended + world.url_lifetime,
        world.last_poll(index),
    ]);
    change.saturating_sub(random.any_length(world.query_window / 4))
}

fn kind(random: &mut Random, world: &World) -> Kind {
    let retry_after = match random.below(4) {
        0 => None,
        1 => Some(random.any_length(10 * MINUTE)),
        2 => Some(random.any_length(2 * world.query_window)),
        _ => Some(4 * world.query_window),
    };
    match random.below(if world.list.is_some() { 17 } else { 13 }) {
        0 => Kind::Api {
            status: 429,
            retry_after,
        },
        1 => Kind::Api {
            status: random.pick(&[500, 502, 503, 404]),
            retry_after,
        },
        2 => Kind::Api {
            status: random.pick(&[401, 403]),
            retry_after: None,
        },
        3 | 4 => Kind::NotFound,
        5 => Kind::Unreadable,
        6 | 7 => Kind::Host { retry_after },
        8 => Kind::Revoked,
        9 => Kind::Corrupt,
        10 => Kind::Store,
        11 | 12 => Kind::Workers,
        13 | 14 => Kind::List,
        15 => Kind::Watcher,
        _ => Kind::Visibility,
    }
}
