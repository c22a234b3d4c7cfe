//! Every path through a workflow has a history of the version in development.
//!
//! What has a name in the source of the workflows is taken from there, so that a new patch, signal or activity without a
//! history fails a test. The paths that no name stands for are in [`PATHS`].

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use seedance_archiver_proto::{names::search_attribute, reason};
use seedance_archiver_workflows::encoding::Encoding;

use crate::{
    current, edited, files,
    workflow_path::{CURRENT, path, workflow_type},
};

const LIFECYCLE: &str = "VideoTaskLifecycle";
const SWEEP: &str = "SweepVideoTasks";
const WATCHER: &str = "AccountWatcher";
const AUDIT: &str = "AuditArchive";
const DELIVERY: &str = "DeliverEvent";
const GENERATION: &str = "GenerateVideo";
const SUBMISSION: &str = "VideoTaskSubmission";
const CLAIM: &str = "VideoTaskClaim";

/// The workflows that callers start, in any encoding.
const OF_CALLERS: [&str; 4] = [LIFECYCLE, SWEEP, AUDIT, GENERATION];

/// The steps that one history of a workflow has. Those after `no` are not in it.
#[rustfmt::skip]
const PATHS: &[(&str, &[&str])] = &[
    // The video is archived: by this lifecycle, or by another one, whose receipt is found at the end.
    (LIFECYCLE, &["activity id archive", "ended archived"]),
    (LIFECYCLE, &["activity id archive", "ended archived",
        "no search attribute SeedanceOutcome"]),
    (LIFECYCLE, &["activity id archive", "ended archived", "request with destination"]),
    (LIFECYCLE, &["activity id record", "ended archived"]),
    (LIFECYCLE, &["activity id record", "ended archived", "cancel requested"]),
    // There is no video.
    (LIFECYCLE, &["activity id record", "ended unsuccessful"]),
    (LIFECYCLE, &["activity id record", "ended VideoLost"]),
    (LIFECYCLE, &["activity id record", "ended lost", "request with report_only"]),
    (LIFECYCLE, &["activity id archive", "activity id record", "ended VideoLost"]),
    (LIFECYCLE, &["patch record-every-ending", "activity id record", "ended unknown"]),
    // The task was erased, as the transfer finds out, or the recording of another end.
    (LIFECYCLE, &["activity id archive", "activity id record", "reason erased"]),
    (LIFECYCLE, &["no activity id archive", "no patch record-every-ending", "reason erased"]),
    (LIFECYCLE, &["no activity id archive", "patch record-every-ending", "reason erased"]),
    // The workflow fails.
    (LIFECYCLE, &["no patch check-destination", "ended InvalidRequest"]),
    (LIFECYCLE, &["patch check-destination", "ended InvalidRequest"]),
    (LIFECYCLE, &["no patch record-every-ending", "ended StoreConflict"]),
    (LIFECYCLE, &["patch record-every-ending", "activity id archive", "ended Broken"]),
    // The workflow is cancelled during a poll, a transfer, or the recording of the end.
    (LIFECYCLE, &["cancel requested", "no activity id archive", "no activity id cancel",
        "ended unknown"]),
    (LIFECYCLE, &["cancel requested", "activity id cancel", "ended unknown"]),
    (LIFECYCLE, &["cancel requested", "activity id archive", "ended unknown"]),
    (LIFECYCLE, &["cancel requested", "request with cancel_task", "no activity id cancel",
        "ended unknown"]),
    (LIFECYCLE, &["cancel requested", "activity id record-again", "ended unsuccessful"]),
    // `outcome.json` cannot be written.
    (LIFECYCLE, &["cancel requested", "no activity id archive", "no activity id cancel",
        "ActivityTaskFailed StoreUnavailable", "ended unknown"]),
    // A nudge ends a poll, at once or a second after its start.
    (LIFECYCLE, &["signal nudge", "no TimerStarted", "ActivityTaskCanceled", "ended archived"]),
    (LIFECYCLE, &["signal nudge", "TimerStarted", "ActivityTaskCanceled", "ended archived"]),
    // The poll ends before a nudge cancels it, or all the same.
    (LIFECYCLE, &["signal nudge", "TimerStarted", "no ActivityTaskCancelRequested"]),
    (LIFECYCLE, &["signal nudge", "ActivityTaskCancelRequested", "no ActivityTaskCanceled"]),
    // The history is too long, because of polls or of nudges.
    (LIFECYCLE, &["no signal nudge", "ended continued-as-new"]),
    (LIFECYCLE, &["signal nudge", "ended continued-as-new"]),
    (LIFECYCLE, &["request with resumed", "ended archived"]),
    (LIFECYCLE, &["request with resumed", "ended VideoLost"]),
    // How it was started, and joined.
    (LIFECYCLE, &["started by a workflow", "ended archived"]),
    (LIFECYCLE, &["started by Nexus", "ended archived"]),
    (LIFECYCLE, &["started by Nexus", "ended VideoLost"]),
    (LIFECYCLE, &["joined by Nexus", "ended archived"]),

    (SWEEP, &["ended completed"]),
    (SWEEP, &["request with destination", "ended completed"]),
    (SWEEP, &["ended continued-as-new"]),
    (SWEEP, &["request with resumed", "ended completed"]),
    (SWEEP, &["ended InvalidRequest"]),
    (SWEEP, &["ended UnknownAccount"]),
    (SWEEP, &["cancel requested", "ended canceled"]),

    (WATCHER, &["ended completed"]),
    (WATCHER, &["ended continued-as-new"]),
    (WATCHER, &["request with completion_times", "ended completed"]),
    (WATCHER, &["ended InvalidRequest"]),
    (WATCHER, &["cancel requested", "ended canceled"]),

    (AUDIT, &["ended completed"]),
    (AUDIT, &["request with destination", "ended completed"]),
    (AUDIT, &["ended continued-as-new"]),
    (AUDIT, &["request with resumed", "ended completed"]),
    (AUDIT, &["ended InvalidRequest"]),
    (AUDIT, &["ended DestinationNotAllowed"]),
    (AUDIT, &["cancel requested", "ended canceled"]),

    (DELIVERY, &["ended completed"]),
    (DELIVERY, &["ended InvalidRequest"]),
    (DELIVERY, &["ended WebhookFailed"]),
    (DELIVERY, &["cancel requested", "ended canceled"]),

    (GENERATION, &["activity id await", "ended archived"]),
    (GENERATION, &["activity id await", "ended VideoLost"]),
    (GENERATION, &["activity id await", "ended lost", "request with report_only"]),
    (GENERATION, &["activity id await", "ended StoreConflict"]),
    (GENERATION, &["no activity id await", "ended unknown"]),
    (GENERATION, &["no activity id create", "ended InvalidRequest"]),
    (GENERATION, &["activity id create", "ended TaskRejected"]),
    (GENERATION, &["no activity id await", "cancel requested", "ended canceled"]),
    (GENERATION, &["activity id await", "cancel requested", "ended canceled"]),

    // A signal names the task: at once, during the search, or after the list did not decide it.
    (SUBMISSION, &["signal created", "no activity id find", "child VideoTaskLifecycle"]),
    (SUBMISSION, &["signal created", "no activity id find", "cancel requested", "ended completed"]),
    (SUBMISSION, &["signal created", "activity id find", "ActivityTaskCancelRequested"]),
    (SUBMISSION, &["signal created", "activity id find", "no ActivityTaskCancelRequested"]),
    // The list shows the task: without a lifecycle, with one, or as its own.
    (SUBMISSION, &["no signal created", "activity id find", "child VideoTaskLifecycle"]),
    (SUBMISSION, &["no child VideoTaskLifecycle", "activity id find", "child VideoTaskClaim"]),
    (SUBMISSION, &["no child VideoTaskLifecycle", "activity id find", "no child VideoTaskClaim",
        "no cancel requested", "ended completed"]),
    // Somebody else started the lifecycle, or claimed the task.
    (SUBMISSION, &["child VideoTaskLifecycle not started", "child VideoTaskClaim",
        "no child VideoTaskClaim not started", "ended completed"]),
    (SUBMISSION, &["child VideoTaskLifecycle not started", "child VideoTaskClaim not started",
        "ended completed"]),
    // Nobody reports an answer for five minutes. Then the list shows the task, or nobody names it for seven days.
    (SUBMISSION, &["no signal unanswered", "no signal created", "TimerFired", "activity id find",
        "child VideoTaskLifecycle", "ended completed"]),
    (SUBMISSION, &["no signal unanswered", "no signal created", "TimerFired", "activity id find",
        "no child VideoTaskLifecycle", "no child VideoTaskClaim", "no cancel requested", "ended completed"]),
    // The five minutes end during the search.
    (SUBMISSION, &["signal unanswered", "TimerFired", "activity id find", "child VideoTaskLifecycle",
        "ended completed"]),
    // The workflow is cancelled during the search.
    (SUBMISSION, &["no signal created", "activity id find", "cancel requested", "child VideoTaskLifecycle",
        "ended completed"]),
    // The list did not decide it, and the workflow is cancelled.
    (SUBMISSION, &["no child VideoTaskLifecycle", "activity id find", "cancel requested",
        "ended completed"]),
    // The request is invalid.
    (SUBMISSION, &["no TimerStarted", "ended completed"]),
    // The request created nothing.
    (SUBMISSION, &["ended terminated"]),

    (CLAIM, &["started by a workflow", "ended completed"]),
];

