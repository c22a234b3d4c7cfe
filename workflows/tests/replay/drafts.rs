//! The search attributes of drafts, in fleets and namespaces that lack them.
//!
//! A history has an upsert at the same places whether or not the attributes of drafts are in it. So a worker of version
//! 0.1.0, which does not know them, replays a history of this version, and this version replays its histories.

use std::collections::BTreeMap;

use serde_json::json;

use crate::{
    command::Command,
    edited::{self, COMPLETED, edit_all},
    replay,
};

/// Lifecycles of succeeded tasks, whose workers had the search attributes of every task.
pub(crate) const ARCHIVED: [&str; 2] = [
    "v0.1.0/archived.json",
    "v0.2.0/VideoTaskLifecycle-archived-2.json",
];

#[tokio::test]
async fn a_draft_writes_its_attributes_if_they_are_registered() -> anyhow::Result<()> {
    for history in ARCHIVED {
        let of_drafts = last_upsert(history, "draft", json!(true), Some(true)).await?;
        assert_eq!(of_drafts["SeedanceDraft"], "true", "{history}");
        let deadline = &of_drafts["SeedanceDraftDeadline"];
        assert!(deadline.starts_with("\"20"), "{history}: {deadline}");
        assert!(!of_drafts.contains_key("SeedanceDraftTaskId"), "{history}");
    }
    Ok(())
}

#[tokio::test]
async fn a_final_writes_the_id_of_its_draft() -> anyhow::Result<()> {
    for history in ARCHIVED {
        let of_final =
            last_upsert(history, "draft_task_id", json!("cgt-draft"), Some(true)).await?;
        assert_eq!(
            of_final["SeedanceDraftTaskId"], "\"cgt-draft\"",
            "{history}"
        );
        assert!(!of_final.contains_key("SeedanceDraft"), "{history}");
    }
    Ok(())
}

#[tokio::test]
async fn without_them_a_draft_writes_the_attributes_of_every_task() -> anyhow::Result<()> {
    for history in ARCHIVED {
        // A worker of version 0.1.0 says nothing, one of this version says that they are missing.
        for has_draft_attributes in [None, Some(false)] {
            let upsert = last_upsert(history, "draft", json!(true), has_draft_attributes).await?;
            let names: Vec<_> = upsert.keys().map(String::as_str).collect();
            assert_eq!(
                names,
                [
                    "SeedanceAccount",
                    "SeedanceArchiveDeadline",
                    "SeedanceModel",
                    "SeedanceOutcome",
                    "SeedanceStatus",
                    "SeedanceTaskId"
                ],
                "{history}"
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_attributes_of_drafts_alone_cause_no_upsert() -> anyhow::Result<()> {
    // No worker says so: it would make a history that version 0.1.0 cannot replay.
    let history = "v0.1.0/archived-without-search-attributes.json";
    let upsert = last_upsert(history, "draft", json!(true), Some(true)).await?;
    assert!(upsert.is_empty(), "{upsert:?}");
    Ok(())
}

/// Replays a history whose task has a field, and whose workers say whether the attributes of drafts are registered. Returns
/// the last search attributes that the lifecycle writes, as JSON.
async fn last_upsert(
    path: &str,
    field: &str,
    value: serde_json::Value,
    has_draft_attributes: Option<bool>,
) -> anyhow::Result<BTreeMap<String, String>> {
    let fact = has_draft_attributes.map(|has| ("has_draft_attributes", has));
    last_upsert_with(path, (field, value), fact).await
}

/// Replays a history whose task has a field, and whose workers state a fact. Returns the last search attributes that the
/// lifecycle writes, as JSON. The SDK checks that each upsert has its event.
pub(crate) async fn last_upsert_with(
    path: &str,
    (field, value): (&str, serde_json::Value),
    fact: Option<(&str, bool)>,
) -> anyhow::Result<BTreeMap<String, String>> {
    let mut history = edited::history(path)?;
    edit_all(&mut history, COMPLETED, "result", |result| {
        // The other results are receipts.
        if result.get("status").is_some() {
            result[field] = value.clone();
            if let Some((name, is_true)) = fact {
                result[name] = json!(is_true);
            }
        }
    })?;
    let commands = replay(&serde_json::to_vec(&history)?).await?;
    let mut upserts = commands.into_iter().filter_map(|command| match command {
        Command::SearchAttributes(attributes) => Some(attributes),
        _ => None,
    });
    let last = upserts.next_back().unwrap_or_default().into_iter();
    Ok(last
        .map(|(name, data)| (name, String::from_utf8_lossy(&data).into_owned()))
        .collect())
}
