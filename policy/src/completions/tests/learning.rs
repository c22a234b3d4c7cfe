//! What is kept of the tasks that ended, and how much it counts.

use super::*;
use crate::completions::{kinds::Kinds, observations};

fn count(times: &CompletionTimes) -> usize {
    let state = times.state();
    state.kinds.iter().map(|kind| kind.seconds.len()).sum()
}

#[test]
fn completion_times_are_between_a_second_and_a_week() {
    let mut times = CompletionTimes::default();
    for after in [Duration::ZERO, seconds(90), Duration::MAX] {
        times.observe(&kind("pro"), after);
    }
    assert_eq!(times.state().kinds[0].seconds, [1, 90, 604_800]);
}

#[test]
fn the_kinds_and_observations_that_fit_are_kept() {
    let observe = |times: &mut CompletionTimes, index: usize, count: usize| {
        let kind = kind(&index.to_string());
        (0..count).for_each(|_| times.observe(&kind, seconds(90)));
    };
    let first = |times: &CompletionTimes| times.state().kinds[0].model.clone();
    let mut times = CompletionTimes::default();
    for index in 0..=kinds::MAX_KINDS {
        observe(&mut times, index, 1);
    }
    assert_eq!(times.state().kinds.len(), kinds::MAX_KINDS);
    assert_eq!(first(&times), "1");

    let (max, max_of_kind) = (kinds::MAX_OBSERVATIONS, observations::MAX_OBSERVATIONS);
    let last = max / max_of_kind;
    let mut times = CompletionTimes::default();
    for index in 0..last {
        observe(&mut times, index, max_of_kind);
    }
    observe(&mut times, last, max % max_of_kind);
    assert_eq!((count(&times), &*first(&times)), (max, "0"));
    observe(&mut times, last, 1);
    assert_eq!(
        (count(&times), &*first(&times)),
        (max + 1 - max_of_kind, "1")
    );
}

#[test]
fn the_share_of_a_kind_decays_with_each_other_task() {
    let mut kinds = Kinds::default();
    for model in ["pro", "lite", "lite"] {
        kinds.observe(kind(model), seconds(90));
    }
    let shares: Vec<_> = kinds.iter().map(|it| it.share).collect();
    assert_close(shares[0], 0.98 * 0.98, 1e-9);
    assert_close(shares[1], 0.98 + 1.0, 1e-9);
}

#[test]
fn what_is_known_of_a_kind_that_became_rare_is_kept() {
    let rare = kind("rare");
    let mut times = CompletionTimes::default();
    observe(&mut times, &rare, 40, 20.0 * MEDIAN);
    let [earlier, later] = [1_000, 40_000].map(|count| {
        observe(&mut times, &kind("pro"), count, MEDIAN);
        first_poll(&mut times, &rare)
    });
    assert!(earlier.abs_diff(later) <= 5, "{earlier} s, {later} s");
}

#[test]
fn as_many_observations_as_the_evidence_count_half() {
    for (count, evidence, expected) in
        [(0, 4.0, 0.0), (4, 4.0, 0.5), (12, 4.0, 0.75), (1, 1.0, 0.5)]
    {
        assert_close(weight(count, evidence), expected, 1e-9);
    }
}

#[test]
fn a_model_is_another_one_in_each_service_tier() {
    let pro = kind("pro");
    let short = TaskKind {
        resolution: "480p".into(),
        duration: 1,
        ..kind("pro")
    };
    let flex = TaskKind {
        service_tier: "flex".into(),
        ..kind("pro")
    };
    assert!(short.has_model_of(&pro));
    assert!(!flex.has_model_of(&pro) && !kind("lite").has_model_of(&pro));
}

#[test]
fn a_task_ended_when_its_record_last_changed() {
    assert_eq!(completed_after(1_000, 1_090), Some(seconds(90)));
    assert_eq!(completed_after(1_000, 999), None);
    assert_eq!(completed_after(0, 1_090), None);
    assert_eq!(completed_after(1_000, 0), None);
}

fn first_poll_of(times: &mut CompletionTimes, kind: Option<&TaskKind>) -> Duration {
    times.expectation(kind).next_poll(None)
}

/// A watcher needs the expectation of each task whenever it chooses a request.
#[test]
fn an_expectation_is_kept_until_more_than_an_eighth_of_its_observations_are_new() {
    for (expected, observed) in [(Some(kind("pro")), kind("pro")), (None, kind("lite"))] {
        let mut times = learned(40);
        let before = first_poll_of(&mut times, expected.as_ref());
        for _ in 0..5 {
            times.observe(&observed, seconds(200));
            assert_eq!(first_poll_of(&mut times, expected.as_ref()), before);
        }
        times.observe(&observed, seconds(200));
        assert_ne!(first_poll_of(&mut times, expected.as_ref()), before);
    }
}

#[test]
fn an_expectation_is_computed_anew_after_many_tasks_of_other_kinds() {
    let (pro, lite) = (kind("pro"), kind("lite"));
    for (observed, max_new) in [(40, 40), (96, 48)] {
        let mut times = learned(observed);
        let before = first_poll_of(&mut times, Some(&pro));
        first_poll_of(&mut times, Some(&lite));
        for _ in 0..max_new {
            times.observe(&lite, seconds(200));
            assert_eq!(first_poll_of(&mut times, Some(&pro)), before);
        }
        times.observe(&lite, seconds(200));
        assert_ne!(first_poll_of(&mut times, Some(&pro)), before);
    }
}
