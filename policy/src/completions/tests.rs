mod distributions;
mod learning;

use seedance_archiver_proto::v1::VideoTask;

use super::{distribution::Distribution, plan::Plan, *};

const MEDIAN: f64 = 90.0;
const SIGMA: f64 = 0.35;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn kind(model: &str) -> TaskKind {
    TaskKind {
        model: model.into(),
        resolution: "1080p".into(),
        duration: 5,
        service_tier: String::new(),
    }
}

/// Reproducible log-normal completion times.
fn samples(count: usize, median: f64, sigma: f64) -> impl Iterator<Item = Duration> {
    let mut state = 1_u64;
    let mut uniform = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    };
    (0..count).map(move |_| {
        let radius = (-2.0 * uniform().ln()).sqrt();
        let deviation = radius * (std::f64::consts::TAU * uniform()).cos();
        Duration::from_secs_f64((median * (sigma * deviation).exp()).round())
    })
}

fn observe(times: &mut CompletionTimes, kind: &TaskKind, count: usize, median: f64) {
    samples(count, median, SIGMA).for_each(|after| times.observe(kind, after));
}

fn learned(count: usize) -> CompletionTimes {
    let mut times = CompletionTimes::default();
    observe(&mut times, &kind("pro"), count, MEDIAN);
    times
}

fn first_poll(times: &mut CompletionTimes, kind: &TaskKind) -> u64 {
    times.expectation(Some(kind)).next_poll(None).as_secs()
}

fn assert_close(found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{found}, not {expected}"
    );
}

fn interval(expectation: &Expectation, age: u64) -> f64 {
    (expectation.next_poll(Some(seconds(age))) - seconds(age)).as_secs_f64()
}

#[test]
fn without_observations_the_interval_is_a_tenth_of_the_age() {
    let mut times = learned(MIN_INFORMED - 1);
    for kind in [None, Some(kind("pro"))] {
        let expectation = times.expectation(kind.as_ref());
        assert!(!expectation.is_informed());
        assert_eq!(expectation.next_poll(None), Duration::ZERO);
        assert_eq!(expectation.next_poll(Some(Duration::ZERO)), seconds(1));
        assert_eq!(expectation.next_poll(Some(seconds(100))), seconds(110));
        assert_eq!(expectation.likely_from(seconds(100)), None);
        assert_eq!(expectation.worth(seconds(100), seconds(110)), 1.0);
    }
}

#[test]
fn the_first_poll_is_made_when_the_task_may_have_ended() {
    let mut times = learned(60);
    let expectation = times.expectation(Some(&kind("pro")));
    assert!(expectation.is_informed());
    let first = expectation.next_poll(None).as_secs();
    assert!((45..75).contains(&first), "{first} s");
    let unknown_kind = times.expectation(None).next_poll(None).as_secs();
    assert!(unknown_kind.abs_diff(first) <= 5, "{unknown_kind} s");
}

#[test]
fn polls_are_densest_when_the_task_is_likely_to_end() {
    let expectation = learned(90).expectation(Some(&kind("pro")));
    let likely = interval(&expectation, 100);
    assert!((5.0..12.0).contains(&likely), "{likely} s");
    assert!(interval(&expectation, 20) > 2.0 * likely);
    assert!(interval(&expectation, 400) > 2.0 * likely);
}

#[test]
fn a_task_that_takes_longer_than_any_before_is_polled_at_about_a_tenth_of_its_age() {
    let expectation = learned(90).expectation(Some(&kind("pro")));
    for age in [400, 1_000, 10_000, 1_000_000] {
        let part = interval(&expectation, age) / age as f64;
        assert!((0.025..=0.2).contains(&part), "{part} of {age} s");
    }
}

