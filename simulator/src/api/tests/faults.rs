//! Faults of the API.

use std::time::Duration;

use reqwest::{StatusCode, header::RETRY_AFTER};

use super::with_clock;
use crate::{
    Fault, Script, Simulator,
    testing::{client, delete, get},
};

#[tokio::test]
async fn a_request_before_retry_after_is_a_misuse() {
    let (simulator, clock) = with_clock().await;
    let query = format!("/{}", simulator.create(Script::default()));
    let fault = Fault::RateLimited {
        retry_after: Some(3600),
    };
    simulator.set_fault(Some(fault));
    get(&simulator, &query).await;
    simulator.set_fault(None);
    get(&simulator, "").await;
    assert_eq!(simulator.misuse().before_retry_after, 0, "of another call");
    get(&simulator, &query).await;
    assert_eq!(simulator.misuse().before_retry_after, 1);
    clock.advance(Duration::from_secs(3600)).await;
    get(&simulator, &query).await;
    assert_eq!(simulator.misuse().before_retry_after, 1);
    assert_eq!(simulator.retry_afters(), 1);
}

#[tokio::test]
async fn a_retry_after_can_be_a_date() {
    let (simulator, clock) = with_clock().await;
    simulator.set_list_fault(Some(Fault::Overloaded { retry_after: 20 }));
    let url = format!("{}/contents/generations/tasks", simulator.base_url());
    let request = client().get(url).bearer_auth(simulator.api_key());
    let sent_at = clock.now();
    let response = request.send().await.unwrap();
    let answered_at = clock.now();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let date = response.headers()[RETRY_AFTER].to_str().unwrap();
    let until = httpdate::parse_http_date(date).unwrap();
    let second = Duration::from_secs(1);
    let expected = sent_at + 19 * second..=answered_at + 20 * second;
    assert!(expected.contains(&until), "{until:?}");

    simulator.set_list_fault(None);
    get(&simulator, "").await;
    let early = simulator.early_requests();
    assert_eq!(early.iter().map(|it| it.until).collect::<Vec<_>>(), [until]);
    clock.advance(20 * second).await;
    get(&simulator, "").await;
    assert_eq!(simulator.early_requests().len(), 1);
}

#[tokio::test]
async fn a_key_can_have_no_access() {
    let simulator = Simulator::builder().start().await.unwrap();
    simulator.set_fault(Some(Fault::Forbidden));
    let (status, body) = get(&simulator, "").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(body["error"]["code"], "AccessDenied");
}

#[tokio::test]
async fn a_fault_of_one_task_concerns_its_queries_and_nothing_else() {
    let (simulator, _clock) = with_clock().await;
    let [task, other] = [(); 2].map(|()| simulator.create(Script::default()));
    let status = async |rest: &str| get(&simulator, rest).await.0;
    for (fault, expected) in [
        (
            Fault::RateLimited {
                retry_after: Some(3600),
            },
            StatusCode::TOO_MANY_REQUESTS,
        ),
        (Fault::LargePage, StatusCode::SERVICE_UNAVAILABLE),
    ] {
        simulator.set_task_fault(&task, Some(fault));
        for rest in [format!("/{task}"), format!("?id={task}")] {
            assert_eq!(status(&rest).await, expected, "{rest}");
        }
        assert_eq!(status(&format!("/{other}")).await, StatusCode::OK);
        assert_eq!(get(&simulator, "").await.1["total"], 2);
    }
    assert_eq!(simulator.stats(&task).queries, 4);
    let early = simulator.early_requests();
    assert!(early.iter().all(|it| it.task_id.as_ref() == Some(&task)));
    assert_eq!(early.len(), 3, "after the first refusal");

    simulator.set_fault(Some(Fault::Unauthorized));
    let query = format!("/{task}");
    assert_eq!(status(&query).await, StatusCode::UNAUTHORIZED);
    simulator.set_fault(None);
    assert_eq!(delete(&simulator, &query).await.0, StatusCode::OK);
    simulator.set_task_fault(&task, None);
    assert_eq!(status(&query).await, StatusCode::OK);
}

#[tokio::test]
async fn a_query_without_a_response_is_answered_once_the_fault_of_its_task_ends() {
    let (simulator, _clock) = with_clock().await;
    let [task, other] = [(); 2].map(|()| simulator.create(Script::default()));
    simulator.set_task_fault(&task, Some(Fault::NoResponse));
    let query = format!("/{task}");
    let ends = async {
        while simulator.stats(&task).queries == 0 {
            tokio::task::yield_now().await;
        }
        let answered = get(&simulator, &format!("/{other}")).await.0;
        assert_eq!(answered, StatusCode::OK);
        simulator.set_task_fault(&task, None);
    };
    let ((status, _), ()) = tokio::join!(get(&simulator, &query), ends);
    assert_eq!(status, StatusCode::OK);
}
