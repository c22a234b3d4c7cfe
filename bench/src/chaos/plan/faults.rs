//! Which faults happen, and when.
//!
//! Those of workers come first, because they last long: they are spread over the run. The others are drawn from a deck.

mod workers;

use std::time::Duration;

use seedance_archiver_simulator::{Fault as ApiFault, ListDialect};

use super::{
    deck::Deck,
    every::every_variant,
    fault::{Answer, Fault, Kind, LinkTo, ListAnswer, Subject, WORKERS},
    video::Account,
};
use crate::random::Random;

/// Faults that last at the same time, on average, besides those of workers.
const CONCURRENT: f64 = 2.5;
/// How long a fault lasts, in seconds.
const SHORTEST: f64 = 1.0;
const MAX_LONGEST: f64 = 40.0;
/// Part of the run that a fault lasts, at most.
const MAX_PART: f64 = 0.08;
/// Pause between two faults that concern the same part.
const PAUSE: Duration = Duration::from_secs(3);
/// Before this time, workers are about to start.
const START: Duration = Duration::from_secs(10);
/// How often another time is tried for a fault of workers if there is no room.
const ATTEMPTS: usize = 20;

/// Returns the faults of a run of this length, of the kinds that are wanted, in the order of time.
pub(super) fn plan(
    random: &mut Random,
    length: Duration,
    is_wanted: impl Fn(&Kind) -> bool,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (kinds, count) in workers::kinds(length) {
        let kinds: Vec<_> = kinds.into_iter().filter(&is_wanted).collect();
        spread(random, &mut faults, kinds, count, length);
    }
    let others = other_kinds().into_iter().filter(&is_wanted).collect();
    draw(random, &mut faults, others, length);
    faults.sort_by_key(|fault| fault.at);
    faults
}

/// Adds so many faults of these kinds, evenly over the run.
fn spread(
    random: &mut Random,
    faults: &mut Vec<Fault>,
    kinds: Vec<Kind>,
    count: usize,
    length: Duration,
) {
    let mut deck = Deck::new(kinds);
    for number in 0..count {
        let Some(kind) = deck.draw(random) else {
            return;
        };
        for _ in 0..ATTEMPTS {
            let lasts = duration(random, &kind, length);
            let room = length.saturating_sub(START + lasts).as_secs_f64();
            let part = |number: usize| room * number as f64 / count as f64;
            let at = START + random.between(part(number), part(number + 1));
            if add(random, faults, &kind, (at, lasts), length) {
                break;
            }
        }
    }
}

/// Adds faults of these kinds until the end of the run.
fn draw(random: &mut Random, faults: &mut Vec<Fault>, kinds: Vec<Kind>, length: Duration) {
    let mut deck = Deck::new(kinds);
    let gap = (SHORTEST + longest(length)) / 2.0 / CONCURRENT;
    let mut at = Duration::ZERO;
    while let Some(kind) = deck.draw(random) {
        at += random.between(0.0, 2.0 * gap);
        if at > length {
            break;
        }
        let lasts = duration(random, &kind, length);
        if at + lasts <= length {
            add(random, faults, &kind, (at, lasts), length);
        }
    }
}

/// Adds a fault that begins at a time and lasts for a while. If what it concerns is not free, it begins later or, if there is no
/// time left, earlier. Returns whether there was room.
fn add(
    random: &mut Random,
    faults: &mut Vec<Fault>,
    kind: &Kind,
    (at, lasts): (Duration, Duration),
    length: Duration,
) -> bool {
    let aims = aims(random, kind);
    for from in [at, START] {
        let starts = aims.iter().map(|kind| {
            let start = free_from(faults, &kind.occupies(), from, lasts);
            (start, kind)
        });
        let first = starts.min_by_key(|(start, _)| *start);
        if let Some((at, kind)) = first.filter(|(start, _)| *start + lasts <= length) {
            let kind = kind.clone();
            faults.push(Fault { at, lasts, kind });
            return true;
        }
    }
    false
}

fn duration(random: &mut Random, kind: &Kind, length: Duration) -> Duration {
    match kind {
        Kind::StopWorker(_) => workers::stopped(length),
        Kind::RestartWorker(..) => workers::changed(random, length),
        _ => random.between(SHORTEST, longest(length)),
    }
}

fn longest(length: Duration) -> f64 {
    MAX_LONGEST.min(length.as_secs_f64() * MAX_PART)
}

/// Returns when a fault can begin that concerns these subjects, at a time or later.
fn free_from(faults: &[Fault], subjects: &[Subject], from: Duration, lasts: Duration) -> Duration {
    let concerns = |fault: &&Fault| fault.kind.occupies().iter().any(|it| subjects.contains(it));
    let taken = faults.iter().filter(concerns);
    let mut taken: Vec<_> = taken.map(|it| (it.at, it.at + it.lasts)).collect();
    taken.sort();
    let mut start = from;
    for (begin, end) in taken {
        if start < end + PAUSE && begin < start + lasts + PAUSE {
            start = end + PAUSE;
        }
    }
    start
}

