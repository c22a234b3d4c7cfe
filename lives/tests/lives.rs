//! Lives in many worlds. `LIVES` is their number, `SEED` a single one.

#![allow(clippy::print_stdout, clippy::panic, missing_docs)]

use std::{
    collections::BTreeMap,
    env,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use seedance_archiver_lives::{Mutation, Videos, World, live, violations};

const DEFAULT_LIVES: u64 = 5_000;
/// Number of lives in which rare errors are found.
const RARE_LIVES: u64 = 200_000;

/// An oracle that could archive few videos would prove little. It must be able to archive one of so many.
const VIDEOS_PER_SAVABLE: u64 = 3;
/// Number of videos from which on their share is checked.
const MIN_VIDEOS: u64 = 100;
/// The longest delay for which a lifecycle leaves its task to the watcher, in seconds.
const MAX_BACKSTOP: u64 = 12 * 60 * 60;

/// What goes wrong, without numbers: how often, and in which life first.
type Findings = BTreeMap<String, (u64, u64)>;

/// What an oracle could archive in the lives in one kind of world.
#[derive(Default)]
struct Share {
    lives: u64,
    savable_lives: u64,
    videos: u64,
    savable: u64,
}

/// What lives show.
#[derive(Default)]
struct Run {
    findings: Findings,
    /// For each kind of world.
    shares: BTreeMap<&'static str, Share>,
    /// In seconds.
    longest_backstop: u64,
}

impl Run {
    /// Returns what the life with a seed shows.
    fn of(seed: u64, mutation: Option<Mutation>) -> Self {
        let world = World::generate(seed);
        let life = live(&world, mutation);
        let mut findings = Findings::new();
        for violation in violations(&world, &life) {
            let kind = violation.chars().filter(|it| !it.is_ascii_digit());
            findings.entry(kind.collect()).or_insert((0, seed)).0 += 1;
        }
        let videos = Videos::of(&world);
        let share = Share {
            lives: 1,
            savable_lives: u64::from(videos.savable > 0),
            videos: videos.count,
            savable: videos.savable,
        };
        Self {
            findings,
            shares: [(world.kind(), share)].into(),
            longest_backstop: life.longest_backstop(),
        }
    }

    fn add(&mut self, other: Self) {
        for (kind, (count, first)) in other.findings {
            let found = self.findings.entry(kind).or_insert((0, first));
            *found = (found.0 + count, found.1.min(first));
        }
        for (kind, share) in other.shares {
            let sum = self.shares.entry(kind).or_default();
            sum.lives += share.lives;
            sum.savable_lives += share.savable_lives;
            sum.videos += share.videos;
            sum.savable += share.savable;
        }
        self.longest_backstop = self.longest_backstop.max(other.longest_backstop);
    }

    fn print_shares(&self) {
        for (kind, share) in &self.shares {
            let (lives, savable_lives) = (share.lives, share.savable_lives);
            let percent = |part: u64, whole: u64| 100 * part / whole.max(1);
            println!(
                "{lives} lives {kind}: in {} % of them an oracle could archive a video, {} % of all videos",
                percent(savable_lives, lives),
                percent(share.savable, share.videos)
            );
        }
        let minutes = self.longest_backstop / 60;
        println!("a task was left to the watcher for up to {minutes} minutes");
    }

    fn check_shares(&self) {
        for (kind, share) in &self.shares {
            let is_small = share.savable < share.videos / VIDEOS_PER_SAVABLE;
            let is_checked = share.videos >= MIN_VIDEOS;
            assert!(!(is_checked && is_small), "few savable videos {kind}");
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

/// Lives with the seeds below `end`, on all processors. Stops after the first finding if `is_one_enough`.
fn find(end: u64, mutation: Option<Mutation>, is_one_enough: bool) -> Run {
    let (next, run) = (AtomicU64::new(0), Mutex::new(Run::default()));
    let locked = || run.lock().unwrap_or_else(PoisonError::into_inner);
    let search = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end || is_one_enough && !locked().findings.is_empty() {
                break;
            }
            let lived = Run::of(seed, mutation);
            locked().add(lived);
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(search);
        }
    });
    run.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Describes a life: its world, what happened, and what went wrong.
fn describe(seed: u64) -> String {
    let world = World::generate(seed);
    let life = live(&world, None);
    let violations = violations(&world, &life).join("\n");
    format!("{world:#?}\n{}\n{violations}", life.trace())
}

#[test]
fn whatever_an_oracle_could_archive_is_archived() {
    if let Some(seed) = number("SEED") {
        return println!("{}", describe(seed));
    }
    let (lives, started) = (number("LIVES").unwrap_or(DEFAULT_LIVES), Instant::now());
    let run = find(lives, None, false);
    for (kind, (count, seed)) in &run.findings {
        println!("{count} times: {kind}; SEED={seed} shows the first life");
    }
    run.print_shares();
    println!("{lives} lives in {} s", started.elapsed().as_secs());
    if let Some(seed) = run.findings.values().map(|(_, seed)| *seed).min() {
        panic!("{}", describe(seed));
    }
    run.check_shares();
    if lives >= DEFAULT_LIVES {
        assert_eq!(run.shares.len(), 3, "a kind of world is missing");
        assert_eq!(run.longest_backstop, MAX_BACKSTOP);
    }
}

#[test]
fn each_mutation_is_found() {
    check_found(&Mutation::FREQUENT, DEFAULT_LIVES);
}

/// `ci/extended` runs it with `--release`.
#[test]
#[ignore = "takes minutes"]
fn each_rare_mutation_is_found() {
    check_found(&Mutation::RARE, RARE_LIVES);
}

fn check_found(mutations: &[Mutation], lives: u64) {
    for mutation in mutations {
        let run = find(lives, Some(*mutation), true);
        let Some((kind, (_, seed))) = run.findings.first_key_value() else {
            panic!("{mutation:?} is not found in {lives} lives");
        };
        println!("{mutation:?}: {kind} in life {seed}");
    }
}
