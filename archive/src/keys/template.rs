use std::{fmt, str::FromStr};

use jiff::{Timestamp, fmt::strtime};
use object_store::path::Path;
use seedance_archiver_proto::names;

use super::{
    STAGING,
    escape::{escape, escape_free, escaped_part},
    is_staging_in_any_case,
};

const DEFAULT: &str = "{account}/{created:%Y/%m/%d}/{task_id}";
const MAX_LEN: usize = 512;
/// `{draft}` of a draft.
pub(super) const DRAFT: &str = "draft";
/// `{draft}` of every other task.
pub(super) const FINAL: &str = "final";
const ALLOWED: &str = "letters, digits, `-`, `_`, `.` and `=`";

/// The task with which a template is checked. It was created at 2001-01-02T03:04:05Z: single digits show how a
/// time format pads, and the missing fraction shows what the format omits.
const SAMPLE: TemplateValues<'_> = TemplateValues {
    account: "account",
    task_id: "task",
    model: "model",
    draft: FINAL,
    draft_task_id: "draft",
    safety_identifier: "user",
    created: Some(Timestamp::constant(978_404_645, 0)),
};

/// The template of a task's directory, such as `{account}/dt={created:%Y-%m-%d}/{task_id}`.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyTemplate {
    text: String,
    segments: Vec<Segment>,
}

/// The values of the fields of a template.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TemplateValues<'a> {
    /// `{account}`. If empty: `default`.
    pub(crate) account: &'a str,
    /// `{task_id}`. If empty: `unknown`.
    pub(crate) task_id: &'a str,
    /// `{model}`. If empty: `unknown`.
    pub(crate) model: &'a str,
    /// `{draft}`: [`DRAFT`] or [`FINAL`].
    pub(crate) draft: &'a str,
    /// `{draft_task_id}`. If empty: `none`.
    pub(crate) draft_task_id: &'a str,
    /// `{safety_identifier}`. If empty: `none`.
    pub(crate) safety_identifier: &'a str,
    /// `{created:FORMAT}`, in UTC. If `None`: `undated`.
    pub(crate) created: Option<Timestamp>,
}

/// The problem with an invalid template. The text completes "`keys` …".
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidTemplate(String);

#[derive(Clone, Debug, PartialEq)]
enum Segment {
    Text(String),
    Account,
    TaskId,
    Model,
    Draft,
    DraftTaskId,
    SafetyIdentifier,
    Created(String),
}

impl Default for KeyTemplate {
    fn default() -> Self {
        Self {
            text: DEFAULT.to_owned(),
            segments: parse(DEFAULT).unwrap_or_default(), // a test checks that it parses
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
        if text.len() > MAX_LEN {
            return invalid(format!(
                "is {} bytes long; the maximum is {MAX_LEN}",
                text.len()
            ));
        }
        let segments = parse(text.strip_suffix('/').unwrap_or(text))?;
        if !segments.contains(&Segment::TaskId) {
            return invalid(format!(
                "has no `{{task_id}}`, so tasks would share a directory; add it, as in `{DEFAULT}`"
            ));
        }
        check_directories(&fill(&segments, SAMPLE))?;
        let text = text.to_owned();
        Ok(Self { text, segments })
    }
}

impl KeyTemplate {
    /// Returns whether the directory of a task depends on more of its record than the creation time.
    pub fn needs_record(&self) -> bool {
        let needs_record = |segment: &Segment| {
            matches!(
                segment,
                Segment::Model | Segment::Draft | Segment::DraftTaskId | Segment::SafetyIdentifier
            )
        };
        self.segments.iter().any(needs_record)
    }

    /// Returns the names of the directories of a task, separated by slashes.
    pub(super) fn names(&self, values: TemplateValues<'_>) -> String {
        fill(&self.segments, values)
    }

