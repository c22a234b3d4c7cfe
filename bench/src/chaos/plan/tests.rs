mod accounts;
mod workers;

use std::collections::BTreeSet;

use seedance_archiver_simulator::{Ending, Fault as ApiFault, HeaderDigests, Image, Script};

use super::{
    every::{compare_fields, every_variant},
    *,
};
use crate::chaos::windows;

const LONG: Duration = Duration::from_secs(12 * 60);

#[test]
fn the_same_seed_makes_the_same_plan() {
    assert_eq!(Plan::new(7, 100, LONG), Plan::new(7, 100, LONG));
    assert_ne!(Plan::new(7, 100, LONG), Plan::new(8, 100, LONG));
}

/// The lists do not compile without every variant and every field of the simulator.
#[test]
fn every_kind_of_fault_and_every_dialect_occurs_in_a_long_plan() {
    for seed in 1..20 {
        let plan = Plan::new(seed, 500, LONG);
        let kinds: BTreeSet<_> = plan.faults.iter().map(|fault| fault.kind.name()).collect();
        let missing: Vec<_> = faults::all_names()
            .into_iter()
            .filter(|name| !kinds.contains(name))
            .collect();
        assert!(missing.is_empty(), "seed {seed}: no {missing:?}");
        let has = |is_wanted: &dyn Fn(&Script) -> bool| {
            let mut scripts = plan.videos.iter().map(|video| &video.script);
            scripts.any(is_wanted)
        };
        for host in hosts::all() {
            assert!(has(&|it| it.host == host), "seed {seed}: no {host:?}");
        }
        for dialect in videos::RECORDS.map(Some) {
            let has = has(&|it| it.dialect == dialect);
            assert!(has, "seed {seed}: no {dialect:?}");
        }
        for corruption in videos::CORRUPTIONS.map(Some) {
            let has = has(&|it| it.corrupt == corruption);
            assert!(has, "seed {seed}: no {corruption:?}");
        }
        assert!(has(&|it| it.unlisted), "seed {seed}: no unlisted task");
    }
}

/// Returns the fields of a script, and whether they are set.
fn fields(script: &Script) -> impl Iterator<Item = (&'static str, bool)> {
    let default = Script::default();
    let fields = compare_fields!(
        Script {
            ending,
            queued,
            running,
            generate_audio,
            last_frame,
            bytes,
            bytes_per_second,
            hold_at,
            video_url,
            no_url_for,
            garbage,
            dead_urls,
            wrapped,
            cuts,
            cut_after,
            corrupt,
            corrupt_downloads,
            digests,
            no_ranges,
            age,
            url_lifetime,
            signs_once,
            flex,
            unlisted,
            extra,
            dialect,
            callback_url,
            host,
        },
        script,
        default
    );
    fields.into_iter()
}

#[test]
fn every_field_of_a_script_is_set_in_a_long_plan() {
    // The URL of callbacks is set when the task is created.
    let expected = BTreeSet::from(["callback_url"]);
    for seed in 1..20 {
        let plan = Plan::new(seed, 500, LONG);
        let mut unset: BTreeSet<_> = fields(&Script::default()).map(|it| it.0).collect();
        for (name, _) in plan
            .videos
            .iter()
            .flat_map(|it| fields(&it.script))
            .filter(|it| it.1)
        {
            unset.remove(name);
        }
        assert_eq!(unset, expected, "seed {seed}");
    }
}

#[test]
fn every_ending_image_and_kind_of_digest_occurs_in_a_long_plan() {
    let endings = every_variant!(Ending {
        Succeeded,
        Failed,
        Cancelled,
        Expired,
    });
    let images = every_variant!(Image { Png, Jpeg }).map(Some);
    let digests = every_variant!(HeaderDigests {
        Original,
        Served,
        Absent,
    });
    for seed in 1..20 {
        let plan = Plan::new(seed, 500, LONG);
        let scripts = || plan.videos.iter().map(|video| &video.script);
        for ending in endings {
            assert!(
                scripts().any(|it| it.ending == ending),
                "{seed}: {ending:?}"
            );
        }
        for image in images {
            assert!(
                scripts().any(|it| it.last_frame == image),
                "{seed}: {image:?}"
            );
        }
        for kind in digests {
            assert!(scripts().any(|it| it.digests == kind), "{seed}: {kind:?}");
        }
    }
}

#[test]
fn a_download_stands_still_only_for_a_while() {
    for (length, longest) in [(LONG, 60), (Duration::from_secs(60), 19)] {
        for video in Plan::new(7, 500, length).videos {
            assert_eq!(video.script.hold_at.is_some(), !video.held_for.is_zero());
            assert!(video.held_for <= Duration::from_secs(longest));
            assert!(video.held_for.is_zero() || video.expected == Expected::Archived);
        }
    }
}

#[test]
fn a_429_comes_without_a_delay_and_with_a_short_and_a_long_one() {
    let names = faults::all_names();
    for retry_after in ["Some(3)", "Some(25)", "None"] {
        let fault = format!("Fault(RateLimited {{ retry_after: {retry_after} }})");
        for name in [format!("API: {fault}"), format!("lists: {fault}")] {
            assert!(names.contains(&name), "{name}");
        }
    }
}

