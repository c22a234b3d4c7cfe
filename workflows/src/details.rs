//! What people see of a workflow in the Temporal UI: its current details, in Markdown.

use seedance_archiver_proto::{
    phase,
    v1::{
        LifecycleProgress, SweepPage, SweepVideoTasksResult, VideoTask, VideoTaskLifecycleResult,
    },
};

use crate::format::utc;

/// What is known while the lifecycle runs, and what happens next.
pub fn of_progress(progress: &LifecycleProgress) -> String {
    let next = match progress.phase.as_str() {
        phase::ARCHIVING => {
            "The video is being archived: bytes and the last fault are in the pending activity \
             `archive`."
        }
        _ => {
            "The task is asked about until it has ended: when, how often and what came of it is in \
             the pending activity `query`. The signal `nudge` asks at once."
        }
    };
    match &progress.task {
        Some(task) => format!("{}\n\n{next}", of_task(task)),
        None => format!("No news of the task yet.\n\n{next}"),
    }
}

/// How the lifecycle ended.
pub fn of_result(result: &VideoTaskLifecycleResult) -> String {
    let mut details = format!("**{}**", result.outcome);
    if !result.reason.is_empty() {
        details += &format!(" (`{}`): {}", plain(&result.reason), plain(&result.message));
    }
    if let Some(manifest) = &result.manifest {
        details += &format!("\n\nReceipt: `{}`", manifest.manifest_url);
    }
    if let Some(task) = &result.task {
        details += &format!("\n\n{}", of_task(task));
    }
    details
}

/// How far a sweep is, and what it does next.
pub fn of_sweep_at(result: &SweepVideoTasksResult, page: &SweepPage) -> String {
    let SweepPage {
        service_tier,
        page_num,
    } = page;
    format!(
        "{}\n\nPage {page_num} of the tier `{}` is next: what came of it so far is in the pending \
         activity.",
        of_sweep(result),
        plain(service_tier)
    )
}

/// What a sweep came to.
pub fn of_sweep(result: &SweepVideoTasksResult) -> String {
    let SweepVideoTasksResult {
        listed,
        archived,
        ended,
        running,
        started,
    } = result;
    format!(
        "{listed} tasks listed: {archived} archived, {ended} ended without a video, {running} with a \
         lifecycle that runs, {started} for which one was started."
    )
}

fn of_task(task: &VideoTask) -> String {
    let mut details = format!("The task is **{}**", plain(&task.status));
    if let Some(since) = utc(task.updated_at) {
        details += &format!(" since {since}");
    }
    if let Some(created) = utc(task.created_at) {
        details += &format!(", created {created}");
    }
    if !task.model.is_empty() {
        details += &format!(", made by `{}`", plain(&task.model));
    }
    details.push('.');
    if let Some(deadline) = utc(task.archive_deadline) {
        details += &format!(" Its video can be had until **{deadline}**.");
    }
    details
}

/// Text from outside, without what Markdown would make of it.
fn plain(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '*' | '`' | '[' | ']' | '<' | '>' | '|' | '#' | '\n' | '\r' => ' ',
            character => character,
        })
        .take(400)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task() -> VideoTask {
        VideoTask {
            status: "running".into(),
            model: "seedance-1-0-pro".into(),
            created_at: 1_750_000_000,
            updated_at: 1_750_000_100,
            archive_deadline: 1_750_600_000,
            ..VideoTask::default()
        }
    }

    #[test]
    fn tells_status_times_deadline_and_what_is_next() {
        let details = of_progress(&LifecycleProgress {
            phase: phase::WAITING.into(),
            task: Some(task()),
            ..LifecycleProgress::default()
        });
        let told = "The task is **running** since 2025-06-15 15:08:20 UTC, created 2025-06-15 \
                    15:06:40 UTC, made by `seedance-1-0-pro`. Its video can be had until \
                    **2025-06-22 13:46:40 UTC**.";
        assert!(details.starts_with(told), "{details}");
        assert!(details.contains("`nudge`"), "{details}");
        let details = of_progress(&LifecycleProgress::default());
        assert!(details.starts_with("No news"), "{details}");
    }

    #[test]
    fn a_sweep_tells_what_it_came_to_and_where_it_is() {
        let result = SweepVideoTasksResult {
            listed: 7,
            archived: 4,
            running: 2,
            started: 1,
            ..SweepVideoTasksResult::default()
        };
        let page = SweepPage {
            service_tier: "flex".into(),
            page_num: 3,
        };
        let details = of_sweep_at(&result, &page);
        let told = "7 tasks listed: 4 archived, 0 ended without a video, 2 with a lifecycle that \
                    runs, 1 for which one was started.\n\nPage 3 of the tier `flex` is next";
        assert!(details.starts_with(told), "{details}");
    }

    #[test]
    fn text_from_outside_stays_text() {
        let details = of_result(&VideoTaskLifecycleResult {
            outcome: "unsuccessful".into(),
            reason: "Code`\n#".into(),
            message: "<img src=x> **no**\n# and [so](on)".into(),
            ..VideoTaskLifecycleResult::default()
        });
        assert_eq!(details.matches("**").count(), 2, "{details}");
        assert!(!details.contains(['<', '#', '[', '\n']), "{details}");
    }
}