    /// Returns the directory of a task. Values are escaped, so that none can add or leave a directory.
    pub(crate) fn directory(&self, values: TemplateValues<'_>) -> Path {
        let directories = self.names(values);
        let directories = directories
            .split('/')
            .map(|name| match name.strip_prefix('.') {
                // No other task can have this directory, because a `%` in a value is escaped.
                Some(rest) if is_staging_in_any_case(name) => format!("%2E{rest}"),
                _ => name.to_owned(),
            });
        let parts: Vec<_> = directories.collect();
        parts.iter().map(|name| escaped_part(name)).collect()
    }
}

fn fill(segments: &[Segment], values: TemplateValues<'_>) -> String {
    let filled = segments.iter().map(|segment| segment.fill(values));
    filled.collect()
}

fn check_directories(names: &str) -> Result<(), InvalidTemplate> {
    for (number, name) in (1..).zip(names.split('/')) {
        match (number, name) {
            (_, "") => return invalid(format!("directory {number} is empty; remove a slash")),
            (_, "." | "..") => {
                return invalid(format!("directory {number} is `{name}`; rename it"));
            }
            (_, name) if is_staging_in_any_case(name) => {
                return invalid(format!(
                    "directory {number} is `{name}`, and `{STAGING}` is reserved; rename it"
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

fn parse(text: &str) -> Result<Vec<Segment>, InvalidTemplate> {
    let mut chunks = text.split('{');
    let mut segments = vec![Segment::text(chunks.next().unwrap_or_default())?];
    for chunk in chunks {
        let Some((field, text)) = chunk.split_once('}') else {
            return invalid(format!(
                "`{{{chunk}` is not closed; add a `}}` after the field"
            ));
        };
        segments.extend([Segment::field(field)?, Segment::text(text)?]);
    }
    segments.retain(|segment| *segment != Segment::Text(String::new()));
    Ok(segments)
}

impl Segment {
    fn text(text: &str) -> Result<Self, InvalidTemplate> {
        match text.chars().find(|char| !is_allowed(*char)) {
            None => Ok(Self::Text(text.to_owned())),
            Some('}') => invalid(format!("`{text}` has a `}}` without a `{{`; remove it")),
            Some(char) => invalid(format!("`{text}` contains {char:?}; use only {ALLOWED}")),
        }
    }

    fn field(field: &str) -> Result<Self, InvalidTemplate> {
        match (field, field.strip_prefix("created:")) {
            ("account", _) => Ok(Self::Account),
            ("task_id", _) => Ok(Self::TaskId),
            ("model", _) => Ok(Self::Model),
            ("draft", _) => Ok(Self::Draft),
            ("draft_task_id", _) => Ok(Self::DraftTaskId),
            ("safety_identifier", _) => Ok(Self::SafetyIdentifier),
            (_, Some(format)) => Self::created(format),
            _ => invalid(format!(
                "`{{{field}}}` is not a field; use `{{account}}`, `{{task_id}}`, `{{model}}`, `{{draft}}`, \
                 `{{draft_task_id}}`, `{{safety_identifier}}` or `{{created:FORMAT}}`, as in `{DEFAULT}`"
            )),
        }
    }

    fn created(format: &str) -> Result<Self, InvalidTemplate> {
        match strtime::format(format, SAMPLE.created.unwrap_or_default()) {
            Ok(time) if time.chars().all(is_allowed) && !time.split('/').any(str::is_empty) => {
                Ok(Self::Created(format.to_owned()))
            }
            Ok(time) => invalid(format!(
                "`{{created:{format}}}` expands to {time:?}; use a format that expands to {ALLOWED}"
            )),
            Err(error) => invalid(format!(
                "`{{created:{format}}}` is not a time format ({error}); use one such as `%Y/%m/%d`"
            )),
        }
    }

    fn fill(&self, values: TemplateValues<'_>) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Account => escape(values.account, names::DEFAULT_ACCOUNT),
            Self::TaskId => escape(values.task_id, "unknown"),
            Self::Model => escape(values.model, "unknown"),
            Self::Draft => escape(values.draft, FINAL),
            Self::DraftTaskId => escape(values.draft_task_id, "none"),
            Self::SafetyIdentifier => escape_free(values.safety_identifier, "none"),
            Self::Created(format) => values
                .created
                .and_then(|created| strtime::format(format, created).ok())
                .unwrap_or_else(|| "undated".to_owned()),
        }
    }
}

fn invalid<T>(problem: String) -> Result<T, InvalidTemplate> {
    Err(InvalidTemplate(problem))
}

/// Returns whether a character is one of [`ALLOWED`], or a slash.
fn is_allowed(char: char) -> bool {
    char.is_ascii_alphanumeric() || "-_.=/".contains(char)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(template: &str, [account, task_id, model]: [&str; 3], created: i64) -> String {
        let template: KeyTemplate = template.parse().unwrap();
        let created = (created > 0).then(|| Timestamp::from_second(created).unwrap());
        let directory = template.directory(TemplateValues {
            account,
            task_id,
            model,
            draft: FINAL,
            draft_task_id: "",
            safety_identifier: "",
            created,
        });
        directory.to_string()
    }

    #[test]
    fn fields_are_replaced_by_the_values_of_the_task() {
        let directory = |template, created| directory(template, ["", "cgt-1", ""], created);
        assert_eq!(
            directory(DEFAULT, 1_752_850_104),
            "default/2025/07/18/cgt-1"
        );
        assert_eq!(directory(DEFAULT, 0), "default/undated/cgt-1");
        let hive = "day={created:%F}/{task_id}-{model}/";
        assert_eq!(
            directory(hive, 1_752_850_104),
            "day=2025-07-18/cgt-1-unknown"
        );
        assert_eq!(directory(hive, 0), "day=undated/cgt-1-unknown");
        assert_eq!(hive.parse::<KeyTemplate>().unwrap().to_string(), hive);
        assert_eq!(DEFAULT.parse(), Ok(KeyTemplate::default()));
    }

    #[test]
    fn a_value_cannot_escape_its_directory_or_share_another() {
        let values = " . .. ../../x / a/b a\\b a%2Fb %2E %2e%2e a\0b \n {model} \u{202e} \
                     .staging .STAGING staging %2Estaging";
        for template in ["{account}/{task_id}/{model}", ".{model}/.{task_id}/.m"] {
            let mut directories = std::collections::HashSet::new();
            for (a, b) in values
                .split(' ')
                .flat_map(|a| values.split(' ').map(move |b| (a, b)))
            {
                let key = directory(template, [b, a, b], 0);
                let is_safe = |name| !["", ".", ".."].contains(&name);
                assert!(key.split('/').all(is_safe), "{a:?}, {b:?}: {key}");
                assert_eq!(key.split('/').count(), 3, "{a:?}, {b:?}: {key}");
                assert!(!key.contains(['\\', '\0', '\n']), "{a:?}, {b:?}: {key}");
                assert!(
                    !key.split('/').any(is_staging_in_any_case),
                    "{a:?}, {b:?}: {key}"
                );
                assert!(directories.insert(key), "{a:?}, {b:?} share a directory");
            }
        }
        assert_eq!(directory("{task_id}", ["", STAGING, ""], 0), "%2Estaging");
    }

    #[test]
    fn an_invalid_template_is_an_error_that_names_the_problem() {
        let long = format!("{{task_id}}{} => is 521 bytes long", "x".repeat(MAX_LEN));
        let invalid = r#"
             => has no `{task_id}`
            {account}/{model} => has no `{task_id}`
            {id}/{task_id} => `{id}` is not a field; use `{account}`, `{task_id}`, `{model}`, `{draft}`,
            {created}/{task_id} => `{created}` is not a field
            a/{task_id => `{task_id` is not closed
            {created:%Y/{task_id} => `{created:%Y/` is not closed
            a}/{task_id} => `a}/` has a `}` without a `{`
            {task_id}} => `}` has a `}` without a `{`
            my videos/{task_id} => `my videos/` contains ' '; use only letters, digits
            a\b/{task_id} => `a\b/` contains '\\'
            50%/{task_id} => `50%/` contains '%'
            ü/{task_id} => `ü/` contains 'ü'
            /{task_id} => directory 1 is empty; remove a slash
            a//{task_id} => directory 2 is empty
            {task_id}// => directory 2 is empty
            ./{task_id} => directory 1 is `.`
            a/../{task_id} => directory 2 is `..`
            {created:%Y/../%m}/{task_id} => directory 2 is `..`
            .{created:.}/{task_id} => directory 1 is `..`
            .staging/{task_id} => directory 1 is `.staging`, and `.staging` is reserved; rename it
            a/.Staging/{task_id} => directory 2 is `.Staging`, and `.staging` is reserved; rename it
            .{created:staging/%Y}/{task_id} => directory 1 is `.staging`
            {created:%.f}/{task_id} => `{created:%.f}` expands to ""; use a format that expands to letters, digits
            {created:/%Y}/{task_id} => `{created:/%Y}` expands to "/2001"
            {created:%n}/{task_id} => `{created:%n}` expands to "\n"
            {created:%e}/{task_id} => `{created:%e}` expands to " 2"
            {created:%%2F}/{task_id} => `{created:%%2F}` expands to "%2F"
            {created:%Q}/{task_id} => `{created:%Q}` expands to "+0000"
            {created:%Y%}/{task_id} => `{created:%Y%}` is not a time format (
            {created:%!}/{task_id} => `{created:%!}` is not a time format"#;
        for case in invalid.lines().skip(1).chain([long.as_str()]) {
            let (template, expected) = case.split_once(" => ").unwrap();
            let problem = template.trim_start().parse::<KeyTemplate>().unwrap_err().0;
            assert!(problem.starts_with(expected), "{template}: {problem}");
        }
    }
}
