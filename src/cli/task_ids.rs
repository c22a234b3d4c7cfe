//! The task ids of a command: as arguments, or from standard input.

use std::{collections::HashSet, io::Read};

use anyhow::{Context, bail};
use seedance_archiver_proto::task_id;

/// Stands for standard input.
const STDIN: &str = "-";
/// Faults that are told before the rest is only counted.
const MAX_FAULTS: usize = 10;

/// The ids, each once, in their order. `-` is replaced by those from standard input.
pub(super) fn read(arguments: &[String]) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    for argument in arguments {
        if argument == STDIN {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .context("cannot read task ids from standard input")?;
            ids.extend(in_text(&text));
        } else {
            ids.push(("argument".to_owned(), argument.clone()));
        }
    }
    check(&ids)?;
    let mut seen = HashSet::new();
    let once = ids.into_iter().map(|(_, id)| id);
    let once: Vec<_> = once.filter(|id| seen.insert(id.clone())).collect();
    if once.is_empty() {
        bail!("there are no task ids on standard input: give one on each line");
    }
    Ok(once)
}

/// One id a line. Blank lines and lines that begin with `#` are passed over.
fn in_text(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().enumerate();
    lines
        .map(|(index, line)| (format!("line {}", index + 1), line.trim().to_owned()))
        .filter(|(_, id)| !id.is_empty() && !id.starts_with('#'))
        .collect()
}

/// Nothing is begun with a list that is wrong somewhere.
fn check(ids: &[(String, String)]) -> anyhow::Result<()> {
    let faults: Vec<_> = ids
        .iter()
        .filter_map(|(place, id)| {
            let problem = task_id::check(id).err()?;
            Some(format!("{place}: {id:?}: `task_id` {problem}"))
        })
        .collect();
    if faults.is_empty() {
        return Ok(());
    }
    let told = faults[..faults.len().min(MAX_FAULTS)].join("\n  ");
    let more = match faults.len().saturating_sub(MAX_FAULTS) {
        0 => String::new(),
        more => format!("\n  and {more} more"),
    };
    bail!("these are no task ids, and nothing was started:\n  {told}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_a_line_each() {
        let ids = in_text("cgt-1\n\n  cgt-2  \r\n# cgt-3\n");
        assert_eq!(
            ids,
            [("line 1", "cgt-1"), ("line 3", "cgt-2")]
                .map(|(place, id)| (place.to_owned(), id.to_owned()))
        );
    }

    #[test]
    fn each_counts_once() {
        let ids = ["b", "a", "b"].map(str::to_owned);
        assert_eq!(read(&ids).unwrap(), ["b", "a"]);
    }

    #[test]
    fn every_fault_is_told_up_to_a_bound() {
        let ids: Vec<_> = (0..12).map(|index| format!("a/{index}")).collect();
        let error = read(&ids).unwrap_err().to_string();
        assert!(
            error.contains("\"a/0\"") && error.contains("\"a/9\""),
            "{error}"
        );
        assert!(error.ends_with("and 2 more"), "{error}");
    }
}
