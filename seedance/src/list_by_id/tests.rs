use std::time::Duration;

use seedance_archiver_simulator::{Fault, ListDialect, Script};

use super::*;
use crate::{
    ErrorKind,
    test_service::{self, TestService},
};

/// Starts a simulator whose tasks have ended.
async fn service() -> (TestService, Endpoint, Client) {
    test_service::start(|it| it.queued(Duration::ZERO).running(Duration::ZERO)).await
}

fn filters() -> SweepPage {
    SweepPage {
        service_tier: "default".into(),
        ..SweepPage::default()
    }
}

fn ids(listed: &ListedTasks) -> BTreeSet<&str> {
    listed.records.iter().map(Record::id).collect()
}

#[tokio::test]
async fn tasks_are_listed_by_id_with_one_request() {
    let (simulator, endpoint, client) = service().await;
    let created: Vec<_> = (0..4)
        .map(|_| simulator.create(Script::default()))
        .collect();
    let flex = simulator.create(Script {
        flex: true,
        ..Script::default()
    });
    let requested = [&created[0], &created[2], &flex, &"cgt-1".to_owned()];
    let listed = client.list_tasks(&endpoint, &filters(), &requested).await;
    let listed = listed.unwrap();
    assert_eq!(ids(&listed), BTreeSet::from([&*created[0], &*created[2]]));
    assert!(listed.is_filtered && (listed.requested, listed.skipped) == (4, 0));
    assert_eq!(simulator.lists(), 1);

    let unknown = client.list_tasks(&endpoint, &filters(), &["cgt-1"]).await;
    let unknown = unknown.unwrap();
    assert!(unknown.is_filtered && unknown.records.is_empty());
    let none = client
        .list_tasks(&endpoint, &filters(), &[""; 0])
        .await
        .unwrap();
    assert!(none.is_filtered && none.requested == 0);
    assert_eq!(simulator.lists(), 2, "no request without ids");
}

#[tokio::test]
async fn a_service_that_ignores_the_filter_is_noticed() {
    let (simulator, endpoint, client) = service().await;
    let id = simulator.create(Script::default());
    let other = simulator.create(Script::default());
    simulator.set_list_dialect(Some(ListDialect::IgnoresTaskIds));
    let listed = client
        .list_tasks(&endpoint, &filters(), &[&id])
        .await
        .unwrap();
    assert!(!listed.is_filtered);
    assert_eq!(ids(&listed), BTreeSet::from([&*id, &*other]));
}

#[tokio::test]
async fn an_unreadable_item_is_skipped() {
    let (simulator, endpoint, client) = service().await;
    let readable = simulator.create(Script::default());
    let unreadable = simulator.create(Script::default());
    simulator.set_list_dialect(Some(ListDialect::UnreadableItem));
    let both = [&readable, &unreadable];
    let listed = client
        .list_tasks(&endpoint, &filters(), &both)
        .await
        .unwrap();
    assert!(listed.is_filtered && listed.skipped == 1);
    assert_eq!(ids(&listed), BTreeSet::from([&*readable]));
    // The item may be any task.
    let one = [&unreadable];
    let listed = client
        .list_tasks(&endpoint, &filters(), &one)
        .await
        .unwrap();
    assert!(!listed.is_filtered && listed.records.is_empty());
}

#[tokio::test]
async fn a_list_by_id_fails_as_a_list_does() {
    let (simulator, mut endpoint, client) = service().await;
    simulator.set_list_fault(Some(Fault::RateLimited { retry_after: None }));
    let listed = client.list_tasks(&endpoint, &filters(), &["cgt-1"]).await;
    assert_eq!(listed.err().unwrap().kind(), ErrorKind::RateLimited);
    endpoint.task_path = "tasks/{task_id}/record".parse().unwrap();
    let listed = client.list_tasks(&endpoint, &filters(), &["cgt-1"]).await;
    assert_eq!(listed.err().unwrap().kind(), ErrorKind::Unsupported);
    assert_eq!(endpoint.ids_per_list(&filters(), &["a", "b"]), 1);
}

#[tokio::test]
async fn a_request_has_as_many_ids_as_its_url_can_hold() {
    let (simulator, mut endpoint, client) = service().await;
    let id = |number: usize| format!("cgt-20260828062711-{number:05}");
    let many: Vec<_> = (0..250).map(id).collect();
    assert_eq!(endpoint.ids_per_list(&filters(), &many), MAX_IDS);
    assert_eq!(endpoint.ids_per_list(&filters(), &many[..7]), 7);
    assert_eq!(endpoint.ids_per_list(&filters(), &[""; 0]), 0);
    let listed = client
        .list_tasks(&endpoint, &filters(), &many)
        .await
        .unwrap();
    assert_eq!((listed.requested, listed.is_filtered), (MAX_IDS, true));

    // A character is encoded in three bytes, and gateways have longer ids.
    let long: Vec<_> = many
        .iter()
        .map(|id| format!("{id}{}", "~".repeat(30)))
        .collect();
    let count = endpoint.ids_per_list(&filters(), &long);
    let bytes = |count: usize| count * (TASK_ID.len() + long[0].len() + 2 * 30 + 2);
    assert!((10..60).contains(&count), "{count}");
    assert!(
        bytes(count) <= MAX_URL && bytes(count + 3) > MAX_URL,
        "{count}"
    );
    assert_eq!(endpoint.ids_per_list(&filters(), &["x".repeat(MAX_URL)]), 1);

    endpoint.list_page_size = 20;
    assert_eq!(endpoint.ids_per_list(&filters(), &many), 20);
    assert_eq!(simulator.lists(), 1);
}

#[tokio::test]
async fn an_item_is_kept_as_the_record_of_a_query_is() {
    let (simulator, endpoint, client) = service().await;
    let id = simulator.create(Script {
        extra: true,
        ..Script::default()
    });
    let answer = client.query(&endpoint, &id).await.unwrap();
    let item = async || {
        let listed = client.list_tasks(&endpoint, &filters(), &[&id]).await;
        listed.unwrap().records.remove(0)
    };
    assert_eq!(item().await.as_received(), answer.as_received());
    assert!(crate::is_as_complete(&item().await, &answer));
    for dialect in [ListDialect::NoContent, ListDialect::ShortItems] {
        simulator.set_list_dialect(Some(dialect));
        let item = item().await;
        assert!(!crate::is_as_complete(&item, &answer), "{dialect:?}");
        assert!(crate::is_as_complete(&answer, &item), "{dialect:?}");
    }
}
