use super::*;

/// Returns how long the faults that are wanted last.
fn times(plan: &Plan, is_wanted: impl Fn(&Kind) -> bool) -> Vec<Duration> {
    let faults = plan.faults.iter().filter(|fault| is_wanted(&fault.kind));
    faults.map(|fault| fault.lasts).collect()
}

#[test]
fn workers_are_killed_and_stopped_several_times_in_a_long_plan() {
    for seed in 1..20 {
        let plan = Plan::new(seed, 500, LONG);
        let kills = times(&plan, |kind| matches!(kind, Kind::KillWorker(_)));
        assert!(kills.len() >= 5, "seed {seed}: {kills:?}");
        let stops = times(&plan, |kind| matches!(kind, Kind::StopWorker(_)));
        let are_long = stops.iter().all(|it| *it == Duration::from_secs(90));
        assert!(stops.len() >= 3 && are_long, "seed {seed}: {stops:?}");
        let everything = times(&plan, |kind| *kind == Kind::KillEverything);
        assert!(everything.len() >= 2, "seed {seed}: {everything:?}");
    }
}

/// Then the checker looks for a worker with each change in the histories.
#[test]
fn workers_run_with_each_change_for_a_minute_or_two_in_a_long_plan() {
    let (minute, two) = (Duration::from_secs(60), Duration::from_secs(120));
    for seed in 1..20 {
        let plan = Plan::new(seed, 500, LONG);
        for change in Change::ALL {
            let has_change =
                |kind: &Kind| matches!(kind, Kind::RestartWorker(_, it) if *it == change);
            let times = times(&plan, has_change);
            let is_right = |it: &Duration| (minute..=two).contains(it);
            assert!(!times.is_empty(), "seed {seed}: no {change:?}");
            assert!(
                times.iter().all(is_right),
                "seed {seed}, {change:?}: {times:?}"
            );
        }
    }
}

/// Each start silences a worker for 15 s.
#[test]
fn workers_start_seldom_in_the_shortest_plan() {
    for seed in 1..20 {
        let plan = Plan::new(seed, 24, Duration::from_secs(60));
        let is_change = |kind: &Kind| matches!(kind, Kind::RestartWorker(..));
        assert_eq!(times(&plan, is_change).len(), 2, "seed {seed}");
        let is_other = |kind: &Kind| kind.replaces_workers() && !is_change(kind);
        assert_eq!(times(&plan, is_other).len(), 2, "seed {seed}");
    }
}

#[test]
fn workers_run_for_most_of_the_time() {
    for seed in 1..20 {
        let plan = Plan::new(seed, 500, LONG);
        let is_down = |kind: &Kind| matches!(kind, Kind::KillWorker(_) | Kind::StopWorker(_));
        let one: Duration = times(&plan, is_down).into_iter().sum();
        let all: Duration = times(&plan, |kind| *kind == Kind::KillEverything)
            .into_iter()
            .sum();
        let workers = WORKERS as u32;
        let part = (one + all * workers).div_duration_f64(LONG * workers);
        assert!(part < 1.0 / 3.0, "seed {seed}: {part}");
    }
}
