//! Calls of the task API whose responses come from an input.

use seedance_archiver_proto::v1::SweepPage;
use seedance_archiver_seedance::{
    Client, Endpoint, Error, ListedTasks, Page, RateLimit, Record, UrlSeal,
};

use crate::loopback::{self, Reply};

/// The id of the task that is queried.
pub(crate) const TASK_ID: &str = "cgt-20260828062711-hj94q";
/// The API key. It contains what JSON may escape.
pub(crate) const API_KEY: &str = "very/SECRET+key2";

thread_local! {
    static CLIENT: Client = client();
}

/// Queries the task. The service answers with `reply`.
pub(crate) fn query(reply: Reply) -> Result<Record, Error> {
    let client = CLIENT.with(Client::clone);
    let endpoint = endpoint();
    let query = client.query(&endpoint, TASK_ID);
    loopback::serve(move |_| reply.clone(), query)
}

/// Lists the first page. The service answers with this body.
pub(crate) fn list(body: &[u8]) -> Result<Page, Error> {
    let (client, reply) = (CLIENT.with(Client::clone), Reply::new(200, body.to_vec()));
    let (endpoint, page) = (endpoint(), first_page());
    let list = client.list(&endpoint, &page);
    loopback::serve(move |_| reply.clone(), list)
}

/// Lists the task by its id. The service answers with this body.
pub(crate) fn list_task(body: &[u8]) -> Result<ListedTasks, Error> {
    let (client, reply) = (CLIENT.with(Client::clone), Reply::new(200, body.to_vec()));
    let (endpoint, page) = (endpoint(), first_page());
    let list = client.list_tasks(&endpoint, &page, &[TASK_ID]);
    loopback::serve(move |_| reply.clone(), list)
}

/// Returns what seals the URLs of the account.
pub(crate) fn seal() -> UrlSeal {
    UrlSeal::new("default", &[API_KEY.into()])
}

fn client() -> Client {
    Client::new(seedance_archiver_http::client().unwrap())
}

fn endpoint() -> Endpoint {
    let base_url = loopback::url().parse().unwrap();
    // Not shared with other calls: each is the first one, which does not wait.
    let unlimited = || RateLimit::per_second(1e9);
    let mut endpoint = Endpoint::new("default", base_url, API_KEY.to_owned().into());
    endpoint.query_limit = unlimited();
    endpoint.list_limit = unlimited();
    endpoint
}

fn first_page() -> SweepPage {
    SweepPage {
        page_num: 1,
        ..SweepPage::default()
    }
}
