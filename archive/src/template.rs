//! Which folder of an archive a task gets.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, fmt::strtime};
use object_store::path::{Path, PathPart};
use seedance_archiver_proto::names;

use super::staging::STAGING;

const DEFAULT: &str = "{account}/{created:%Y/%m/%d}/{task_id}";
const MAX_BYTES: usize = 512;
const PLAIN: &str = "letters, digits, `-`, `_`, `.` and `=`";

/// What a task's folder becomes that would be the one of what is not published yet. No value can spell
/// it: its `%` would be escaped.
const NOT_STAGING: &str = "%2Estaging";

/// A task of 2001-01-02T03:04:05Z: numbers have one digit where they can, so that it shows what a
/// format pads with, and no fraction, so that it shows what a format leaves out.
const SAMPLE: Parts<'_> = Parts {
    account: "account",
    task_id: "task",
    model: "model",
    created: Some(Timestamp::constant(978_404_645, 0)),
};

/// The folder of a task, e.g. `{account}/dt={created:%Y-%m-%d}/{task_id}`.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyTemplate {
    text: String,
    pieces: Vec<Piece>,
}

/// What fills the fields of a template.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// `{account}`: `default` where it is empty.
    pub account: &'a str,
    /// `{task_id}`: `unknown` where it is empty.
    pub task_id: &'a str,
    /// `{model}`: `unknown` where it is empty.
    pub model: &'a str,
    /// `{created:FORMAT}`, in UTC: `undated` where it is not known.
    pub created: Option<Timestamp>,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidTemplate(String);

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Account,
    TaskId,
    Model,
    Created(String),
}

impl Default for KeyTemplate {
    fn default() -> Self {
        Self {
            text: DEFAULT.to_owned(),
            pieces: pieces(DEFAULT).unwrap_or_default(), // it parses, says a test
        }
    }
}

impl fmt::Display for KeyTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for KeyTemplate {
    type Err = InvalidTemplate;

    fn from_str(text: &str) -> Result<Self, InvalidTemplate> {
        if text.len() > MAX_BYTES {
            return invalid(format!("has {} bytes: use up to {MAX_BYTES}", text.len()));
        }
        let pieces = pieces(text.strip_suffix('/').unwrap_or(text))?;
        if !pieces.contains(&Piece::TaskId) {
            return invalid(format!(
                "has no `{{task_id}}`, so tasks would share a folder: add it, as in `{DEFAULT}`"
            ));
        }
        check_segments(&filled(&pieces, SAMPLE))?;
        let text = text.to_owned();
        Ok(Self { text, pieces })
    }
}

impl KeyTemplate {
    /// The folder of this task. No value leaves its segment.
    pub fn folder(&self, task: Parts<'_>) -> Path {
        let names = filled(&self.pieces, task);
        let segments = names.split('/').enumerate().map(|segment| match segment {
            (0, STAGING) => escaped_already(NOT_STAGING),
            (_, name) => escaped_already(name),
        });
        segments.collect()
    }
}

fn filled(pieces: &[Piece], task: Parts<'_>) -> String {
    pieces.iter().map(|piece| piece.filled(task)).collect()
}

fn check_segments(names: &str) -> Result<(), InvalidTemplate> {
    for (number, name) in (1..).zip(names.split('/')) {
        match (number, name) {
            (_, "") => return invalid(format!("segment {number} is empty: remove a slash")),
            (_, "." | "..") => return invalid(format!("segment {number} is `{name}`: rename it")),
            (1, STAGING) => return invalid(format!("`{STAGING}` is reserved: rename segment 1")),
            _ => {}
        }
    }
    Ok(())
}

fn pieces(text: &str) -> Result<Vec<Piece>, InvalidTemplate> {
    let mut chunks = text.split('{');
    let mut pieces = vec![Piece::text(chunks.next().unwrap_or_default())?];
    for chunk in chunks {
        let Some((field, text)) = chunk.split_once('}') else {
            return invalid(format!(
                "`{{{chunk}` is not closed: add a `}}` after the field"
            ));
        };
        pieces.extend([Piece::field(field)?, Piece::text(text)?]);
    }
    pieces.retain(|piece| *piece != Piece::Text(String::new()));
    Ok(pieces)
}