/// Reasons that no result of a workflow has: it fails instead, or is terminated, or times out.
const OF_NO_RESULT: [&str; 4] = [
    reason::INVALID_REQUEST,
    reason::STORE_CONFLICT,
    reason::TERMINATED,
    reason::TIMED_OUT,
];

/// A recorded workflow: its type and its path.
type Recorded = (String, Vec<String>);

#[test]
fn every_path_has_a_history() -> anyhow::Result<()> {
    let recorded = recorded()?;
    let missing: Vec<_> = PATHS
        .iter()
        .filter(|(workflow, steps)| !has_history(&recorded, workflow, steps))
        .collect();
    assert!(missing.is_empty(), "no history in {CURRENT}: {missing:#?}");
    for workflow in OF_CALLERS {
        for encoding in Encoding::ALL {
            let step = format!("encoding {}", encoding.name());
            let has_history = has_history(&recorded, workflow, &[step.as_str()]);
            assert!(has_history, "no history in {CURRENT}: {workflow}, {step}");
        }
    }
    Ok(())
}

fn has_history(recorded: &[Recorded], workflow: &str, steps: &[&str]) -> bool {
    let mut of_workflow = recorded.iter().filter(|(it, _)| it == workflow);
    of_workflow.any(|(_, path)| steps.iter().all(|step| is_on(path, step)))
}

