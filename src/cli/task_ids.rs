//! The task ids of a command, from its arguments and from standard input.

use std::{collections::HashSet, io::Read};

use anyhow::{Context, bail};
use seedance_archiver_proto::{task_id, visible};

/// Stands for standard input.
const STDIN: &str = "-";
/// Maximum number of invalid ids in an error.
const MAX_LISTED: usize = 10;

/// Returns the task ids in their order, without duplicates. `-` is replaced by those from standard input.
///
/// # Errors
///
/// Returns an error if standard input cannot be read, an id is invalid, or there is no id.
pub(super) fn read(arguments: &[String]) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    for argument in arguments {
        if argument == STDIN {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .context("cannot read task ids from standard input")?;
            ids.extend(parse_lines(&text));
        } else {
            ids.push(("argument".to_owned(), visible::trim(argument).to_owned()));
        }
    }
    check(&ids)?;
    let mut seen = HashSet::new();
    let ids = ids.into_iter().map(|(_, id)| id);
    let ids: Vec<_> = ids.filter(|id| seen.insert(id.clone())).collect();
    if ids.is_empty() {
        bail!("no task ids on standard input; write one per line");
    }
    Ok(ids)
}

/// Returns the id of each line, with the line's number. Invisible characters around an id, blank lines and lines that
/// start with `#` are ignored.
fn parse_lines(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().enumerate();
    lines
        .map(|(index, line)| {
            (
                format!("line {}", index + 1),
                visible::trim(line).to_owned(),
            )
        })
        .filter(|(_, id)| !id.is_empty() && !id.starts_with('#'))
        .collect()
}

/// Checks every id, so that nothing is started if one of them is invalid.
fn check(ids: &[(String, String)]) -> anyhow::Result<()> {
    let problems: Vec<_> = ids
        .iter()
        .filter_map(|(source, id)| {
            if let Err(problem) = visible::check(id) {
                return Some(format!("{source} {problem}"));
            }
            let problem = task_id::check(id).err()?;
            Some(format!("{source}: {id:?}: `task_id` {problem}"))
        })
        .collect();
    if problems.is_empty() {
        return Ok(());
    }
    let listed = problems[..problems.len().min(MAX_LISTED)].join("\n  ");
    let more = match problems.len().saturating_sub(MAX_LISTED) {
        0 => String::new(),
        more => format!("\n  and {more} more"),
    };
    bail!("invalid task ids; nothing was started:\n  {listed}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_one_id() {
        let ids = parse_lines("cgt-1\n\n  cgt-2  \r\n# cgt-3\n");
        assert_eq!(
            ids,
            [("line 1", "cgt-1"), ("line 3", "cgt-2")]
                .map(|(source, id)| (source.to_owned(), id.to_owned()))
        );
    }

    #[test]
    fn invisible_characters_are_not_part_of_an_id() {
        let ids = parse_lines("\u{feff}cgt-1\r\n\u{200b}\n\u{feff}# cgt-2\ncgt-3\u{a0}\u{200d}\n");
        let ids: Vec<_> = ids.iter().map(|(_, id)| id.as_str()).collect();
        assert_eq!(ids, ["cgt-1", "cgt-3"]);
        let argument = ["\u{feff}cgt-1 ".to_owned(), "cgt-1".to_owned()];
        assert_eq!(read(&argument).unwrap(), ["cgt-1"]);
        for (line, name) in [
            ("cgt\u{200b}-3", "U+200B"),
            ("“cgt-3”", "U+201C"),
            ("c\u{ad}gt", "U+00AD"),
        ] {
            let error = check(&parse_lines(&format!("cgt-1\ncgt-2\n{line}"))).unwrap_err();
            let expected = format!("line 3 contains {name}; delete it");
            assert!(error.to_string().ends_with(&expected), "{error}");
        }
    }

    #[test]
    fn duplicate_ids_are_removed() {
        let ids = ["b", "a", "b"].map(str::to_owned);
        assert_eq!(read(&ids).unwrap(), ["b", "a"]);
    }

    #[test]
    fn the_error_lists_at_most_ten_invalid_ids() {
        let ids: Vec<_> = (0..12).map(|index| format!("a/{index}")).collect();
        let error = read(&ids).unwrap_err().to_string();
        assert!(
            error.contains("\"a/0\"") && error.contains("\"a/9\""),
            "{error}"
        );
        assert!(error.ends_with("and 2 more"), "{error}");
    }
}
