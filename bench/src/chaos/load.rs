//! Creates the planned videos, and starts what asks for them.

use std::{sync::Arc, time::Duration};

use seedance_archiver_simulator::Fault;
use serde_json::json;
use temporalio_client::Client;
use tokio::{task::JoinSet, time::Instant};

use super::{
    callers,
    parts::{Disk, Parts},
    plan::{Account, LinkTo, Plan, Trigger, Video},
    world::{SharedWorld, Task},
};

/// Creates all videos at their times. Returns once the last one is called for.
pub(super) async fn run(
    plan: &Arc<Plan>,
    world: &SharedWorld,
    parts: &Parts,
    client: &Client,
) -> anyhow::Result<()> {
    let destination = parts.disks.archive.as_ref().map(Disk::url);
    let destination = destination.transpose()?;
    let start = Instant::now();
    let mut calls = JoinSet::new();
    for video in &plan.videos {
        tokio::time::sleep_until(start + video.at).await;
        let link = |worker| parts.links.get(LinkTo::Callbacks(worker));
        let callbacks = video.callback.and_then(link).map(|link| link.address);
        let video = &Video {
            to_disk: video.to_disk && destination.is_some(),
            ..video.clone()
        };
        let reasons = plan.reasons_of_faults(video);
        let task = world.create(video, callbacks, reasons);
        if !video.hidden_for.is_zero() {
            hide(
                world.clone(),
                task.id.clone(),
                video.account(),
                video.hidden_for,
            );
        }
        if let Some((fault, time)) = video.query_fault {
            break_queries(world.clone(), task.id.clone(), video.account(), fault, time);
        }
        if !video.held_for.is_zero() {
            release(
                world.clone(),
                task.id.clone(),
                video.account(),
                video.held_for,
            );
        }
        if video.trigger == Trigger::Call {
            let request = request(&task, destination.as_deref().filter(|_| video.to_disk));
            let client = client.clone();
            calls.spawn(async move {
                let workflow_id = callers::workflow_id(&task.id);
                callers::call(&client, &workflow_id, callers::AWAIT, &request).await;
            });
        }
    }
    calls.join_all().await;
    Ok(())
}

fn request(task: &Task, destination: Option<&str>) -> serde_json::Value {
    let account = Video::account(&task.video).name();
    let mut request = json!({"task_id": task.id, "account": account, "report_only": true});
    if let Some(destination) = destination {
        request["destination"] = destination.into();
    }
    request
}

/// Hides a task for a while, as the API does after the creation of a task.
fn hide(world: SharedWorld, task_id: String, account: Account, time: Duration) {
    world.simulator(account).set_hidden(&task_id, true);
    tokio::spawn(async move {
        tokio::time::sleep(time).await;
        world.simulator(account).set_hidden(&task_id, false);
    });
}

/// Makes the queries of a task fail for a while.
fn break_queries(
    world: SharedWorld,
    task_id: String,
    account: Account,
    fault: Fault,
    time: Duration,
) {
    world
        .simulator(account)
        .set_task_fault(&task_id, Some(fault));
    tokio::spawn(async move {
        tokio::time::sleep(time).await;
        world.simulator(account).set_task_fault(&task_id, None);
    });
}

/// Lets the downloads of a task go on after a while.
fn release(world: SharedWorld, task_id: String, account: Account, time: Duration) {
    tokio::spawn(async move {
        tokio::time::sleep(time).await;
        world.simulator(account).release(&task_id);
    });
}