#[test]
fn what_0_1_0_archives_by_mistake_can_be_left_out() {
    let mut plan = Plan::new(7, 500, LONG);
    let left = |plan: &Plan| {
        let is_mistaken = |script: &Script| {
            let page = script.host.error_page;
            script.dialect == Some(RecordDialect::RepeatsSecrets)
                || ![ErrorPage::Xml, ErrorPage::Expired].contains(&page)
        };
        let scripts = plan.videos.iter().map(|video| &video.script);
        scripts.filter(|script| is_mistaken(script)).count()
    };
    assert_ne!(left(&plan), 0);
    plan.leave_out_mistakes_of_0_1_0();
    assert_eq!(left(&plan), 0);
}

#[test]
fn only_videos_that_cannot_be_had_are_of_hosts_and_records_from_which_none_can() {
    for video in Plan::new(7, 500, LONG).videos {
        let script = video.script;
        let is_savable = !script.host.changing_bytes
            && script.dialect != Some(RecordDialect::Unreadable)
            && !(script.unlisted && video.trigger == Trigger::Nobody);
        let is_lost = matches!(video.expected, Expected::Lost(_));
        assert!(is_savable || is_lost, "{script:?}");
    }
}

#[test]
fn a_steady_plan_has_one_rate_and_every_fault_that_workers_survive() {
    let plan = Plan::steady(7, 30 * 60, Duration::from_secs(30 * 60));
    let is_steady = |pair: &[Video]| pair[1].at - pair[0].at == Duration::from_secs(1);
    assert!(plan.videos.windows(2).all(is_steady));
    let kinds: BTreeSet<_> = plan.faults.iter().map(|fault| fault.kind.name()).collect();
    let missing = faults::all_names()
        .into_iter()
        .filter(|name| !kinds.contains(name));
    let replacing = ["killed worker", "killed everything"];
    let changes = Change::ALL.map(Change::name);
    let replacing = replacing.into_iter().chain(changes).map(str::to_owned);
    let replacing: BTreeSet<_> = replacing.collect();
    assert_eq!(missing.collect::<BTreeSet<_>>(), replacing);
}

#[test]
fn half_of_the_videos_are_called_and_half_are_found() {
    let plan = Plan::new(7, 500, LONG);
    let called = |video: &&Video| video.trigger == Trigger::Call;
    assert_eq!(plan.videos.iter().filter(called).count(), 250);
}

#[test]
fn a_tenth_of_the_savable_called_videos_has_a_deadline_within_reach() {
    for seed in 1..20 {
        let plan = Plan::new(seed, 500, LONG);
        let is_savable =
            |video: &&Video| video.trigger == Trigger::Call && video.expected == Expected::Archived;
        let savable: Vec<_> = plan.videos.iter().filter(is_savable).collect();
        let urgent = savable.iter().filter(|it| !it.script.age.is_zero());
        let urgent: Vec<_> = urgent.collect();
        let part = urgent.len() as f64 / savable.len() as f64;
        assert!((0.03..0.2).contains(&part), "seed {seed}: {part}");
        for video in urgent {
            let script = &video.script;
            let left = windows::query_window() - script.age;
            assert_eq!(left, Duration::from_secs(20 * 60));
            assert!(script.url_lifetime.is_some_and(|lifetime| lifetime < left));
            assert!(video.hidden_for.is_zero() && !script.signs_once);
            assert_eq!(script.dialect, None);
        }
    }
}

#[test]
fn the_queries_of_some_savable_tasks_fail_in_every_way() {
    for seed in 1..20 {
        let plan = Plan::new(seed, 500, LONG);
        let broken = plan.videos.iter().filter(|it| it.query_fault.is_some());
        let broken: Vec<_> = broken.collect();
        assert!(broken.iter().all(|it| it.expected == Expected::Archived));
        for fault in videos::QUERY_FAULTS {
            let mut faults = broken.iter().filter_map(|it| it.query_fault);
            let has = faults.any(|(it, _)| it == fault);
            assert!(has, "seed {seed}: no {fault:?}");
        }
    }
}

#[test]
fn faults_and_videos_are_in_order_and_end_in_time() {
    let length = Duration::from_secs(60);
    let plan = Plan::new(7, 30, length);
    assert!(plan.faults.len() >= 15, "{}", plan.faults.len());
    assert!(plan.faults.is_sorted_by_key(|fault| fault.at));
    assert!(plan.videos.is_sorted_by_key(|video| video.at));
    let ends = plan.faults.iter().map(|fault| fault.at + fault.lasts);
    assert!(ends.max().unwrap() <= length);
    assert!(plan.videos.iter().all(|video| video.at <= length));
}

