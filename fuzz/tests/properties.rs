//! Every target as a property test: with any bytes, and with seeds that are mutated. The source files say whether the targets
//! leave something out.

// Tests may panic.
#![allow(clippy::panic, clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use proptest::{
    collection::vec,
    prelude::*,
    sample::Index,
    test_runner::{Config, TestRunner},
};
use seedance_archiver_fuzz::{TARGETS, Target, payload, url_expiry};

/// Minimum number of inputs of each of the two kinds for each target.
const CASES: u32 = 100;
/// Number of mutations of each seed, on average.
const CASES_OF_SEED: usize = 2;

/// A change of an input.
#[derive(Clone, Debug)]
enum Mutation {
    Flip(Index, u8),
    Set(Index, u8),
    Truncate(Index),
    Remove(Index, usize),
    Insert(Index, Vec<u8>),
    /// Replaces the rest by the end of another seed.
    Splice(Index, Index, Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let index = any::<Index>;
    prop_oneof![
        3 => (index(), 0..8_u8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        3 => (index(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        1 => index().prop_map(Mutation::Truncate),
        2 => (index(), 1..40_usize).prop_map(|(at, count)| Mutation::Remove(at, count)),
        2 => (index(), vec(any::<u8>(), 1..12)).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        1 => (index(), index(), index()).prop_map(|(at, seed, from)| Mutation::Splice(at, seed, from)),
    ]
}

impl Mutation {
    fn apply(&self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let length = input.len();
        match self {
            Self::Insert(at, bytes) => {
                let at = at.index(length + 1);
                input.splice(at..at, bytes.iter().copied());
            }
            Self::Splice(at, seed, from) => {
                let seed = seed.get(seeds);
                input.truncate(at.index(length + 1));
                input.extend(&seed[from.index(seed.len() + 1)..]);
            }
            _ if length == 0 => {}
            Self::Flip(at, bit) => input[at.index(length)] ^= 1 << bit,
            Self::Set(at, byte) => input[at.index(length)] = *byte,
            Self::Truncate(at) => input.truncate(at.index(length)),
            Self::Remove(at, count) => {
                let at = at.index(length);
                input.drain(at..(at + count).min(length));
            }
        }
    }
}

/// Checks the seeds, mutated seeds and any bytes.
fn test(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let seeds = (target.seeds)();
    for seed in &seeds {
        (target.check)(seed);
    }
    let mutated = (any::<Index>(), vec(mutation(), 1..6)).prop_map({
        let seeds = seeds.clone();
        move |(seed, mutations)| {
            let mut input = seed.get(&seeds).clone();
            for mutation in mutations {
                mutation.apply(&mut input, &seeds);
            }
            input
        }
    });
    let cases = CASES.max((CASES_OF_SEED * seeds.len()) as u32);
    run(target, cases, mutated);
    run(target, CASES, vec(any::<u8>(), 0..300));
}

fn run(target: &Target, cases: u32, inputs: impl Strategy<Value = Vec<u8>>) {
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let result = runner.run(&inputs, |input| {
        (target.check)(&input);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{}: {error}", target.name);
    }
}

macro_rules! tests {
    ($($name:ident,)*) => {
        $(#[test]
        fn $name() {
            test(stringify!($name));
        })*

        #[test]
        fn every_target_is_tested() {
            let tested = [$(stringify!($name)),*];
            assert!(TARGETS.iter().map(|target| target.name).eq(tested));
        }
    };
}

tests! {
    accounts,
    callback,
    content_range,
    error_body,
    file_ends,
    key_template,
    list,
    mp4,
    payload,
    receipt,
    record,
    redaction,
    retry_after,
    url_expiry,
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap()
}

/// Returns the names that follow a text at the beginning of a line, in alphabetical order.
fn names_after(text: &str, source: &str) -> Vec<String> {
    let rests = source.lines().filter_map(|line| line.strip_prefix(text));
    let name = |rest: &str| {
        let name = rest.chars().take_while(char::is_ascii_alphanumeric);
        name.collect::<String>()
    };
    let mut names: Vec<_> = rests.map(name).collect();
    names.sort();
    names
}

/// Returns the texts in the lists of texts among the constants of a source file.
fn listed(code: &str) -> Vec<String> {
    let constants = code.split("const ").filter_map(|it| it.split_once('='));
    let lists = constants.filter(|(declaration, _)| declaration.contains("[&str;"));
    let values = lists.filter_map(|(_, value)| value.split(']').next());
    let texts = values.flat_map(|value| value.split('"').skip(1).step_by(2));
    texts.map(str::to_owned).collect()
}

#[test]
fn every_message_of_the_contract_is_a_payload() {
    let directory = workspace().join("proto/seedance/archiver/v1");
    let files = fs::read_dir(directory).unwrap();
    let sources = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    let sources: Vec<_> = sources.collect();
    let mut messages: Vec<_> = payload::names().collect();
    messages.sort_unstable();
    assert_eq!(messages, names_after("message ", &sources.concat()));
}

#[test]
fn every_message_that_is_validated_is_validated_as_a_payload() {
    let source = read("workflows/src/request.rs");
    assert_eq!(payload::REQUESTS, names_after("impl Check for ", &source));
}

#[test]
fn every_parameter_with_an_expiry_is_written_into_a_url() {
    let source = read("seedance/src/url_expiry.rs");
    let code = source.split("#[cfg(test)]").next().unwrap();
    let named = code.split("parameter(\"").skip(1);
    let named = named
        .filter_map(|it| it.split('"').next())
        .map(str::to_owned);
    let mut parameters: Vec<_> = listed(code).into_iter().chain(named).collect();
    parameters.sort();
    let mut written = url_expiry::parameters();
    written.sort_unstable();
    assert_eq!(written, parameters);
}
