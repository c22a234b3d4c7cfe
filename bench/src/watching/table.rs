//! Results as a Markdown table.

use super::row::{Results, Row};

const HEAD: &str = "\
| system | in flight | videos | requests a video | of these lists / polls / records | 429 | lag p50 | mean | p95 | actions a video | events | worker CPU a video | worker memory, mean / peak | server CPU a video | server memory |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
";

pub(super) fn markdown(rows: &[Row]) -> String {
    let mut servers: Vec<_> = rows
        .iter()
        .filter_map(|row| row.results.as_ref())
        .map(|it| format!("Temporal server: {} {}\n", it.server, it.server_version))
        .collect();
    servers.dedup();
    let lines = rows.iter().map(|row| {
        let results = match &row.results {
            Some(results) => cells(results).join(" | "),
            None => row.error.clone().unwrap_or_default().replace('\n', " "),
        };
        format!("| {} | {} | {results} |\n", row.system, row.in_flight)
    });
    format!(
        "\n{}\n{HEAD}{}",
        servers.concat(),
        lines.collect::<String>()
    )
}

fn cells(results: &Results) -> Vec<String> {
    let requests = results.requests;
    let a_video = |count: u64| results.a_video(count as f64);
    let polls = requests.queries - requests.final_queries;
    let lag = |part: Option<f64>| part.map_or("-".to_owned(), |lag| format!("{lag:.1} s"));
    let lags = results.lag_seconds;
    let milliseconds = |seconds: f64| format!("{:.0} ms", results.a_video(seconds) * 1e3);
    let (worker, server) = (&results.worker, &results.server_process);
    vec![
        videos(results),
        format!("{:.2}", a_video(requests.lists + requests.queries)),
        format!(
            "{:.2} / {:.2} / {:.2}",
            a_video(requests.lists),
            a_video(polls),
            a_video(requests.final_queries)
        ),
        (requests.throttled_lists + requests.throttled_queries).to_string(),
        lag(lags.map(|it| it.p50)),
        lag(lags.map(|it| it.mean)),
        lag(lags.map(|it| it.p95)),
        format!("{:.1} + {:.1}", results.actions, results.shared_actions),
        format!("{:.1}", results.history_events),
        milliseconds(worker.cpu_seconds),
        format!(
            "{:.0} / {:.0} MiB",
            worker.mean_mebibytes, worker.peak_mebibytes
        ),
        milliseconds(server.cpu_seconds),
        format!("{:.0} MiB", server.peak_mebibytes),
    ]
}

fn videos(results: &Results) -> String {
    let counts = [(results.open, "still open"), (results.failed, "failed")];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts = counts.map(|(count, what)| format!("; {count} of {} {what}", results.sampled));
    format!("{}{}", results.videos, counts.collect::<String>())
}
