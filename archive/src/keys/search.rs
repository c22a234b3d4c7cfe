//! The directories that a task can have, if only its id is known.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::{KeyTemplate, template::TemplateValues};

/// How far the creation time of a task may be from the one in its id, whose zone was observed and is not documented.
const MAX_SKEW: Duration = Duration::from_secs(24 * 60 * 60);
/// Interval between the creation times that are tried.
const STEP: Duration = Duration::from_secs(60 * 60);
/// Stands for a value that only the record of the task has, in the values of a template, which escape it.
const ANY: &str = "*";
const ESCAPED_ANY: &str = "%2A";

/// The names of the directories from the root of the archive to the task.
pub(crate) type Directories = Vec<Name>;

/// The name of a directory.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Name {
    /// The name is known.
    Known(String),
    /// The name contains a value that is not known, between this start and this end.
    AnyBetween(String, String),
}

impl Name {
    fn new(name: &str) -> Self {
        match (name.find(ESCAPED_ANY), name.rfind(ESCAPED_ANY)) {
            (Some(start), Some(end)) => {
                let end = end + ESCAPED_ANY.len();
                Self::AnyBetween(name[..start].to_owned(), name[end..].to_owned())
            }
            _ => Self::Known(name.to_owned()),
        }
    }
}

/// Returns the directories that a task can have, the likeliest first. `created_at` is the time in the id.
pub(crate) fn directories(
    template: &KeyTemplate,
    account: &str,
    task_id: &str,
    created_at: Option<SystemTime>,
) -> Vec<Directories> {
    let mut found: Vec<Directories> = Vec::new();
    for created in creation_times(created_at) {
        let names = template.names(TemplateValues {
            account,
            task_id,
            model: ANY,
            draft: ANY,
            draft_task_id: ANY,
            safety_identifier: ANY,
            created,
        });
        let names = names.split('/').map(Name::new).collect();
        if !found.contains(&names) {
            found.push(names);
        }
    }
    found
}

/// Returns the creation times to try: that in the id, those around it, and at last none, as of a record without a time.
fn creation_times(created_at: Option<SystemTime>) -> impl Iterator<Item = Option<Timestamp>> {
    let steps = (MAX_SKEW.as_secs() / STEP.as_secs()) as u32;
    let around = created_at.into_iter().flat_map(move |created_at| {
        (0..=steps).flat_map(move |step| [created_at + step * STEP, created_at - step * STEP])
    });
    around
        .filter_map(|time| Timestamp::try_from(time).ok())
        .map(Some)
        .chain([None])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(template: &str, created_at: Option<u64>) -> Vec<String> {
        let created_at = created_at.map(|at| SystemTime::UNIX_EPOCH + Duration::from_secs(at));
        let found = directories(&template.parse().unwrap(), "", "cgt-1", created_at);
        let name = |name: &Name| match name {
            Name::Known(name) => name.clone(),
            Name::AnyBetween(start, end) => format!("{start}*{end}"),
        };
        let path = |names: Directories| names.iter().map(name).collect::<Vec<_>>().join("/");
        found.into_iter().map(path).collect()
    }

    #[test]
    fn the_day_in_the_id_comes_first_and_those_around_it_follow() {
        let template = KeyTemplate::default().to_string();
        assert_eq!(
            paths(&template, Some(1_752_850_104)),
            [
                "default/2025/07/18/cgt-1",
                "default/2025/07/19/cgt-1",
                "default/2025/07/17/cgt-1",
                "default/undated/cgt-1"
            ]
        );
        assert_eq!(paths(&template, None), ["default/undated/cgt-1"]);
        assert_eq!(paths("{task_id}", Some(1_752_850_104)), ["cgt-1"]);
    }

    #[test]
    fn a_value_of_the_record_is_any_part_of_a_name() {
        assert_eq!(
            paths("{model}/v={model}-2/{task_id}.{model}.x", None),
            ["*/v=*-2/cgt-1.*.x"]
        );
        assert_eq!(
            paths("{draft}/of={draft_task_id}/{task_id}", None),
            ["*/of=*/cgt-1"]
        );
        assert_eq!(
            paths("user={safety_identifier}/{task_id}", None),
            ["user=*/cgt-1"]
        );
    }
}
