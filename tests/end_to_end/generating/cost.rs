//! What it costs to look for the tasks of many lost answers at once.

use std::sync::Arc;

use anyhow::ensure;
use futures::{StreamExt, TryStreamExt, stream};
use seedance_archiver::{config::Account, seedance::RateLimit};
use seedance_archiver_simulator::CreateFault;
use temporalio_client::NamespacedClient;

use super::{
    call::{request, result, start},
    lost_answers::until_unanswered,
};
use crate::harness::{
    Fixture, HOUR, Server, existing_server,
    grpc_proxy::{GrpcProxy, Rules, Treatment},
    register,
};

/// Number of submissions.
const SUBMISSIONS: usize = 40;
/// Requests a second, of the account and of the simulator.
const RATE: f64 = 100.0;
/// The calls by which a worker finds out to whom tasks belong.
const LOOK_UPS: Rules = &[
    ("DescribeWorkflowExecution", Treatment::Count),
    ("ListWorkflowExecutions", Treatment::Count),
    ("QueryWorkflow", Treatment::Count),
];

/// Each task may be that of each submission, so looking each one up for each would cost thousands of calls.
async fn many_lost_answers_cost_few_calls(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let proxy = GrpcProxy::start(&server.address, LOOK_UPS).await?;
    let client = existing_server::connect_to(&proxy.address, server.client.namespace()).await?;
    let proxied = Server::new(client, proxy.address.clone(), None)?;
    let fixture = Fixture::with(
        &server,
        |simulator| simulator.query_rate(RATE).list_rate(RATE),
        |account: &mut Account| {
            account.endpoint.query_limit = RateLimit::per_second(RATE);
            account.endpoint.list_limit = RateLimit::per_second(RATE);
        },
    )
    .await?;
    let lost = [Some(CreateFault::LostAnswer); SUBMISSIONS];
    fixture.simulator.add_create_faults(lost);
    let (results, look_ups) = fixture
        .with_worker(&proxied, async {
            let mut generations = Vec::new();
            for _ in 0..SUBMISSIONS {
                generations.push(start(&server, &fixture, request("a kite")).await?);
            }
            for generation in &generations {
                until_unanswered(generation).await?;
            }
            let before = proxy.treated();
            fixture.advance_clock(HOUR).await;
            let results = stream::iter(&generations).map(result).buffered(SUBMISSIONS);
            let results: Vec<_> = results.try_collect().await?;
            Ok((results, proxy.treated() - before))
        })
        .await?;
    let lists = fixture.simulator.lists();
    eprintln!("{SUBMISSIONS} searches: {look_ups} calls of Temporal, {lists} list requests");
    let mut created = fixture.simulator.task_ids();
    created.sort();
    ensure!(created.len() == SUBMISSIONS, "{created:?}");
    for result in results {
        let submission = result.submission.unwrap_or_default();
        ensure!(submission.submission_ambiguous, "{submission:?}");
        let mut candidates = submission.candidates;
        candidates.sort();
        ensure!(candidates == created, "{candidates:?}");
    }
    // Each `CreateVideoTask` asks its own submission once or twice.
    ensure!(look_ups < 4 * SUBMISSIONS, "{look_ups} calls");
    ensure!(lists < SUBMISSIONS as u64 / 2, "{lists} lists");
    Ok(())
}
register!(many_lost_answers_cost_few_calls);
