use std::collections::BTreeSet;

use seedance_archiver_simulator::{Fault, ListDialect, Script};

use super::*;
use crate::test_service;

fn page(service_tier: &str, page_num: i64) -> SweepPage {
    SweepPage {
        service_tier: service_tier.into(),
        page_num,
        ..SweepPage::default()
    }
}

#[tokio::test]
async fn a_list_waits_until_the_time_that_another_one_was_given() {
    let (simulator, endpoint, client) = test_service::start(|it| it).await;
    let retry_after = Some(20);
    simulator.set_fault(Some(Fault::RateLimited { retry_after }));
    assert!(client.list(&endpoint, &page("", 1)).await.is_err());
    simulator.set_fault(None);
    let other = endpoint.clone();
    let turned = client.clock().advance(Duration::from_secs(20));
    let page = page("", 1);
    let (listed, ()) = tokio::join!(client.list(&other, &page), turned);
    assert!(listed.is_ok());
}

#[tokio::test]
async fn each_tier_is_listed_page_by_page() {
    let (simulator, mut endpoint, client) = test_service::start(|it| it).await;
    endpoint.list_page_size = 2;
    let flex = simulator.create(Script {
        flex: true,
        ..Script::default()
    });
    let created: BTreeSet<_> = (0..5)
        .map(|_| simulator.create(Script::default()))
        .collect();
    let mut listed = Vec::new();
    for page_num in 1..=4 {
        let page = client
            .list(&endpoint, &page("default", page_num))
            .await
            .unwrap();
        assert_eq!(page.is_last, page_num == 4);
        listed.extend(page.records.iter().map(|record| record.id().to_owned()));
    }
    assert_eq!(listed.len(), 5);
    assert_eq!(BTreeSet::from_iter(listed), created);
    let page = client.list(&endpoint, &page("flex", 1)).await.unwrap();
    assert!(page.is_last && page.records.len() == 1);
    assert_eq!(page.records[0].id(), flex);
}

#[tokio::test]
async fn a_page_that_comes_again_is_the_last() {
    let (simulator, mut endpoint, client) = test_service::start(|it| it).await;
    endpoint.list_page_size = 2;
    for _ in 0..3 {
        simulator.create(Script::default());
    }
    let first = client.list(&endpoint, &page("", 1)).await.unwrap();
    assert!(!first.is_last);
    let repeated = SweepPage {
        previous: first.digest.clone(),
        ..page("", 1)
    };
    let repeated = client.list(&endpoint, &repeated).await.unwrap();
    assert!(repeated.is_last && repeated.cut_off.is_some());
    let next = SweepPage {
        previous: first.digest,
        ..page("", 2)
    };
    let next = client.list(&endpoint, &next).await.unwrap();
    assert_eq!(next.records.len(), 1);
    assert_eq!(next.cut_off, None);
}

#[tokio::test]
async fn a_page_that_comes_again_and_may_have_all_tasks_cuts_nothing_off() {
    let (simulator, endpoint, client) = test_service::start(|it| it).await;
    simulator.set_list_dialect(Some(ListDialect::IgnoresPageNum));
    for _ in 0..10 {
        simulator.create(Script::default());
    }
    let first = client.list(&endpoint, &page("", 1)).await.unwrap();
    assert_eq!((first.records.len(), first.is_last), (10, false));
    let next = SweepPage {
        previous: first.digest,
        ..page("", 2)
    };
    let next = client.list(&endpoint, &next).await.unwrap();
    assert_eq!((next.records.len(), next.skipped), (0, 0));
    assert_eq!((next.is_last, next.cut_off), (true, None));
}

#[tokio::test]
async fn a_list_with_too_many_pages_is_cut_off() {
    let (simulator, mut endpoint, client) = test_service::start(|it| it).await;
    endpoint.list_page_size = 1;
    for _ in 0..MAX_PAGE_NUM {
        simulator.create(Script::default());
    }
    let last = client.list(&endpoint, &page("", MAX_PAGE_NUM)).await;
    let last = last.unwrap();
    assert!(last.is_last && last.cut_off.is_some());
    let before = client.list(&endpoint, &page("", MAX_PAGE_NUM - 1)).await;
    let before = before.unwrap();
    assert!(!before.is_last && before.cut_off.is_none());
}

