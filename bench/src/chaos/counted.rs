//! The endings that a worker has counted, from its metrics.

use std::collections::BTreeMap;

/// Endings by account and outcome.
pub(super) type Counted = BTreeMap<(String, String), u64>;

const ENDED: &str = "seedance_archiver_lifecycles_ended_total{";

/// Returns the endings in a page of metrics.
pub(super) fn parse(page: &str) -> Counted {
    let mut counted = Counted::new();
    for line in page.lines() {
        let sample = line.strip_prefix(ENDED);
        let Some((labels, value)) = sample.and_then(|sample| sample.rsplit_once("} ")) else {
            continue;
        };
        let key = (label(labels, "account"), label(labels, "outcome"));
        *counted.entry(key).or_default() += value.parse::<f64>().unwrap_or_default() as u64;
    }
    counted
}

fn label(labels: &str, name: &str) -> String {
    let start = format!("{name}=\"");
    let rest = labels.split_once(&start).map(|(_, rest)| rest);
    let value = rest.and_then(|rest| rest.split_once('"'));
    value.map_or_else(String::new, |(value, _)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_counted_by_account_and_outcome() {
        let page = "# TYPE seedance_archiver_lifecycles_ended_total counter\n\
            seedance_archiver_lifecycles_ended_total{account=\"a\",outcome=\"archived\"} 4\n\
            seedance_archiver_lifecycles_ended_total{outcome=\"lost\",account=\"\"} 1\n\
            seedance_archiver_polls_total{account=\"a\",result=\"news\"} 9\n";
        let key = |account: &str, outcome: &str| (account.to_owned(), outcome.to_owned());
        let expected = [(key("a", "archived"), 4), (key("", "lost"), 1)];
        assert_eq!(parse(page), Counted::from(expected));
    }
}
