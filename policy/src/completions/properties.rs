//! Property tests with completion times and states that no service has.

use proptest::{collection::vec, prelude::*};

use super::*;

fn kinds() -> impl Strategy<Value = TaskKind> {
    ("[ab]?", "[cd]?", 0..3_u32, "|default|flex").prop_map(|(model, resolution, duration, tier)| {
        TaskKind {
            model,
            resolution,
            duration,
            service_tier: tier,
        }
    })
}

fn ages() -> impl Strategy<Value = Duration> {
    let millis = prop_oneof![0..200_000_u64, 0..10_000_000_u64, 0..10_000_000_000_u64];
    millis.prop_map(Duration::from_millis)
}

fn completion_times() -> impl Strategy<Value = CompletionTimes> {
    let around = (1..20_000_u64, vec(0..100_u64, 1..30));
    let around = around.prop_map(|(from, more)| more.iter().map(|it| from + it).collect());
    let seconds = prop_oneof![around, vec(0..300_u64, 1..30), vec(any::<u64>(), 1..5)];
    vec((kinds(), seconds), 0..6).prop_map(|kinds: Vec<(_, Vec<u64>)>| {
        let mut times = CompletionTimes::default();
        for (kind, seconds) in kinds {
            for seconds in seconds {
                times.observe(&kind, Duration::from_secs(seconds));
            }
        }
        times
    })
}

fn states() -> impl Strategy<Value = v1::CompletionTimes> {
    let name = || prop_oneof!["[ab]?", "\\PC{0,200}"];
    let kind = (
        name(),
        name(),
        any::<u32>(),
        name(),
        vec(any::<u32>(), 0..300),
    );
    let kind = kind.prop_map(|(model, resolution, duration, service_tier, seconds)| {
        v1::KindCompletionTimes {
            model,
            resolution,
            duration,
            service_tier,
            seconds,
        }
    });
    vec(kind, 0..100).prop_map(|kinds| v1::CompletionTimes { kinds })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_next_poll_is_later(
        mut times in completion_times(),
        kind in proptest::option::of(kinds()),
        ages in vec(ages(), 1..20),
    ) {
        let expectation = times.expectation(kind.as_ref());
        for age in ages {
            let next = expectation.next_poll(Some(age));
            let interval = next.saturating_sub(age);
            prop_assert!(interval >= Duration::from_secs(1), "{age:?}: {next:?}");
            // No task takes longer than a week.
            let max_interval = Duration::from_secs(8 * 24 * 60 * 60) + age / 10;
            prop_assert!(interval <= max_interval, "{age:?}: {next:?}");
            let likely_from = expectation.likely_from(age);
            prop_assert!(likely_from.is_none_or(|from| from >= age));
        }
    }

    /// A task that was polled later is polled next no earlier, but for what is rounded.
    #[test]
    fn the_next_poll_increases_with_the_age(
        mut times in completion_times(),
        kind in proptest::option::of(kinds()),
        ages in (ages(), ages()),
    ) {
        let expectation = times.expectation(kind.as_ref());
        let (earlier, later) = (ages.0.min(ages.1), ages.0.max(ages.1));
        let next = |age| expectation.next_poll(Some(age));
        let rounding = next(later) / 20 + Duration::from_secs(2);
        prop_assert!(next(earlier) <= next(later) + rounding, "{earlier:?}, {later:?}");
    }

    #[test]
    fn worth_is_finite_and_increases(
        mut times in completion_times(),
        kind in proptest::option::of(kinds()),
        looked_at in ages(),
        waited in (ages(), ages()),
    ) {
        let expectation = times.expectation(kind.as_ref());
        let (earlier, later) = (waited.0.min(waited.1), waited.0.max(waited.1));
        let worth = |waited| expectation.worth(looked_at, looked_at + waited);
        prop_assert!(worth(earlier).is_finite() && worth(earlier) >= 0.0);
        prop_assert!(worth(earlier) <= worth(later) * 1.000_001 + 1e-6);
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn any_state_can_be_read(state in states(), kind in kinds()) {
        let mut times = CompletionTimes::from_state(state);
        let state = times.state();
        prop_assert!(state.kinds.len() <= kinds::MAX_KINDS);
        for kind in &state.kinds {
            prop_assert!(kind.model.len() <= 100 && !kind.seconds.is_empty());
        }
        prop_assert_eq!(CompletionTimes::from_state(state.clone()).state(), state);
        for kind in [None, Some(&kind)] {
            let expectation = times.expectation(kind);
            prop_assert!(expectation.next_poll(None) < Duration::from_secs(8 * 24 * 60 * 60));
        }
    }
}