#[test]
fn a_new_model_is_polled_like_the_account_until_it_is_learned() {
    let mut times = learned(90);
    let (old, new) = (kind("pro"), kind("pro-2"));
    let (first, first_of_new) = (first_poll(&mut times, &old), first_poll(&mut times, &new));
    assert!(
        (first / 2..=first).contains(&first_of_new),
        "{first_of_new} s, not {first} s"
    );
    observe(&mut times, &new, 10, 4.0 * MEDIAN);
    let learned = first_poll(&mut times, &new);
    assert!(learned > 3 * first / 2, "{learned} s, not {first} s");
    assert!(first_poll(&mut times, &old).abs_diff(first) <= 10);
}

#[test]
fn a_model_that_became_slower_is_relearned() {
    let mut times = learned(90);
    let expected = first_poll(&mut learned_at(2.0 * MEDIAN), &kind("pro"));
    observe(&mut times, &kind("pro"), 60, 2.0 * MEDIAN);
    let expectation = times.expectation(Some(&kind("pro")));
    let interval = interval(&expectation, expected);
    assert!(interval < 30.0, "{interval} s at {expected} s");
    observe(&mut times, &kind("pro"), 90, 2.0 * MEDIAN);
    let first = first_poll(&mut times, &kind("pro"));
    assert!(
        first.abs_diff(expected) < expected / 5,
        "{first} s, not {expected} s"
    );
}

fn learned_at(median: f64) -> CompletionTimes {
    let mut times = CompletionTimes::default();
    observe(&mut times, &kind("pro"), 90, median);
    times
}

#[test]
fn the_first_poll_tells_which_of_two_kinds_a_task_is() {
    let mut times = learned(40);
    observe(&mut times, &kind("slow"), 40, 20.0 * MEDIAN);
    let first = times.expectation(None).next_poll(None).as_secs();
    assert!((45..110).contains(&first), "{first} s");
    assert!(first_poll(&mut times, &kind("pro")).abs_diff(first) <= 10);
    assert!(first_poll(&mut times, &kind("slow")) > 5 * first);
}

#[test]
fn the_first_poll_of_an_unknown_kind_suits_the_kinds_of_the_last_tasks() {
    let first = |medians: [f64; 2]| {
        let mut times = CompletionTimes::default();
        for median in medians {
            observe(&mut times, &kind(&median.to_string()), 60, median);
        }
        times.expectation(None).next_poll(None)
    };
    let (after_slow, after_fast) = (first([90.0, 250.0]), first([250.0, 90.0]));
    assert!(
        after_slow > after_fast + seconds(1),
        "{after_slow:?}, {after_fast:?}"
    );
}

#[test]
fn a_task_is_likely_to_end_at_each_mode() {
    let mut times = learned(40);
    observe(&mut times, &kind("pro"), 40, 20.0 * MEDIAN);
    let expectation = times.expectation(Some(&kind("pro")));
    let likely_from = |age| expectation.likely_from(seconds(age)).map(|it| it.as_secs());
    let first = likely_from(0).unwrap();
    assert!((30..70).contains(&first), "{first} s");
    assert_eq!(likely_from(90), Some(90));
    let second = likely_from(400).unwrap();
    assert!((600..1_400).contains(&second), "{second} s");
    assert_eq!(likely_from(20_000), None);
}

#[test]
fn a_poll_alone_is_worth_one() {
    let expectation = learned(90).expectation(Some(&kind("pro")));
    for age in [0, 50, 90, 150, 400, 5_000] {
        let looked_at = seconds(age);
        let next = expectation.next_poll(Some(looked_at));
        let worth =
            |part| expectation.worth(looked_at, looked_at + (next - looked_at).mul_f64(part));
        assert_eq!(worth(0.0), 0.0);
        assert!((worth(1.0) - 1.0).abs() < 1e-6, "{} at {age} s", worth(1.0));
        let parts = [0.0, 0.25, 0.5, 0.75, 1.0, 1.5].map(worth);
        assert!(parts.is_sorted(), "{parts:?} at {age} s");
    }
}

