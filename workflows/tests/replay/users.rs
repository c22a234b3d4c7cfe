//! The search attribute of users, which only operators register.

use serde_json::json;

use crate::drafts::{ARCHIVED, last_upsert_with};

#[tokio::test]
async fn the_user_is_written_only_if_an_operator_registered_the_attribute() -> anyhow::Result<()> {
    for history in ARCHIVED {
        for fact in [None, Some(false), Some(true)] {
            let user = ("safety_identifier", json!("user-7"));
            let fact = fact.map(|is_true| ("has_user_attribute", is_true));
            let upsert = last_upsert_with(history, user, fact).await?;
            let expected = fact.filter(|fact| fact.1).map(|_| "\"user-7\"");
            let written = upsert.get("SeedanceUser").map(String::as_str);
            assert_eq!(written, expected, "{history}, {fact:?}");
            assert!(upsert.contains_key("SeedanceOutcome"), "{history}");
        }
    }
    Ok(())
}
