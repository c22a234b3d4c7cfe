//! The tasks of the demo. One is created by the workflow `GenerateVideo`, the others as any client of the API creates them.

use anyhow::Context;
use seedance_archiver_proto::v1::{GenerateVideoRequest, VideoTaskLifecycleRequest};
use seedance_archiver_simulator::Simulator;
use serde_json::{Value, json};
use temporalio_client::Client;

use crate::temporal::generations::{self, Generation};

/// Prompts, each with the script that the simulator follows for its task.
const PROMPTS: [&str; 8] = [
    "a kite over the sea --simulate ending=succeeded,queued=1,running=4",
    "a harbour at dawn --simulate ending=succeeded,queued=2,running=6,bytes=24000000,bytes_per_second=6000000",
    "rain on a tin roof, with sound --simulate ending=succeeded,queued=1,running=8,bytes=60000000,bytes_per_second=12000000",
    "a train through snow --simulate ending=succeeded,queued=3,running=10,bytes=120000000,bytes_per_second=24000000",
    "a street market, with sound --simulate ending=succeeded,queued=2,running=3,bytes=9000000,bytes_per_second=3000000",
    "a prompt that the content filter rejects --simulate ending=failed,queued=1,running=5",
    "a task that is cancelled while queued --simulate ending=cancelled,queued=4",
    "a task that times out --simulate ending=expired,queued=2,running=9",
];

/// Index of the prompt from which `GenerateVideo` creates the task.
const GENERATED: usize = 1;

/// Model of the tasks.
pub(super) const MODEL: &str = "seedance-1-5-pro-251215";

/// The tasks of the demo.
pub(super) struct Tasks {
    /// The requests to archive them, in the order of the prompts.
    pub(super) requests: Vec<VideoTaskLifecycleRequest>,
    /// The workflow that created one of them.
    pub(super) generation: Generation,
}

/// Creates a task for each prompt.
pub(super) async fn create(
    client: &Client,
    simulator: &Simulator,
    task_queue: &str,
) -> anyhow::Result<Tasks> {
    let request = GenerateVideoRequest {
        request: body(PROMPTS[GENERATED]).to_string(),
        submission_id: "demo".to_owned(),
        ..GenerateVideoRequest::default()
    };
    let generation = generations::start(client, task_queue, request).await?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let mut requests = Vec::new();
    for (index, prompt) in PROMPTS.into_iter().enumerate() {
        let task_id = match index {
            GENERATED => generation.task_id().await,
            _ => post(&http, simulator, prompt).await?,
        };
        requests.push(VideoTaskLifecycleRequest {
            task_id: task_id.context("the simulator returned no task id")?,
            ..VideoTaskLifecycleRequest::default()
        });
    }
    Ok(Tasks {
        requests,
        generation,
    })
}

fn body(prompt: &str) -> Value {
    json!({
        "model": MODEL,
        "content": [{"type": "text", "text": prompt}],
        "generate_audio": prompt.contains("with sound"),
    })
}

async fn post(
    http: &reqwest::Client,
    simulator: &Simulator,
    prompt: &str,
) -> anyhow::Result<Option<String>> {
    let url = format!("{}/contents/generations/tasks", simulator.base_url());
    let created = http
        .post(url)
        .bearer_auth(simulator.api_key())
        .header("content-type", "application/json")
        .body(body(prompt).to_string())
        .send()
        .await?
        .error_for_status()?
        .bytes()
        .await?;
    let created: Value = serde_json::from_slice(&created)?;
    Ok(created["id"].as_str().map(str::to_owned))
}