/// Returns the fault at each worker, the first of them at random, and at random accounts.
fn aims(random: &mut Random, kind: &Kind) -> Vec<Kind> {
    let first = random.below(WORKERS);
    let workers = (0..WORKERS).map(|number| (first + number) % WORKERS);
    workers
        .map(|worker| aimed(random, kind.clone(), worker))
        .collect()
}

/// Returns the fault at a worker and random accounts.
fn aimed(random: &mut Random, kind: Kind, worker: usize) -> Kind {
    let account = any_of(random, &Account::ALL);
    let listed = any_of(random, &Account::WITH_LIST);
    let link = |link| match link {
        LinkTo::Temporal(_) => LinkTo::Temporal(worker),
        LinkTo::Store(_) => LinkTo::Store(worker),
        LinkTo::Api(..) => LinkTo::Api(worker, account),
        LinkTo::Callbacks(_) => LinkTo::Callbacks(worker),
        link @ (LinkTo::Database | LinkTo::Callers) => link,
    };
    match kind {
        Kind::KillWorker(_) => Kind::KillWorker(worker),
        Kind::StopWorker(_) => Kind::StopWorker(worker),
        Kind::RestartWorker(_, change) => Kind::RestartWorker(worker, change),
        Kind::Cut(it) => Kind::Cut(link(it)),
        Kind::Slow(it) => Kind::Slow(link(it)),
        Kind::HalfOpen(it) => Kind::HalfOpen(link(it)),
        Kind::Answer(_, answer) => Kind::Answer(account, answer),
        Kind::List(_, answer) => Kind::List(listed, answer),
        other => other,
    }
}

/// Returns one of these accounts, more often one that most videos are of: each other one has two videos in the shortest run.
fn any_of(random: &mut Random, accounts: &[Account]) -> Account {
    let with_most = [Account::Called, Account::Automatic].repeat(2);
    let all = [accounts, with_most.as_slice()].concat();
    all[random.below(all.len())]
}

/// Returns every kind of fault besides those of workers, at the first worker and account.
fn other_kinds() -> Vec<Kind> {
    let mut kinds = vec![
        Kind::KillTemporal,
        Kind::KillDatabase,
        Kind::KillStore,
        Kind::FullDisk,
        Kind::FullStore,
    ];
    for link in LINKS {
        kinds.extend([Kind::Cut(link), Kind::Slow(link), Kind::HalfOpen(link)]);
    }
    let answers = API_FAULTS.map(Answer::Fault).into_iter();
    let answers = answers.chain([Answer::Date]);
    kinds.extend(answers.map(|answer| Kind::Answer(Account::Called, answer)));
    let lists = API_FAULTS.map(ListAnswer::Fault).into_iter();
    let lists = lists.chain(LIST_DIALECTS.map(ListAnswer::Dialect));
    kinds.extend(lists.map(|answer| Kind::List(Account::Automatic, answer)));
    kinds
}

const LINKS: [LinkTo; 6] = every_variant!(LinkTo {
    Temporal(0),
    Store(0),
    Api(0, Account::Called),
    Database,
    Callers,
    Callbacks(0),
});

/// A delay in `Retry-After` that is longer than the interval of polls and lists, in seconds: a client that ignores it is early.
pub(super) const LONG_DELAY: u64 = 25;

const API_FAULTS: [ApiFault; 14] = every_variant!(ApiFault {
    Unauthorized,
    Forbidden,
    RateLimited { retry_after: Some(3) },
    RateLimited { retry_after: Some(LONG_DELAY) },
    RateLimited { retry_after: None },
    Unavailable,
    Overloaded { retry_after: LONG_DELAY },
    Page,
    ErrorAs200,
    Truncated,
    NoBackend,
    LargePage,
    NoResponse,
    LateResponse,
});

/// A client can tell that pages are limited only if the limit is a round number.
const LIST_DIALECTS: [ListDialect; 11] = every_variant!(ListDialect {
    IgnoresPageNum,
    LimitsPages(10),
    RequiresModel,
    RefusesTiers,
    LacksTiers,
    ListsAllTiers,
    IgnoresTaskIds,
    NoContent,
    ShortItems,
    UnreadableItem,
    Lags(Duration::from_secs(20)),
});

/// Returns every kind of fault, at the first worker and account.
pub(in crate::chaos) fn all_kinds() -> Vec<Kind> {
    let of_workers = workers::kinds(Duration::ZERO).into_iter();
    let kinds = of_workers.flat_map(|(kinds, _)| kinds);
    kinds.chain(other_kinds()).collect()
}

#[cfg(test)]
pub(super) fn all_names() -> Vec<String> {
    all_kinds().iter().map(Kind::name).collect()
}