/// Returns the reasons of faults for a video in the middle of a run with one fault.
fn reasons(kind: Kind, fault_at: u64, expected: Expected) -> Vec<&'static str> {
    let mut plan = Plan::new(7, 1, LONG);
    let mut video = plan.videos.remove(0);
    video.at = Duration::from_secs(300);
    video.trigger = Trigger::Call;
    video.expected = expected;
    plan.faults = vec![Fault {
        at: Duration::from_secs(fault_at),
        lasts: Duration::from_secs(10),
        kind,
    }];
    plan.reasons_of_faults(&video)
}

#[test]
fn only_a_fault_meanwhile_that_concerns_a_video_excuses_its_reason() {
    let lost = || Expected::Lost(vec!["url_expired"]);
    let store = ["store_unavailable"];
    assert_eq!(reasons(Kind::KillStore, 300, lost()), store);
    assert!(reasons(Kind::KillStore, 300, Expected::Archived).is_empty());
    for long_before_or_after in [200, 500] {
        assert!(reasons(Kind::KillStore, long_before_or_after, lost()).is_empty());
    }
    assert_eq!(reasons(Kind::FullStore, 300, lost()), store);
    let restart = |change| Kind::RestartWorker(1, change);
    let reason = "seal_key_missing";
    assert!(reasons(restart(Change::EarlierSealKey), 300, lost()).contains(&reason));
    assert!(!reasons(restart(Change::FewerAccounts), 300, lost()).contains(&reason));
    // Nobody polls until the window has closed.
    let everything = reasons(Kind::KillEverything, 300, lost());
    assert!(everything.contains(&"query_window_closed"));
    // No video that may be lost goes there.
    assert!(reasons(Kind::FullDisk, 300, lost()).is_empty());
    let of_account: [fn(Account) -> Kind; 2] = [
        |account| Kind::Answer(account, Answer::Fault(ApiFault::Unauthorized)),
        |account| Kind::Cut(LinkTo::Api(1, account)),
    ];
    for kind in of_account {
        assert!(!reasons(kind(Account::Called), 300, lost()).is_empty());
        assert!(reasons(kind(Account::Automatic), 300, lost()).is_empty());
    }
}

#[test]
fn an_answer_of_the_api_excuses_the_reason_that_it_gives() {
    for (fault, expected) in [
        (ApiFault::Unauthorized, &["unauthorized"][..]),
        (ApiFault::Forbidden, &["unauthorized"]),
        (
            ApiFault::Overloaded { retry_after: 25 },
            &["upstream_unavailable", "rate_limited"],
        ),
    ] {
        let answer = Kind::Answer(Account::Called, Answer::Fault(fault));
        let lost = Expected::Lost(vec!["url_expired"]);
        assert_eq!(reasons(answer, 300, lost), expected, "{fault:?}");
    }
}

#[test]
fn a_worker_that_starts_meanwhile_excuses_a_query_that_was_not_sent() {
    let is_excused = |kind: Kind, fault_at: u64| {
        let reasons = reasons(kind, fault_at, Expected::Lost(vec!["query_window_closed"]));
        reasons.contains(&"rate_limited")
    };
    for starting in [
        Kind::KillWorker(1),
        Kind::RestartWorker(1, Change::Key),
        Kind::RestartWorker(1, Change::FewerAccounts),
        Kind::RestartWorker(1, Change::EarlierSealKey),
        Kind::KillEverything,
        Kind::KillTemporal,
    ] {
        assert!(is_excused(starting.clone(), 300), "{starting:?}");
        for long_before_or_after in [200, 500] {
            assert!(!is_excused(starting.clone(), long_before_or_after));
        }
    }
    for other in [
        Kind::StopWorker(1),
        Kind::KillStore,
        Kind::Cut(LinkTo::Api(1, Account::Called)),
    ] {
        assert!(!is_excused(other.clone(), 300), "{other:?}");
    }
}

#[test]
fn the_link_of_the_callers_interrupts_only_their_worker_and_those_of_callbacks_none() {
    let callers = Kind::HalfOpen(LinkTo::Callers);
    assert!(callers.interrupts(None) && !callers.interrupts(Some(1)));
    assert!(!callers.hampers(1));
    let callbacks = Kind::HalfOpen(LinkTo::Callbacks(1));
    assert!(!callbacks.interrupts(None) && !callbacks.interrupts(Some(1)));
    assert!(!callbacks.hampers(1));
    let lost = || Expected::Lost(vec!["url_expired"]);
    // A call that comes late is a first poll that comes late.
    assert!(reasons(callers, 300, lost()).contains(&"outside_query_window"));
    assert!(reasons(callbacks, 300, lost()).is_empty());
}

#[test]
fn two_faults_never_concern_the_same_part_at_the_same_time() {
    let plan = Plan::new(7, 100, LONG);
    for (number, fault) in plan.faults.iter().enumerate() {
        let later = plan.faults[number + 1..].iter();
        for other in later.filter(|other| other.at < fault.at + fault.lasts) {
            let shared = fault.kind.occupies();
            let shared = shared.iter().find(|it| other.kind.occupies().contains(it));
            assert_eq!(shared, None, "{fault:?} and {other:?}");
        }
    }
}