impl Piece {
    fn text(text: &str) -> Result<Self, InvalidTemplate> {
        match text.chars().find(|char| !is_plain(*char)) {
            None => Ok(Self::Text(text.to_owned())),
            Some('}') => invalid(format!("`{text}` has a `}}` without its `{{`: remove it")),
            Some(char) => invalid(format!("`{text}` has a {char:?}: use only {PLAIN}")),
        }
    }

    fn field(field: &str) -> Result<Self, InvalidTemplate> {
        match (field, field.strip_prefix("created:")) {
            ("account", _) => Ok(Self::Account),
            ("task_id", _) => Ok(Self::TaskId),
            ("model", _) => Ok(Self::Model),
            (_, Some(format)) => Self::created(format),
            _ => invalid(format!(
                "`{{{field}}}` is no field: use `{{account}}`, `{{task_id}}`, `{{model}}` or \
                 `{{created:FORMAT}}`, as in `{DEFAULT}`"
            )),
        }
    }

    fn created(format: &str) -> Result<Self, InvalidTemplate> {
        match strtime::format(format, SAMPLE.created.unwrap_or_default()) {
            Ok(time) if time.chars().all(is_plain) && !time.split('/').any(str::is_empty) => {
                Ok(Self::Created(format.to_owned()))
            }
            Ok(time) => invalid(format!(
                "`{{created:{format}}}` gives {time:?}: it may give only {PLAIN} between slashes"
            )),
            Err(error) => invalid(format!(
                "`{{created:{format}}}` is no format: use one such as `%Y/%m/%d` ({error})"
            )),
        }
    }

    fn filled(&self, task: Parts<'_>) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Account => escaped(task.account, names::DEFAULT_ACCOUNT),
            Self::TaskId => escaped(task.task_id, "unknown"),
            Self::Model => escaped(task.model, "unknown"),
            Self::Created(format) => task
                .created
                .and_then(|created| strtime::format(format, created).ok())
                .unwrap_or_else(|| "undated".to_owned()),
        }
    }
}

fn invalid<T>(why: String) -> Result<T, InvalidTemplate> {
    Err(InvalidTemplate(why))
}

/// Whether it is of [`PLAIN`], or a slash between them.
fn is_plain(char: char) -> bool {
    char.is_ascii_alphanumeric() || "-_.=/".contains(char)
}

fn escaped(value: &str, if_empty: &str) -> String {
    let value = if value.is_empty() { if_empty } else { value };
    PathPart::from(value).as_ref().to_owned()
}

