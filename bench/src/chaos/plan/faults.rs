//! Which faults happen, and when.

use std::time::Duration;

use seedance_archiver_simulator::{Fault as ApiFault, ListDialect};

use super::{
    deck::Deck,
    every::every_variant,
    fault::{Answer, Change, Fault, Kind, LinkTo, ListAnswer, Subject, WORKERS},
    video::Account,
};
use crate::random::Random;

/// Faults that last at the same time, on average.
const CONCURRENT: f64 = 3.0;
/// How long a stopped worker is stopped, if the run is long enough.
const STOPPED: Duration = Duration::from_secs(90);
/// Part of the run that a stopped worker is stopped, at most.
const MAX_STOPPED_PART: u32 = 6;
/// How long a fault lasts, in seconds.
const SHORTEST: f64 = 1.0;
const MAX_LONGEST: f64 = 40.0;
/// Part of the run that a fault lasts, at most.
const MAX_PART: f64 = 0.08;

/// Returns the faults of a run of this length, of the kinds that are wanted, in the order of time.
pub(super) fn plan(
    random: &mut Random,
    length: Duration,
    is_wanted: impl Fn(&Kind) -> bool,
) -> Vec<Fault> {
    let mut deck = Deck::new(kinds().into_iter().filter(is_wanted).collect());
    let mut faults: Vec<Fault> = Vec::new();
    let gap = (SHORTEST + longest(length)) / 2.0 / CONCURRENT;
    let mut at = Duration::ZERO;
    while let Some(kind) = deck.draw(random) {
        at += random.between(0.0, 2.0 * gap);
        if at > length {
            break;
        }
        let kind = aimed(random, kind);
        let lasts = duration(random, &kind, length);
        let start = at.max(free_after(&faults, &kind.occupies()));
        if start + lasts <= length {
            faults.push(Fault {
                at: start,
                lasts,
                kind,
            });
        }
    }
    faults.sort_by_key(|fault| fault.at);
    faults
}

fn duration(random: &mut Random, kind: &Kind, length: Duration) -> Duration {
    match kind {
        Kind::StopWorker(_) => STOPPED.min(length / MAX_STOPPED_PART),
        _ => random.between(SHORTEST, longest(length)),
    }
}

fn longest(length: Duration) -> f64 {
    MAX_LONGEST.min(length.as_secs_f64() * MAX_PART)
}

/// Returns when the last fault ends that concerns one of the subjects.
fn free_after(faults: &[Fault], subjects: &[Subject]) -> Duration {
    let concerns = |fault: &&Fault| fault.kind.occupies().iter().any(|it| subjects.contains(it));
    let ends = faults.iter().filter(concerns).map(|it| it.at + it.lasts);
    ends.max().unwrap_or_default()
}

/// Returns the fault at a random worker and account.
fn aimed(random: &mut Random, kind: Kind) -> Kind {
    let worker = random.below(WORKERS);
    let account = Account::ALL[random.below(Account::ALL.len())];
    let listed = Account::WITH_LIST[random.below(Account::WITH_LIST.len())];
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

/// Returns every kind of fault, at the first worker and account.
fn kinds() -> Vec<Kind> {
    let mut kinds = vec![
        Kind::KillWorker(0),
        Kind::StopWorker(0),
        Kind::KillTemporal,
        Kind::KillDatabase,
        Kind::KillStore,
        Kind::KillEverything,
        Kind::FullDisk,
        Kind::FullStore,
    ];
    kinds.extend(Change::ALL.map(|change| Kind::RestartWorker(0, change)));
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

const API_FAULTS: [ApiFault; 11] = every_variant!(ApiFault {
    Unauthorized,
    RateLimited { retry_after: Some(3) },
    RateLimited { retry_after: None },
    Unavailable,
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

#[cfg(test)]
pub(super) fn all_names() -> Vec<String> {
    kinds().iter().map(Kind::name).collect()
}
