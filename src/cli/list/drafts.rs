//! `seedance-archiver list --drafts`.

use anyhow::anyhow;
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::names::search_attribute;
use temporalio_client::Client;

use super::registered;
use crate::{
    cli::{
        output::{Output, print_json},
        table,
        text::{count, deadline},
    },
    temporal::lifecycles::{self, Draft, DraftFilter, Drafts},
};

const ACCOUNT_COLUMN: usize = 1;
const MODEL_COLUMN: usize = 2;

/// Finds the drafts of which a final can still be made: up to `limit`, those with the earliest deadlines.
pub(super) async fn find(
    client: &Client,
    account: Option<String>,
    limit: u16,
) -> anyhow::Result<Drafts> {
    registered::check(client, search_attribute::ALL.into_iter()).await?;
    let filter = DraftFilter {
        account,
        now: Clock::default().now(),
        within: None,
    };
    let found = lifecycles::drafts(client, &filter, limit.into()).await;
    found.map_err(|error| anyhow!("cannot list drafts: {error}"))
}

pub(super) fn print(found: &Drafts, output: Output) -> anyhow::Result<()> {
    match output {
        Output::Json => print_json(found)?,
        Output::Text if found.drafts.is_empty() => {
            outln!("no drafts found of which a final can still be made");
        }
        Output::Text => print_table(found),
    }
    Ok(())
}

fn print_table(found: &Drafts) {
    let header = [
        "task",
        "account",
        "model",
        "outcome",
        "final until",
        "finals",
    ];
    let mut table = table::table(header);
    for draft in &found.drafts {
        table.add_row(table::row(row(draft)));
    }
    table::fit(&mut table, &[MODEL_COLUMN, ACCOUNT_COLUMN]);
    outln!("{}", table.trim_fmt());
    if found.has_more {
        let shown = count(found.drafts.len(), "draft");
        outln!("{shown} of more; use --limit to show more, or --account");
    }
}

fn row(draft: &Draft) -> [String; 6] {
    [
        draft.task_id.clone(),
        draft.account.clone(),
        draft.model.clone(),
        draft.outcome.clone(),
        deadline(draft.draft_deadline),
        draft.finals.join(", "),
    ]
}
