//! The record beside a receipt.

use object_store::{ObjectStoreExt, path::Path};
use serde_json::Value;

use crate::{
    archive::{Archive, StoreError},
    seedance,
};

/// The record beside a receipt cannot be read.
pub(super) struct UnreadableRecord {
    /// Whether there is no record.
    pub(super) is_missing: bool,
    /// The problem. Continues the key of the receipt.
    pub(super) problem: String,
}

/// Returns the user in the record beside a receipt, as receipts have it. Empty if the record names none.
pub(super) async fn user(archive: &Archive, receipt: &Path) -> Result<String, UnreadableRecord> {
    let mut directory: Vec<_> = receipt.parts().collect();
    directory.pop();
    let key = Path::from_iter(directory).join("task.json");
    let read = async {
        let object = archive.store.get(&key).await?;
        match object.meta.size > seedance::MAX_RECORD as u64 {
            true => Ok(None),
            false => object.bytes().await.map(Some),
        }
    };
    let record = read.await.map_err(|error| UnreadableRecord {
        is_missing: matches!(error, object_store::Error::NotFound { .. }),
        problem: problem(&format!("cannot be read: {}", StoreError::from(error))),
    })?;
    let record = record.and_then(|record| seedance::read_json(&record));
    let record = record.ok_or_else(|| UnreadableRecord {
        is_missing: false,
        problem: problem("is not the record of a task"),
    })?;
    let user = user_in(&record).unwrap_or_default();
    Ok(seedance::safety_identifier(&user))
}

fn problem(of_record: &str) -> String {
    format!("does not say whose video it is, and `task.json` {of_record}")
}

/// Finds the user in a record, which a gateway may have wrapped.
fn user_in(record: &Value) -> Option<String> {
    let fields = record.as_object()?;
    let user = match fields.get("safety_identifier") {
        Some(Value::String(user)) if !user.is_empty() => Some(user.clone()),
        // A receipt has it as text.
        Some(Value::Number(user)) => Some(user.to_string()),
        _ => None,
    };
    user.or_else(|| fields.values().find_map(user_in))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_user_is_found_in_a_wrapped_record_too() {
        for record in [
            json!({"safety_identifier": "user-7", "content": {}}),
            json!({"code": 0, "data": {"content": {}, "safety_identifier": "user-7"}}),
            json!({"safety_identifier": "", "data": {"safety_identifier": "user-7"}}),
            json!({"safety_identifier": null, "data": {"safety_identifier": "user-7"}}),
        ] {
            assert_eq!(user_in(&record).as_deref(), Some("user-7"), "{record}");
        }
        for nobody in [
            json!({"content": {"prompt": "safety_identifier"}}),
            json!({"safety_identifier": "", "content": {}}),
        ] {
            assert_eq!(user_in(&nobody), None, "{nobody}");
        }
    }

    #[test]
    fn a_user_may_be_a_number() {
        let record = json!({"safety_identifier": 700_700_700_700_i64});
        assert_eq!(user_in(&record).as_deref(), Some("700700700700"));
    }
}
