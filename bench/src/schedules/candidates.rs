//! The schedules by name: ours, the usual loops, and those of other projects.

use seedance_archiver_policy::completions::CompletionTimes;

use super::{
    mixes::Mix,
    pollers::{Archiver, Loop},
    simulation::{self, Outcome},
};

/// What a candidate is, for the plot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Family {
    Learned,
    TenthOfAge,
    Fixed,
    Exponential,
    OtherProject,
}

pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) family: Family,
    /// Whether the kind of a task is known before its first poll.
    pub(super) knows_kind: bool,
    pub(super) outcome: Outcome,
}

/// Runs all schedules on a mix.
pub(super) fn run_all(mix: &Mix) -> Vec<Candidate> {
    let mut candidates = ours(mix);
    candidates.extend(fixed(mix));
    candidates.push(exponential(mix));
    candidates.extend(other_projects(mix));
    candidates
}

fn ours(mix: &Mix) -> Vec<Candidate> {
    let run = |name: &str, family, archiver: &mut Archiver| Candidate {
        name: name.into(),
        family,
        knows_kind: archiver.knows_kind,
        outcome: simulation::run(mix, archiver),
    };
    let mut learning = Archiver::learning(CompletionTimes::default());
    let learned = run("learned", Family::Learned, &mut learning);
    let state = learning.completions.unwrap_or_default().state();
    let mut from_state = Archiver::learning(CompletionTimes::from_state(state));
    let mut unknown_kind = Archiver::learning(CompletionTimes::default());
    unknown_kind.knows_kind = false;
    vec![
        learned,
        run(
            "learned, from the state of an earlier run",
            Family::Learned,
            &mut from_state,
        ),
        run(
            "learned, kind unknown before the first poll",
            Family::Learned,
            &mut unknown_kind,
        ),
        run(
            "tenth of the age",
            Family::TenthOfAge,
            &mut Archiver::default(),
        ),
    ]
}

fn fixed(mix: &Mix) -> Vec<Candidate> {
    let run = |interval: u32| {
        let name = format!("every {interval} s");
        run_loop(mix, name, Family::Fixed, f64::INFINITY, |_, _| {
            f64::from(interval)
        })
    };
    [5, 10, 15, 30, 60].map(run).into()
}

fn exponential(mix: &Mix) -> Candidate {
    let name = "exponential, 1 s to 30 s".into();
    run_loop(mix, name, Family::Exponential, f64::INFINITY, |_, polls| {
        f64::from(1_u32 << polls.min(5)).min(30.0)
    })
}

/// Other projects that poll Seedance tasks, as their sources had it in November 2026. All of them are taken to sleep before
/// the first poll, which saves a request that never sees a video.
fn other_projects(mix: &Mix) -> Vec<Candidate> {
    let is_flex = mix.kinds.iter().all(|kind| kind.service_tier == "flex");
    let arcreel = match is_flex {
        true => (60.0, 3_600.0),
        false => (10.0, 600.0),
    };
    let run = |name: &str, interval: f64, timeout: f64| {
        run_loop(
            mix,
            name.into(),
            Family::OtherProject,
            timeout,
            move |_, _| interval,
        )
    };
    vec![
        run("ComfyUI, LobeHub: every 5 s for 10 min", 5.0, 600.0),
        run("Vercel AI SDK: every 3 s for 5 min", 3.0, 300.0),
        run(
            "ArcReel: every 10 s for 10 min, flex 60 s for 1 h",
            arcreel.0,
            arcreel.1,
        ),
        run("AceDataCloud: every 15 s for 25 min", 15.0, 1_500.0),
        run_loop(
            mix,
            "genblaze: 5 s, doubled every 30 s up to 30 s, for 10 min".into(),
            Family::OtherProject,
            600.0,
            |age, _| (5.0 * 2_f64.powf((age / 30.0).floor())).min(30.0),
        ),
        Candidate {
            name: "new-api: passes 15 s apart, 1 s a task".into(),
            family: Family::OtherProject,
            knows_kind: false,
            outcome: simulation::run_passes(mix, 15.0, 1.0),
        },
    ]
}

fn run_loop(
    mix: &Mix,
    name: String,
    family: Family,
    timeout: f64,
    interval: impl Fn(f64, u32) -> f64,
) -> Candidate {
    let mut poller = Loop { interval, timeout };
    Candidate {
        name,
        family,
        knows_kind: false,
        outcome: simulation::run(mix, &mut poller),
    }
}
