//! Queries a task and prints its record, with sealed URLs:
//!
//! ```sh
//! SEEDANCE_API_KEY=… cargo run -p seedance-archiver-seedance --example query cgt-20260828062711-hj94q
//! ```

use seedance_archiver_seedance::{Client, Endpoint, UrlSeal};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the output of the example")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let task_id = std::env::args().nth(1).ok_or("usage: query TASK_ID")?;
    let base_url = "https://ark.ap-southeast.bytepluses.com/api/v3".parse()?;
    let api_key = std::env::var("SEEDANCE_API_KEY")?.into();
    let endpoint = Endpoint::new("default", base_url, api_key);

    let client = Client::new(seedance_archiver_http::client()?);
    let record = client.query(&endpoint, &task_id).await?;
    let seal = UrlSeal::new("default", &[endpoint.api_key.read()?]);
    println!("{}", serde_json::to_string_pretty(&record.sealed(&seal))?);
    Ok(())
}
