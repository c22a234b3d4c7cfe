//! `seedance-archiver receipts`.

mod args;
mod cell;
mod columns;
mod filter;
mod jsonl;
mod rows;
mod summary;

use std::process::ExitCode;

use futures::StreamExt;
use indicatif::ProgressBar;
use seedance_archiver_proto::visible;

use super::{
    progress::{animate, style},
    session,
    shutdown::Shutdown,
    text::count,
};
use crate::{
    archive::{
        Archive,
        audit::{self, StoredReceipt, UnreadableReceipt},
    },
    config, stdio, telemetry,
};
use filter::Filter;
use rows::Rows;
use summary::Summary;

pub(super) use args::Args;

pub(super) async fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    let filter = Filter::new(&args)?;
    let url = config::archive_url(session::variable)?;
    let archive = Archive::open(&url)?;
    let mut reader = Reader::new(&archive, &filter, args.summary);
    let is_read = match args.summary {
        true => {
            let mut summary = Summary::default();
            let read = reader.read(|receipt| summary.add(&receipt.manifest));
            let is_read = shutdown.run_until_requested(read).await;
            // The totals of some of the receipts would look like those of all.
            if is_read.is_ok() {
                summary.print(args.output)?;
            }
            is_read
        }
        false => {
            let mut rows = Rows::start(args.output)?;
            let read = reader.read(|receipt| rows.add(receipt));
            let is_read = shutdown.run_until_requested(read).await;
            rows.end();
            is_read
        }
    };
    reader.end(is_read, url.as_str())
}

/// Reads the receipts of an archive, and reports those that cannot be read.
struct Reader<'a> {
    archive: &'a Archive,
    filter: &'a Filter,
    bar: ProgressBar,
    /// Receipts that match the filter.
    matching: usize,
    unreadable: usize,
    /// Whether the list is complete.
    is_listed: bool,
}

impl<'a> Reader<'a> {
    fn new(archive: &'a Archive, filter: &'a Filter, is_quiet: bool) -> Self {
        // A bar would mix with rows in the same terminal.
        let bar = match is_quiet || !console::user_attended() {
            true => {
                let template = "{spinner} {human_pos} receipts read ({elapsed})";
                animate(ProgressBar::no_length().with_style(style(template)))
            }
            false => ProgressBar::hidden(),
        };
        Self {
            archive,
            filter,
            bar,
            matching: 0,
            unreadable: 0,
            is_listed: true,
        }
    }

    /// Calls `on_receipt` with each receipt that matches the filter, until nobody reads stdout any more.
    async fn read(
        &mut self,
        mut on_receipt: impl FnMut(&StoredReceipt) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let receipts = audit::read_receipts(self.archive, self.filter.modified_since());
        let mut receipts = std::pin::pin!(receipts);
        while let Some(receipt) = receipts.next().await {
            match receipt {
                Ok(Ok(receipt)) if !receipt.is_erased && self.filter.matches(&receipt.manifest) => {
                    self.matching += 1;
                    on_receipt(&receipt)?;
                }
                Ok(Ok(_)) => {}
                Ok(Err(unreadable)) => self.report(&unreadable),
                Err(error) => {
                    self.is_listed = false;
                    self.print_error(&format!("cannot list all receipts: {error}"));
                }
            }
            self.bar.inc(1);
            if stdio::stdout_is_closed() {
                break;
            }
        }
        Ok(())
    }

    fn report(&mut self, UnreadableReceipt { key, problem }: &UnreadableReceipt) {
        self.unreadable += 1;
        self.print_error(&format!("{key} {problem}"));
    }

    fn print_error(&self, error: &str) {
        // An error must not mix with the bar.
        self.bar
            .suspend(|| errln!("error: {}", visible::escape(error)));
    }

    /// Says what is missing on stderr, and returns the exit code.
    fn end(self, is_read: anyhow::Result<()>, url: &str) -> anyhow::Result<ExitCode> {
        self.bar.finish_and_clear();
        if self.unreadable > 0 {
            errln!("{} could not be read", count(self.unreadable, "receipt"));
        }
        let is_complete = self.unreadable == 0 && self.is_listed;
        match is_read {
            // The receipts that cannot be read decide the exit code.
            Err(interrupted) if !is_complete => errln!("{interrupted}"),
            is_read => is_read?,
        }
        if is_complete && self.matching == 0 {
            let matching = if self.filter.is_empty() {
                ""
            } else {
                "matching "
            };
            errln!("no {matching}receipts in {url}");
        }
        Ok(ExitCode::from(u8::from(!is_complete)))
    }
}
