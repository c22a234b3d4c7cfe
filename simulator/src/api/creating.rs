use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{CreateFault, Simulator, testing::client};

/// Sends a create request, and returns the status and the body of the response, `None` if the connection broke.
async fn create(simulator: &Simulator) -> Option<(StatusCode, String)> {
    let url = format!("{}/contents/generations/tasks", simulator.base_url());
    let body = json!({
        "model": "seedance-1-0-pro",
        "content": [{"type": "text", "text": "a kite"}],
        "safety_identifier": "user-7",
    });
    let request = client().request(Method::POST, url);
    let request = request.bearer_auth(simulator.api_key());
    let response = request.body(body.to_string()).send().await.ok()?;
    let status = response.status();
    Some((status, response.text().await.ok()?))
}

#[tokio::test]
async fn a_fault_decides_whether_a_task_is_created_and_what_the_client_learns() {
    use CreateFault::{
        ErrorAfter, ErrorBefore, Garbage, LostAnswer, LostRequest, NoBackend, Overdue, RateLimited,
    };
    let retry_after = Some(7);
    for (fault, created, status) in [
        (LostRequest, 0, None),
        (LostAnswer, 1, None),
        (ErrorBefore, 0, Some(500)),
        (ErrorAfter, 1, Some(500)),
        (Garbage, 1, Some(200)),
        (RateLimited { retry_after }, 0, Some(429)),
        (Overdue, 0, Some(403)),
        (NoBackend, 0, Some(404)),
    ] {
        let simulator = Simulator::builder().start().await.unwrap();
        simulator.add_create_faults([Some(fault), None]);
        let answer = create(&simulator).await;
        let answer_status = answer.as_ref().map(|(status, _)| status.as_u16());
        assert_eq!(answer_status, status, "{fault:?}");
        assert_eq!(simulator.task_ids().len(), created, "{fault:?}");
        let (status, body) = create(&simulator).await.unwrap();
        assert_eq!(status, StatusCode::OK, "only one request has the fault");
        let answer: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(answer["id"], *simulator.task_ids()[0]);
    }
}

#[tokio::test]
async fn a_held_response_arrives_when_the_fault_is_removed() {
    let simulator = Simulator::builder().start().await.unwrap();
    simulator.set_create_fault(Some(CreateFault::Held));
    let create = create(&simulator);
    tokio::pin!(create);
    while simulator.task_ids().is_empty() {
        tokio::select! {
            _ = &mut create => panic!("the response was not held"),
            () = tokio::task::yield_now() => {}
        }
    }
    simulator.set_create_fault(None);
    let (_, body) = create.await.unwrap();
    let id = simulator.task_ids().remove(0);
    assert!(body.contains(&id), "{body}");
    let identifier = simulator.request_field(&id, "safety_identifier");
    assert_eq!(identifier, Some(json!("user-7")));
}
