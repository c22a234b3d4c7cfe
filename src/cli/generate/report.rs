//! What became of a generation: the result on stdout, and what to do next on stderr.

use std::process::ExitCode;

use anyhow::bail;
use seedance_archiver_proto::{
    names::failure::TASK_REJECTED, outcome, v1::CreateVideoTaskResult, visible,
};
use serde::Serialize;

use crate::{
    cli::{
        follow::Generated,
        output::{Output, print_json},
        report::Report,
    },
    temporal::{generations::Generation, lifecycles::LifecycleError},
};

/// The document of `--output json`.
#[derive(Serialize)]
struct Document<'a> {
    submission_id: &'a str,
    workflow_id: &'a str,
    learned_from: &'a str,
    candidates: &'a [String],
    #[serde(flatten)]
    report: &'a Report,
}

/// Prints the result. Returns 0 if the video is archived, otherwise 1.
///
/// # Errors
///
/// Returns an error if the generation has no result, because the API rejected the request, or for another reason.
pub(super) fn print(
    output: Output,
    generation: &Generation,
    (ui_url, archive_url): (&str, &str),
    Generated { task, submission }: Generated,
) -> anyhow::Result<ExitCode> {
    let error = task.result.as_ref().err().map(describe);
    let has_row = error.is_none() && !submission.submission_ambiguous;
    let report = Report::new(ui_url, archive_url, vec![task]);
    match output {
        Output::Json => print_json(&Document {
            submission_id: generation.submission_id(),
            workflow_id: generation.workflow_id(),
            learned_from: &submission.learned_from,
            candidates: &submission.candidates,
            report: &report,
        })?,
        Output::Text if has_row => report.print(output)?,
        Output::Text => {}
    }
    if let Some(error) = error {
        bail!(error);
    }
    if submission.submission_ambiguous {
        explain_ambiguous(&submission);
    }
    Ok(report.exit_code(&[outcome::ARCHIVED]))
}

fn describe(error: &LifecycleError) -> String {
    match error.failure_type() {
        Some(TASK_REJECTED) => format!(
            "{}; no task was created, so correct the request or settle the account, and run the command again",
            error.message()
        ),
        _ => error.to_string(),
    }
}

fn explain_ambiguous(submission: &CreateVideoTaskResult) {
    errln!(
        "It is not known whether the request created a task: {}",
        visible::escape(&submission.message)
    );
    let candidates: Vec<_> = submission
        .candidates
        .iter()
        .map(|id| visible::escape(id))
        .collect();
    match candidates.first() {
        Some(id) => errln!(
            "Candidates: {}\nIf one of them is yours, archive it:\n  seedance-archiver archive {id}\nIf none is, run the \
             command again with another --submission-id.",
            candidates.join(", ")
        ),
        None => errln!(
            "Candidates: none. If the console of the service does not show the task either, run the command again with \
             another --submission-id."
        ),
    }
}