#[tokio::test]
async fn a_service_that_limits_its_pages_is_listed_to_the_end() {
    let (simulator, endpoint, client) = test_service::start(|it| it).await;
    simulator.set_list_dialect(Some(ListDialect::LimitsPages(10)));
    for (count, pages) in [(5, 1), (20, 3), (25, 3)] {
        while simulator.task_ids().len() < count {
            simulator.create(Script::default());
        }
        let (mut listed, mut page) = (BTreeSet::new(), page("", 1));
        loop {
            let next = client.list(&endpoint, &page).await.unwrap();
            listed.extend(next.records.iter().map(|record| record.id().to_owned()));
            if next.is_last {
                break;
            }
            page.page_num += 1;
            page.previous = next.digest;
        }
        assert_eq!((listed.len(), page.page_num), (count, pages));
    }
}

#[tokio::test]
async fn only_a_key_that_is_known_may_need_models() {
    let (simulator, endpoint, client) = test_service::start(|it| it).await;
    let error = async || {
        let listed = client.list(&endpoint, &page("", 1)).await;
        listed.err().unwrap().to_string()
    };
    simulator.set_list_dialect(Some(ListDialect::RequiresModel));
    let denied = error().await;
    assert!(denied.contains("`lists.models`"), "{denied}");
    simulator.set_fault(Some(Fault::Unauthorized));
    let unknown = error().await;
    assert!(!unknown.contains("`lists.models`"), "{unknown}");
}

#[tokio::test]
async fn a_list_that_fails_is_an_error() {
    let (simulator, mut endpoint, client) = test_service::start(|it| it).await;
    for (fault, kind) in [
        (Fault::Unauthorized, ErrorKind::Unauthorized),
        (Fault::Unavailable, ErrorKind::Unavailable),
        (Fault::Page, ErrorKind::Unexpected),
        (Fault::ErrorAs200, ErrorKind::Unexpected),
    ] {
        simulator.set_fault(Some(fault));
        let error = client.list(&endpoint, &page("default", 1)).await;
        assert_eq!(error.err().unwrap().kind(), kind, "{fault:?}");
    }
    simulator.set_fault(None);

    let mut elsewhere = endpoint.clone();
    elsewhere.base_url.set_path("/api/v3/other");
    let error = client.list(&elsewhere, &page("default", 1)).await;
    let error = error.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("has no list"), "{error}");

    // Not an error of the API: the way to it may be broken.
    elsewhere.base_url.set_path("/api/v1");
    let error = client.list(&elsewhere, &page("default", 1)).await;
    assert_eq!(error.err().unwrap().kind(), ErrorKind::Unavailable);

    endpoint.task_path = "tasks/{task_id}/record".parse().unwrap();
    let error = client.list(&endpoint, &page("default", 1)).await;
    let error = error.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("task_path"), "{error}");
}

#[test]
fn the_last_page_is_empty_or_short_and_reaches_the_total() {
    assert!(is_last(1, 0, 500, 0));
    assert!(is_last(3, 0, 500, 2_000));
    assert!(is_last(1, 499, 500, 0));
    assert!(!is_last(1, 500, 500, 0));
    assert!(!is_last(2, 500, 500, 1_000), "an empty page follows");
    assert!(!is_last(1, 500, 500, 500), "the total is that of the page");
    assert!(!is_last(1, 500, 500, 501));
    for round in [10, 16, 20, 25, 50, 64, 100, 128, 200, 250, 256] {
        let count = round as i64;
        assert!(!is_last(1, round, 500, 0), "{round}, no total");
        assert!(!is_last(3, round, 500, 0), "{round}, no total, page 3");
        assert!(!is_last(1, round, 500, count), "the page is the total");
        assert!(is_last(2, round, 500, 2 * count), "{round} of a list");
    }
    for other in [1, 2, 8, 9, 11, 21, 99, 499] {
        assert!(is_last(1, other, 500, 0), "{other}");
        assert!(is_last(1, other, 500, other as i64), "{other}");
    }
    assert!(
        !is_last(3, 100, 500, 1_000),
        "the service returns at most 100"
    );
    assert!(is_last(10, 100, 500, 1_000));
}
