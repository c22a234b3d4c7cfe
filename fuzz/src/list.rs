//! A page of the list of tasks.

use seedance_archiver_proto::task_id;
use seedance_archiver_seedance::{Record, is_as_complete};

use crate::{
    record,
    service::{self, API_KEY, TASK_ID},
};

/// A page has the same records whether it is listed by number or by ids. Each has a valid id and can be archived, and an
/// item that cannot be read does not affect the others.
pub fn check(input: &[u8]) {
    let page = match service::list(input) {
        Ok(page) => page,
        Err(error) => {
            let error = error.to_string();
            return assert!(!error.contains(API_KEY), "{error}");
        }
    };
    assert_eq!(page.digest.len(), 16);
    for record in &page.records {
        assert_eq!(task_id::check(record.id()), Ok(()));
        record::check_archived(record);
        assert!(is_as_complete(record, record), "{}", record.as_received());
    }
    let listed = service::list_task(input).expect("the same body is a list again");
    assert_eq!(names(&listed.records), names(&page.records));
    assert_eq!(listed.skipped, page.skipped);
    let is_requested = |record: &Record| record.id() == TASK_ID;
    assert!(!listed.is_filtered || listed.records.iter().all(is_requested));
    check_items_by_themselves(&page.records);
}

/// Lists each record again, beside items that cannot be read.
fn check_items_by_themselves(records: &[Record]) {
    let Some(record) = records.last() else {
        return;
    };
    let body = format!("{{\"items\": [7, {}, {{}}]}}", record.as_received());
    let page = service::list(body.as_bytes()).expect("a list with a record that was read");
    // The id of a wrapped record may be that of the gateway, or missing.
    if let [again] = &page.records[..] {
        assert_eq!(again.status(), record.status());
        assert_eq!(page.skipped, 2);
    } else {
        assert_eq!(page.skipped, 3);
    }
}

fn names(records: &[Record]) -> Vec<(&str, &str)> {
    let names = records.iter().map(|record| (record.id(), record.status()));
    names.collect()
}

/// Returns pages of the API and of gateways.
pub fn seeds() -> Vec<Vec<u8>> {
    let items: Vec<String> = record::seeds()
        .into_iter()
        .map(|seed| String::from_utf8_lossy(&seed).into_owned())
        .collect();
    let items = items.join(",");
    let pages = [
        format!("{{\"total\": 4, \"items\": [{items}]}}"),
        format!(
            "{{\"code\": \"success\", \"data\": {{\"total\": \"4\", \"tasks\": [{items}, null, 7]}}}}"
        ),
        "{\"items\": null, \"total\": 0}".to_owned(),
        "{\"error\": {\"code\": \"AccessDenied\", \"message\": \"no\"}}".to_owned(),
    ];
    pages.into_iter().map(String::into_bytes).collect()
}