/// Returns whether a path has a step, or lacks that after `no`.
fn is_on(path: &[String], step: &str) -> bool {
    let has = |step: &str| path.iter().any(|it| it == step);
    match step.strip_prefix("no ") {
        Some(step) => !has(step),
        None => has(step),
    }
}

#[test]
fn every_name_in_the_source_is_in_a_history() -> anyhow::Result<()> {
    let recorded = recorded()?;
    let recorded: BTreeSet<_> = recorded.iter().flat_map(|(_, path)| path).collect();
    let workflows = source("src")?;
    let mut steps = Vec::new();
    for (kind, any, literal) in [
        ("patch", ".patched(", ".patched(\""),
        ("signal", "#[signal", "#[signal(name = \""),
        ("update", "#[update", "#[update(name = \""),
        ("activity", "#[activity(", "#[activity(name = \""),
    ] {
        let names = strings_after(&workflows, literal);
        let all = workflows.matches(any).count();
        assert_eq!(names.len(), all, "{kind}: the name must be a literal");
        steps.extend(names.iter().map(|name| format!("{kind} {name}")));
    }
    let names = source("../proto/src/names.rs")?;
    let ids = strings_after(&names, "_ACTIVITY_ID: &str = \"");
    steps.extend(ids.iter().map(|id| format!("activity id {id}")));
    let reasons = source("../proto/src/reason.rs")?;
    let mut reasons = strings_after(&reasons, ": &str = \"");
    reasons.retain(|reason| !OF_NO_RESULT.contains(reason));
    steps.extend(reasons.iter().map(|reason| format!("reason {reason}")));
    let attributes = search_attribute::ALL
        .iter()
        .chain([&search_attribute::USER]);
    steps.extend(attributes.map(|name| format!("search attribute {name}")));
    steps.retain(|step| !recorded.contains(step));
    assert!(steps.is_empty(), "no history in {CURRENT} has {steps:#?}");
    Ok(())
}

