//! `seedance-archiver erase`.

mod args;
mod record;
mod report;
mod selection;
mod task;

use std::process::ExitCode;

use futures::StreamExt;
use indicatif::ProgressBar;
use seedance_archiver_proto::visible;

use super::{
    output::Output,
    progress::{animate, style},
    session,
    shutdown::Shutdown,
};
use crate::{
    archive::{
        Archive, Error,
        audit::{self, StoredReceipt, UnreadableReceipt},
    },
    config, telemetry,
};
use report::Report;
use selection::Selection;
use task::Task;

pub(super) use args::Args;

/// Maximum number of tasks that are erased concurrently.
const CONCURRENCY: usize = 8;

/// What became of a receipt in the list.
enum Handled {
    /// It is one of another user, or of none.
    Other,
    /// The task was found or erased.
    Task(Task),
    /// It cannot be read, so that it may be the user's.
    Unreadable(UnreadableReceipt),
    /// Some receipts were not listed.
    NotListed(Error),
}

pub(super) async fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    let selection = Selection::new(&args)?;
    let url = config::archive_url(session::variable)?;
    let archive = Archive::open(&url)?;
    let mut report = Report::new(&args, &archive);
    let bar = progress_bar(args.output);
    let work = erase(&archive, &selection, args.confirm, &mut report, &bar);
    let ended = shutdown.run_until_requested(work).await;
    bar.finish_and_clear();
    report.end(ended.is_ok())?;
    match ended {
        // What failed decides the exit code.
        Err(interrupted) if report.has_failed() => errln!("{interrupted}"),
        ended => ended?,
    }
    Ok(ExitCode::from(u8::from(report.has_failed())))
}

/// Finds the selected tasks, and erases them if that is `confirmed`. A task that cannot be erased does not end the others.
async fn erase(
    archive: &Archive,
    selection: &Selection,
    confirmed: bool,
    report: &mut Report,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let handled = audit::read_receipts(archive, None)
        .map(|read| async move {
            match read {
                Ok(Ok(receipt)) => handle(archive, selection, confirmed, &receipt).await,
                Ok(Err(unreadable)) => Handled::Unreadable(unreadable),
                Err(error) => Handled::NotListed(error),
            }
        })
        .buffered(CONCURRENCY);
    let mut handled = std::pin::pin!(handled);
    while let Some(handled) = handled.next().await {
        bar.inc(1);
        match handled {
            Handled::Other => {}
            // A line must not mix with the bar.
            Handled::Task(task) => bar.suspend(|| report.add(task)),
            Handled::Unreadable(UnreadableReceipt { key, problem }) => {
                bar.suspend(|| report.add_unreadable(&format!("{key} {problem}")));
            }
            Handled::NotListed(error) => {
                bar.suspend(|| report.add_error(&format!("cannot list all receipts: {error}")));
            }
        }
    }
    Ok(())
}

async fn handle(
    archive: &Archive,
    selection: &Selection,
    confirmed: bool,
    receipt: &StoredReceipt,
) -> Handled {
    let is_selected = match selection.needs_record(&receipt.manifest) {
        true => match record::user(archive, &receipt.key).await {
            Ok(user) => selection.is_of_user(&user),
            // An erasure deletes the record of the user whom it was for. It was interrupted before it deleted the receipt.
            Err(error) if error.is_missing && receipt.is_erased => true,
            Err(error) => {
                return Handled::Unreadable(UnreadableReceipt {
                    key: receipt.key.clone(),
                    problem: error.problem,
                });
            }
        },
        false => selection.matches(&receipt.manifest),
    };
    if !is_selected {
        return Handled::Other;
    }
    Handled::Task(match confirmed {
        true => Task::erase(archive, receipt).await,
        false => Task::find(archive, receipt).await,
    })
}

/// Returns a bar with the number of receipts read, hidden if lines of tasks go to the same terminal.
fn progress_bar(output: Output) -> ProgressBar {
    if output == Output::Text && console::user_attended() {
        return ProgressBar::hidden();
    }
    let template = "{spinner} {human_pos} receipts read ({elapsed})";
    animate(ProgressBar::no_length().with_style(style(template)))
}

impl Report {
    /// Adds a receipt that may be the user's.
    fn add_unreadable(&mut self, problem: &str) {
        self.unreadable += 1;
        self.add_error(problem);
    }

    /// Adds an error, and prints it.
    fn add_error(&mut self, error: &str) {
        errln!("error: {}", visible::escape(error));
        self.errors.push(error.to_owned());
    }
}
