//! Create requests whose answer is lost, with callbacks.

use std::sync::Arc;

use anyhow::ensure;
use seedance_archiver::config::{Account, Callbacks, Secret};
use seedance_archiver_simulator::CreateFault;

use super::call::{request, result, start};
use crate::{
    free_address::free_address,
    harness::{Fixture, HOUR, Server, register, until_async},
};

const TOKEN: &str = "a-token-of-32-characters-1234567";

/// Returns a fixture whose submissions request callbacks.
async fn callback_fixture(server: &Server) -> anyhow::Result<Fixture> {
    // The URL has to be known before the worker listens.
    let address = free_address()?;
    let url = format!("http://{address}").parse()?;
    let change = |account: &mut Account| {
        account.callbacks = Some(Callbacks {
            token: Secret::from(TOKEN.to_owned()),
            start_lifecycles: false,
            url: Some(url),
        });
    };
    let mut fixture = Fixture::with_account(server, change).await?;
    fixture.config.ingress_address = Some(address);
    Ok(fixture)
}

async fn a_task_is_learned_from_its_first_callback(server: Arc<Server>) -> anyhow::Result<()> {
    for fault in [CreateFault::LostAnswer, CreateFault::ErrorAfter] {
        let fixture = callback_fixture(&server).await?;
        fixture.simulator.add_create_faults([Some(fault)]);
        let result = fixture
            .with_worker(&server, async {
                let generation = start(&server, &fixture, request("a kite")).await?;
                result(&generation).await
            })
            .await?;
        ensure!(result.outcome == "archived", "{fault:?}: {result:?}");
        let submission = result.submission.unwrap_or_default();
        ensure!(submission.learned_from == "callback", "{submission:?}");
        ensure!(fixture.simulator.task_ids() == std::slice::from_ref(&result.task_id));
        let url = fixture
            .simulator
            .request_field(&result.task_id, "callback_url");
        let url = url.unwrap_or_default().to_string();
        let path = format!("/callbacks/default/{TOKEN}/{}", submission.submission_id);
        ensure!(url.contains(&path), "{url}");
    }
    Ok(())
}
register!(a_task_is_learned_from_its_first_callback);

/// Both answers are lost, and the list cannot tell the tasks apart.
async fn callbacks_tell_submissions_apart_that_the_list_cannot(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = callback_fixture(&server).await?;
    let lost = Some(CreateFault::LostAnswer);
    fixture.simulator.add_create_faults([lost, lost]);
    let prompts = ["a kite", "a boat"];
    let results = fixture
        .with_worker(&server, async {
            let generations = [
                start(&server, &fixture, request(prompts[0])).await?,
                start(&server, &fixture, request(prompts[1])).await?,
            ];
            Ok([
                result(&generations[0]).await?,
                result(&generations[1]).await?,
            ])
        })
        .await?;
    for (result, prompt) in results.iter().zip(prompts) {
        ensure!(result.outcome == "archived", "{result:?}");
        let content = fixture.simulator.request_field(&result.task_id, "content");
        let text = content.unwrap_or_default()[0]["text"].clone();
        ensure!(text == prompt, "{text} for {prompt}");
    }
    ensure!(fixture.simulator.task_ids().len() == 2);
    Ok(())
}
register!(callbacks_tell_submissions_apart_that_the_list_cannot);

/// The submission is ambiguous when the first callback arrives.
async fn the_video_of_an_ambiguous_submission_is_archived_on_a_late_callback(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = callback_fixture(&server).await?;
    let address = fixture.config.ingress_address;
    let lost = [Some(CreateFault::LostRequest)];
    fixture.simulator.add_create_faults(lost);
    fixture
        .with_worker(&server, async {
            let generation = start(&server, &fixture, request("a kite")).await?;
            super::lost_answers::until_unanswered(&generation).await?;
            fixture.advance_clock(HOUR).await;
            let result = result(&generation).await?;
            ensure!(result.reason == "submission_ambiguous", "{result:?}");
            let submission = result.submission.unwrap_or_default();
            let id = fixture.simulator.create(Default::default());
            let address = address.map(|it| it.to_string()).unwrap_or_default();
            let path = format!("callbacks/default/{TOKEN}/{}", submission.submission_id);
            let http = reqwest::Client::builder().no_proxy().build()?;
            let callback = http.post(format!("http://{address}/{path}"));
            let callback = callback.body(format!("{{\"id\": \"{id}\"}}"));
            let response = callback.send().await?;
            ensure!(response.status().is_success(), "{response:?}");
            until_async("the lifecycle exists", || async {
                Ok(server.run_id(&id).await.is_ok())
            })
            .await
        })
        .await
}
register!(the_video_of_an_ambiguous_submission_is_archived_on_a_late_callback);