/// The lag counts, and not only the time that has passed.
#[test]
fn a_poll_is_worth_little_while_hardly_any_task_has_ended() {
    let expectation = learned(90).expectation(Some(&kind("pro")));
    let worth = expectation.worth(seconds(1), seconds(10));
    assert!(worth < 0.01, "{worth}");
}

/// Requests and mean lag of a schedule, if the completion times are log-normal.
fn cost(truth: &Distribution, next: impl Fn(f64) -> Option<f64>) -> (f64, f64) {
    let (mut age, mut requests, mut lag) = (0.0, 0.0, 0.0);
    while let Some(next) = next(age).filter(|_| truth.at(age).unfinished() > 1e-6) {
        assert!(next > age, "polled at {age} s and again at {next} s");
        requests += truth.at(age).unfinished();
        lag += truth.at(age).lag_until(truth.at(next));
        age = next;
    }
    (requests, lag)
}

#[test]
fn the_schedule_is_close_to_the_best_one() {
    for (median, sigma) in [(MEDIAN, SIGMA), (30.0, 0.2), (600.0, 0.5), (9_000.0, 0.4)] {
        let density = Density::log_normal(f64::ln(median), sigma);
        let truth = Distribution::new(&density);
        let mut times = CompletionTimes::default();
        samples(100, median, sigma).for_each(|after| times.observe(&kind("pro"), after));
        let expectation = times.expectation(Some(&kind("pro")));
        let (requests, lag) = cost(&truth, |age| {
            let next = expectation.next_poll(Some(Duration::from_secs_f64(age)));
            Some(next.as_secs_f64())
        });
        let limit = |price| {
            let plan = Plan::new(&density, &truth, price);
            cost(&truth, |age| plan.next(age))
        };
        let prices = (0..200).map(|step| 0.1 * f64::powf(1.05, f64::from(step)));
        let limit = prices.map(limit).find(|(_, at)| *at >= lag);
        let (best, _) = limit.unwrap();
        assert!(
            requests <= 1.15 * best,
            "{requests} not {best} at {lag} s, median {median} s"
        );
    }
}

#[test]
fn the_state_is_bounded_and_is_what_was_observed() {
    let mut times = CompletionTimes::default();
    for index in 0..200 {
        let kind = kind(&format!("{index}{}", "x".repeat(1_000)));
        (0..100).for_each(|_| times.observe(&kind, Duration::MAX));
    }
    let state = times.state();
    assert!(state.kinds.len() <= kinds::MAX_KINDS);
    let count: usize = state.kinds.iter().map(|kind| kind.seconds.len()).sum();
    assert!(
        (1_000..=kinds::MAX_OBSERVATIONS).contains(&count),
        "{count}"
    );
    assert_eq!(CompletionTimes::from_state(state.clone()).state(), state);
}

#[test]
fn the_kind_of_a_task_is_in_its_record() {
    let task = |duration, frames, rate, tier: &str| VideoTask {
        model: "seedance-1-0-pro-250528".into(),
        resolution: "720p".into(),
        duration,
        frames,
        framespersecond: rate,
        service_tier: tier.into(),
        ..VideoTask::default()
    };
    let five_seconds = TaskKind::of(&task(Some(5), None, None, "default"));
    assert_eq!(five_seconds.service_tier, "");
    assert_eq!(five_seconds, TaskKind::of(&task(None, Some(121), None, "")));
    assert_eq!(
        five_seconds,
        TaskKind::of(&task(Some(0), Some(149), Some(30), ""))
    );
    assert_ne!(
        five_seconds,
        TaskKind::of(&task(Some(5), None, None, "flex"))
    );
    let unknown = TaskKind::of(&task(Some(-1), Some(i64::MIN), Some(0), ""));
    assert_eq!(unknown.duration, 0);
    let huge = TaskKind::of(&task(Some(i64::MAX), None, None, ""));
    assert_eq!(huge.duration, u32::MAX);
}