/// Guards against a workflow, or another way to end or to start a child, that nobody added to the list.
#[test]
fn the_list_has_every_workflow_child_and_continuation() -> anyhow::Result<()> {
    let source = source("src")?;
    let workflows: BTreeSet<_> = PATHS.iter().map(|(workflow, _)| workflow).collect();
    assert_eq!(workflows.len(), source.matches("#[run(").count());
    let with_step = |step: &str| {
        let with_step = PATHS.iter().filter(|(_, steps)| steps.contains(&step));
        with_step
            .map(|(workflow, _)| workflow)
            .collect::<BTreeSet<_>>()
    };
    let continued = source.matches("ctx.continue_as_new(").count();
    assert_eq!(with_step("ended continued-as-new").len(), continued);
    for child in source.split(".start_child_workflow(").skip(1) {
        let name = child.split([':', ',']).next().unwrap_or_default();
        assert!(!with_step(&format!("child {name}")).is_empty(), "{name}");
    }
    Ok(())
}

#[test]
fn the_path_of_a_workflow_has_what_its_code_and_its_caller_decide() -> anyhow::Result<()> {
    let history = edited::history("v0.2.0/VideoTaskLifecycle-unknown-9.json")?;
    assert_eq!(workflow_type(&history), "VideoTaskLifecycle");
    assert_eq!(
        path(&history),
        [
            "encoding json/plain",
            "activity QueryVideoTask",
            "activity id query",
            "cancel requested",
            "ActivityTaskCancelRequested",
            "ActivityTaskFailed TaskNotFound",
            "patch record-every-ending",
            "activity RecordOutcome",
            "activity id record",
            "ActivityTaskCompleted",
            "ended unknown",
            "reason cancelled_by_caller",
        ]
    );
    Ok(())
}

#[test]
fn the_path_of_a_submission_has_its_children() -> anyhow::Result<()> {
    let history = edited::history("v0.2.0/VideoTaskSubmission-completed-5.json")?;
    assert_eq!(
        path(&history),
        [
            "encoding json/plain",
            "TimerStarted",
            "signal created",
            "child VideoTaskLifecycle",
            "child VideoTaskLifecycle not started",
            "child VideoTaskClaim",
            "ChildWorkflowExecutionStarted",
            "ended completed",
        ]
    );
    Ok(())
}

#[test]
fn the_path_of_a_lost_video_has_the_reason_in_the_failure() -> anyhow::Result<()> {
    let history = edited::history("v0.2.0/VideoTaskLifecycle-VideoLost-6.json")?;
    let path = path(&history);
    for step in [
        "request with resumed",
        "search attribute SeedanceOutcome",
        "ended VideoLost",
        "reason query_window_closed",
    ] {
        assert!(path.iter().any(|it| it == step), "no {step:?} in {path:?}");
    }
    Ok(())
}

/// Returns what is recorded of the version in development.
fn recorded() -> anyhow::Result<Vec<Recorded>> {
    let mut recorded = Vec::new();
    for (_, json) in current()? {
        let history = serde_json::from_slice(&json)?;
        recorded.push((workflow_type(&history), path(&history)));
    }
    Ok(recorded)
}

/// Returns the code in a file or a directory, without its tests, by its path in this crate.
fn source(path: &str) -> anyhow::Result<String> {
    let mut left: Vec<PathBuf> = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(path)];
    let mut source = String::new();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(files(&path)?);
            continue;
        }
        let code = fs::read_to_string(&path)?;
        source += code.split("#[cfg(test)]").next().unwrap_or_default();
    }
    Ok(source)
}

/// Returns the string literals that begin after this text.
fn strings_after<'a>(source: &'a str, text: &str) -> Vec<&'a str> {
    let after = source.split(text).skip(1);
    after.filter_map(|rest| rest.split('"').next()).collect()
}
