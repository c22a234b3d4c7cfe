//! What accounts ask for: tasks of several kinds, and how long each takes.

use seedance_archiver_policy::completions::TaskKind;

use super::truth::Truth;
use crate::random::Random;

const TASKS: usize = 10_000;
const SEED: u64 = 20;

pub(super) struct Mix {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) kinds: Vec<TaskKind>,
    /// In the order in which they were created.
    pub(super) tasks: Vec<Task>,
    /// The distributions that the tasks were drawn from, with the number of tasks of each.
    pub(super) truths: Vec<(usize, Truth)>,
}

pub(super) struct Task {
    /// Index of the kind.
    pub(super) kind: usize,
    /// In seconds.
    pub(super) created_at: f64,
    /// Seconds from creation to end.
    pub(super) ends_after: f64,
}

pub(super) fn all() -> Vec<Mix> {
    vec![
        one_model(),
        many_kinds(),
        queue_at_peak(),
        flex(),
        new_speed(),
    ]
}

fn one_model() -> Mix {
    let truths = vec![Truth::log_normal(90.0, 0.35)];
    let about = "one model, log-normal: median 90 s, sigma 0.35";
    Mix::new(
        "one model",
        about,
        vec![kind("pro", "1080p", 5)],
        1.0,
        truths,
        |_, _, _| (0, 0),
    )
}

/// The parts of the kinds sum to 1.
fn many_kinds() -> Mix {
    let kinds = [
        (0.20, kind("lite", "480p", 5), 25.0, 0.25),
        (0.15, kind("lite", "720p", 5), 40.0, 0.30),
        (0.10, kind("pro", "480p", 5), 45.0, 0.30),
        (0.10, kind("pro-fast", "1080p", 5), 60.0, 0.30),
        (0.20, kind("pro", "1080p", 5), 110.0, 0.35),
        (0.12, kind("pro", "1080p", 10), 190.0, 0.35),
        (0.08, kind("pro-audio", "1080p", 12), 320.0, 0.40),
        (0.05, kind("pro-audio", "1080p", 15), 600.0, 0.40),
    ];
    let truth =
        |(_, _, median, sigma): &(f64, TaskKind, f64, f64)| Truth::log_normal(*median, *sigma);
    let truths = kinds.iter().map(truth).collect();
    let parts = kinds.each_ref().map(|(part, ..)| *part);
    let about = "eight kinds of four models, medians from 25 s to 10 min";
    let kinds = kinds.into_iter().map(|(_, kind, ..)| kind).collect();
    Mix::new(
        "many kinds",
        about,
        kinds,
        1.0,
        truths,
        move |_, _, random| {
            let mut left = random.uniform();
            let chosen = parts.iter().position(|part| {
                left -= part;
                left <= 0.0
            });
            let chosen = chosen.unwrap_or_default();
            (chosen, chosen)
        },
    )
}

fn queue_at_peak() -> Mix {
    let with_queue = |queued| Truth::mixture(&[(1.0 - queued, 90.0, 0.30), (queued, 900.0, 0.40)]);
    let about = "5 % of the tasks wait a quarter of an hour; 60 % in two of six hours";
    let truths = vec![with_queue(0.05), with_queue(0.60)];
    let kinds = vec![kind("pro", "1080p", 5)];
    Mix::new(
        "queue at peak",
        about,
        kinds,
        10.0,
        truths,
        |_, created_at, _| {
            let hour = created_at / 3_600.0 % 6.0;
            (0, usize::from(hour >= 4.0))
        },
    )
}

fn flex() -> Mix {
    let about = "service tier flex: median 2.5 h, sigma 0.5";
    let kind = TaskKind {
        service_tier: "flex".into(),
        ..kind("pro", "1080p", 5)
    };
    let truths = vec![Truth::log_normal(9_000.0, 0.5)];
    Mix::new("flex", about, vec![kind], 60.0, truths, |_, _, _| (0, 0))
}

fn new_speed() -> Mix {
    let about = "median 90 s, and 180 s from the middle on, sigma 0.35";
    let truths = vec![
        Truth::log_normal(90.0, 0.35),
        Truth::log_normal(180.0, 0.35),
    ];
    let kinds = vec![kind("pro", "1080p", 5)];
    Mix::new("new speed", about, kinds, 4.0, truths, |index, _, _| {
        (0, usize::from(index >= TASKS / 2))
    })
}

fn kind(model: &str, resolution: &str, duration: u32) -> TaskKind {
    TaskKind {
        model: format!("seedance-1-0-{model}"),
        resolution: resolution.into(),
        duration,
        service_tier: String::new(),
    }
}

impl Mix {
    /// Draws the tasks. `choose` returns the kind and the distribution of a task from its number and creation time.
    fn new(
        name: &'static str,
        about: &'static str,
        kinds: Vec<TaskKind>,
        mean_gap: f64,
        truths: Vec<Truth>,
        choose: impl Fn(usize, f64, &mut Random) -> (usize, usize),
    ) -> Self {
        let mut random = Random::new(SEED);
        let mut truths: Vec<_> = truths.into_iter().map(|truth| (0, truth)).collect();
        let mut created_at = 0.0;
        let tasks = (0..TASKS).map(|index| {
            created_at += random.exponential(mean_gap);
            let (kind, truth) = choose(index, created_at, &mut random);
            let (count, truth) = &mut truths[truth];
            *count += 1;
            Task {
                kind,
                created_at,
                ends_after: truth.sample(&mut random),
            }
        });
        let tasks = tasks.collect();
        Self {
            name,
            about,
            kinds,
            tasks,
            truths,
        }
    }
}
