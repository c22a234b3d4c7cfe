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

use seedance_archiver_lives::{Mutation, World, live, violations};

const DEFAULT_LIVES: u64 = 5_000;
/// Number of lives in which rare errors are found.
const RARE_LIVES: u64 = 200_000;

/// What goes wrong, without numbers: how often, and in which life first.
type Findings = BTreeMap<String, (u64, u64)>;

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

/// Lives with the seeds below `end`, on all processors. Stops after the first finding if `is_one_enough`.
fn find(end: u64, mutation: Option<Mutation>, is_one_enough: bool) -> Findings {
    let (next, findings) = (AtomicU64::new(0), Mutex::new(Findings::new()));
    let found = || findings.lock().unwrap_or_else(PoisonError::into_inner);
    let search = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end || is_one_enough && !found().is_empty() {
                break;
            }
            let world = World::generate(seed);
            for violation in violations(&world, &live(&world, mutation)) {
                let kind = violation.chars().filter(|it| !it.is_ascii_digit());
                let mut found = found();
                let (count, first) = found.entry(kind.collect()).or_insert((0, seed));
                *count += 1;
                *first = seed.min(*first);
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(search);
        }
    });
    findings
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
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
    let findings = find(lives, None, false);
    for (kind, (count, seed)) in &findings {
        println!("{count} times: {kind}; SEED={seed} shows the first life");
    }
    println!("{lives} lives in {} s", started.elapsed().as_secs());
    if let Some(seed) = findings.values().map(|(_, seed)| *seed).min() {
        panic!("{}", describe(seed));
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
        let findings = find(lives, Some(*mutation), true);
        let Some((kind, (_, seed))) = findings.first_key_value() else {
            panic!("{mutation:?} is not found in {lives} lives");
        };
        println!("{mutation:?}: {kind} in life {seed}");
    }
}
