use std::time::Duration;

use reqwest::StatusCode;
use seedance_archiver_clock::Clock;
use serde_json::Value;

use crate::{Ending, Fault, ListDialect, Script, Simulator, testing::get};

/// Returns a simulator whose tasks succeed at once.
async fn simulator() -> (Simulator, Clock) {
    let clock = Clock::default();
    let builder = Simulator::builder()
        .queued(Duration::ZERO)
        .running(Duration::ZERO)
        .clock(clock.clone());
    (builder.start().await.unwrap(), clock)
}

/// Returns the items and the total of a list.
async fn list(simulator: &Simulator, query: &str) -> (Vec<Value>, u64) {
    let (status, list) = get(simulator, query).await;
    assert_eq!(status, StatusCode::OK, "{list}");
    let items = list["items"].as_array().unwrap().clone();
    (items, list["total"].as_u64().unwrap())
}

fn ids(items: &[Value]) -> Vec<&str> {
    items
        .iter()
        .map(|item| item["id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn pages_are_newest_first_and_have_the_total_of_all() {
    let (simulator, clock) = simulator().await;
    let mut created = Vec::new();
    for _ in 0..3 {
        created.push(simulator.create(Script::default()));
        created.push(simulator.create(Script::default()));
        clock.advance(Duration::from_secs(1)).await;
    }
    created.reverse();
    assert_eq!(simulator.task_ids(), created);
    let (items, total) = list(&simulator, "?page_size=4&page_num=1").await;
    assert_eq!(
        (ids(&items).as_slice(), total),
        (&*as_strs(&created[..4]), 6)
    );
    let (items, _) = list(&simulator, "?page_size=4&page_num=2").await;
    assert_eq!(ids(&items), as_strs(&created[4..]));

    let by_id = format!(
        "?filter.task_ids={}&filter.task_ids={}&filter.task_ids=cgt-1",
        created[5], created[2]
    );
    let (items, total) = list(&simulator, &by_id).await;
    assert_eq!(ids(&items), [&created[2], &created[5]]);
    assert_eq!(total, 2);
}

fn as_strs(ids: &[String]) -> Vec<&str> {
    ids.iter().map(String::as_str).collect()
}

#[tokio::test]
async fn an_unlisted_task_can_be_queried() {
    let (simulator, _) = simulator().await;
    let id = simulator.create(Script {
        unlisted: true,
        ..Script::default()
    });
    let by_id = format!("?filter.task_ids={id}");
    for query in ["", &by_id] {
        assert_eq!(list(&simulator, query).await.1, 0);
    }
    assert_eq!(get(&simulator, &format!("/{id}")).await.0, StatusCode::OK);
    simulator.set_unlisted(&id, false);
    assert_eq!(list(&simulator, "").await.1, 1);
    assert_eq!((simulator.lists(), simulator.queries()), (3, 1));
}

#[tokio::test]
async fn a_fault_of_lists_does_not_affect_queries() {
    let (simulator, _) = simulator().await;
    let query = format!("/{}", simulator.create(Script::default()));
    simulator.set_list_fault(Some(Fault::Unavailable));
    let unavailable = StatusCode::INTERNAL_SERVER_ERROR;
    assert_eq!(get(&simulator, "").await.0, unavailable);
    assert_eq!(get(&simulator, &query).await.0, StatusCode::OK);
    simulator.set_fault(Some(Fault::Unauthorized));
    assert_eq!(get(&simulator, "").await.0, StatusCode::UNAUTHORIZED);
    simulator.set_fault(None);
    assert_eq!(get(&simulator, "").await.0, unavailable);
    simulator.set_list_fault(None);
    assert_eq!(get(&simulator, "").await.0, StatusCode::OK);
}

#[tokio::test]
async fn items_can_lack_fields() {
    let (simulator, _) = simulator().await;
    let id = simulator.create(Script {
        signs_once: true,
        ..Script::default()
    });
    let (_, record) = get(&simulator, &format!("/{id}")).await;
    let lacking = |item: &Value| -> Vec<String> {
        let fields = record.as_object().unwrap().keys();
        let lacking = fields.filter(|name| item.get(name.as_str()).is_none());
        lacking.cloned().collect()
    };
    simulator.set_list_dialects([]);
    assert_eq!(list(&simulator, "").await.0[0], record);
    for (dialect, expected) in [
        (ListDialect::NoContent, vec!["content"]),
        (ListDialect::ShortItems, vec!["seed", "usage"]),
    ] {
        simulator.set_list_dialect(Some(dialect));
        let (items, _) = list(&simulator, "").await;
        let mut lacking = lacking(&items[0]);
        lacking.sort();
        assert_eq!(lacking, expected, "{dialect:?}");
    }
    simulator.set_list_dialect(Some(ListDialect::UnreadableItem));
    let (items, _) = list(&simulator, "").await;
    assert!(items[0]["id"] == id && items[0].get("status").is_none());
}

#[tokio::test]
async fn a_list_can_ignore_the_filter_by_id() {
    let (simulator, _) = simulator().await;
    let id = simulator.create(Script::default());
    let other = simulator.create(Script::default());
    simulator.set_list_dialect(Some(ListDialect::IgnoresTaskIds));
    let (items, total) = list(&simulator, &format!("?filter.task_ids={id}")).await;
    assert_eq!((ids(&items), total), (vec![&*other, &*id], 2));
}

#[tokio::test]
async fn a_list_can_lag() {
    let (simulator, clock) = simulator().await;
    let minute = Duration::from_secs(60);
    let id = simulator.create(Script {
        running: Some(minute),
        ..Script::default()
    });
    simulator.set_list_dialect(Some(ListDialect::Lags(minute)));
    assert_eq!(list(&simulator, "").await.1, 0, "it did not exist");
    clock.advance(minute).await;
    assert_eq!(simulator.status(&id), Some("succeeded"));
    assert_eq!(list(&simulator, "").await.0[0]["status"], "running");
    clock.advance(minute).await;
    assert_eq!(list(&simulator, "").await.0[0]["status"], "succeeded");
}

/// A cancellation is shown when it is due too.
#[tokio::test]
async fn a_list_that_lags_shows_a_cancelled_task_as_it_was() {
    let (simulator, clock) = simulator().await;
    let hour = Duration::from_secs(60 * 60);
    let id = simulator.create(Script {
        queued: Some(hour),
        ending: Ending::Failed,
        ..Script::default()
    });
    clock.advance(Duration::from_secs(20)).await;
    crate::testing::delete(&simulator, &format!("/{id}")).await;
    simulator.set_list_dialect(Some(ListDialect::Lags(Duration::from_secs(10))));
    assert_eq!(list(&simulator, "").await.0[0]["status"], "queued");
    clock.advance(Duration::from_secs(10)).await;
    assert_eq!(list(&simulator, "").await.0[0]["status"], "cancelled");
}