fn escaped_already(name: &str) -> PathPart<'_> {
    PathPart::parse(name).unwrap_or_else(|_| PathPart::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(template: &str, [account, task_id, model]: [&str; 3], created: i64) -> String {
        let template: KeyTemplate = template.parse().unwrap();
        let created = (created > 0).then(|| Timestamp::from_second(created).unwrap());
        let folder = template.folder(Parts {
            account,
            task_id,
            model,
            created,
        });
        folder.to_string()
    }

    #[test]
    fn a_task_gets_the_folder_its_template_says() {
        let folder = |template, created| folder(template, ["", "cgt-1", ""], created);
        assert_eq!(folder(DEFAULT, 1_752_850_104), "default/2025/07/18/cgt-1");
        assert_eq!(folder(DEFAULT, 0), "default/undated/cgt-1");
        let hive = "day={created:%F}/{task_id}-{model}/";
        assert_eq!(folder(hive, 1_752_850_104), "day=2025-07-18/cgt-1-unknown");
        assert_eq!(folder(hive, 0), "day=undated/cgt-1-unknown");
        assert_eq!(hive.parse::<KeyTemplate>().unwrap().to_string(), hive);
        assert_eq!(DEFAULT.parse(), Ok(KeyTemplate::default()));
    }

    #[test]
    fn no_value_leaves_its_segment_or_takes_anothers() {
        let nasty = " . .. ../../x / a/b a\\b a%2Fb %2E %2e%2e a\0b \n {model} \u{202e} \
                     .staging staging %2Estaging";
        for template in ["{account}/{task_id}/{model}", ".{model}/.{task_id}/.m"] {
            let mut folders = std::collections::HashSet::new();
            for (a, b) in nasty
                .split(' ')
                .flat_map(|a| nasty.split(' ').map(move |b| (a, b)))
            {
                let key = folder(template, [b, a, b], 0);
                let is_safe = |name| !["", ".", ".."].contains(&name);
                assert!(key.split('/').all(is_safe), "{a:?}, {b:?}: {key}");
                assert_eq!(key.split('/').count(), 3, "{a:?}, {b:?}: {key}");
                assert!(!key.contains(['\\', '\0', '\n']), "{a:?}, {b:?}: {key}");
                assert!(!key.starts_with(".staging/"), "{a:?}, {b:?}: {key}");
                assert!(
                    folders.insert(key),
                    "{a:?}, {b:?} share a folder with others"
                );
            }
        }
        assert_eq!(folder("{task_id}", ["", STAGING, ""], 0), NOT_STAGING);
    }

    #[test]
    fn a_refusal_says_what_is_wrong_and_where() {
        let long = format!("{{task_id}}{} => has 521 bytes", "x".repeat(MAX_BYTES));
        let refused = r#"
             => has no `{task_id}`
            {account}/{model} => has no `{task_id}`
            {id}/{task_id} => `{id}` is no field: use `{account}`, `{task_id}`, `{model}` or
            {created}/{task_id} => `{created}` is no field
            a/{task_id => `{task_id` is not closed
            {created:%Y/{task_id} => `{created:%Y/` is not closed
            a}/{task_id} => `a}/` has a `}` without its `{`
            {task_id}} => `}` has a `}` without its `{`
            my videos/{task_id} => `my videos/` has a ' ': use only letters, digits
            a\b/{task_id} => `a\b/` has a '\\'
            50%/{task_id} => `50%/` has a '%'
            ü/{task_id} => `ü/` has a 'ü'
            /{task_id} => segment 1 is empty: remove a slash
            a//{task_id} => segment 2 is empty
            {task_id}// => segment 2 is empty
            ./{task_id} => segment 1 is `.`
            a/../{task_id} => segment 2 is `..`
            {created:%Y/../%m}/{task_id} => segment 2 is `..`
            .{created:.}/{task_id} => segment 1 is `..`
            .staging/{task_id} => `.staging` is reserved: rename segment 1
            .{created:staging/%Y}/{task_id} => `.staging` is reserved
            {created:%.f}/{task_id} => `{created:%.f}` gives "": it may give only letters, digits
            {created:/%Y}/{task_id} => `{created:/%Y}` gives "/2001"
            {created:%n}/{task_id} => `{created:%n}` gives "\n"
            {created:%e}/{task_id} => `{created:%e}` gives " 2"
            {created:%%2F}/{task_id} => `{created:%%2F}` gives "%2F"
            {created:%Q}/{task_id} => `{created:%Q}` gives "+0000"
            {created:%Y%}/{task_id} => `{created:%Y%}` is no format: use one such as `%Y/%m/%d`
            {created:%!}/{task_id} => `{created:%!}` is no format"#;
        for case in refused.lines().skip(1).chain([long.as_str()]) {
            let (template, wanted) = case.split_once(" => ").unwrap();
            let why = template.trim_start().parse::<KeyTemplate>().unwrap_err().0;
            assert!(why.starts_with(wanted), "{template}: {why}");
        }
        assert!("a/.staging/{task_id}".parse::<KeyTemplate>().is_ok());
    }
}
