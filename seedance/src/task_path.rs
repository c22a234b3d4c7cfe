//! The path of a task under the base URL of an API.

use reqwest::Url;

const TASK_ID: &str = "{task_id}";
/// The path of the tasks in the API.
const TASKS: [&str; 3] = ["contents", "generations", "tasks"];

/// The path of a task under the base URL, with `{task_id}` as a whole segment or as the value of a
/// query parameter, e.g. `tasks?id={task_id}`.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskPath {
    segments: Vec<String>,
    query: Vec<(String, String)>,
}

impl Default for TaskPath {
    fn default() -> Self {
        let segments = TASKS.into_iter().chain([TASK_ID]);
        Self {
            segments: segments.map(str::to_owned).collect(),
            query: Vec::new(),
        }
    }
}

impl std::str::FromStr for TaskPath {
    type Err = String;

    fn from_str(template: &str) -> Result<Self, String> {
        let (path, query) = template.split_once('?').unwrap_or((template, ""));
        let segments: Vec<String> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(str::to_owned)
            .collect();
        let query: Vec<(String, String)> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let parts = segments.iter().chain(query.iter().map(|(_, value)| value));
        let is_sound = template.matches(TASK_ID).count() == 1
            && parts.filter(|part| *part == TASK_ID).count() == 1
            && !template.contains(['#', ':', ' ']);
        if !is_sound {
            return Err(format!(
                "must contain `{TASK_ID}` once, as in `contents/generations/tasks/{TASK_ID}` or \
                 `tasks?id={TASK_ID}`"
            ));
        }
        Ok(Self { segments, query })
    }
}

impl std::fmt::Display for TaskPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.segments.join("/"))?;
        for (index, (name, value)) in self.query.iter().enumerate() {
            let mark = if index == 0 { '?' } else { '&' };
            write!(f, "{mark}{name}={value}")?;
        }
        Ok(())
    }
}

impl TaskPath {
    /// Returns the URL of the list of tasks: that of a task without its id. Returns `None` if the id is inside the path,
    /// so that the path of the list is unknown.
    pub fn list_under(&self, base_url: &Url) -> Option<Url> {
        let (last, parents) = self.segments.split_last()?;
        let list = match last == TASK_ID {
            true => Self {
                segments: parents.to_vec(),
                query: self.query.clone(),
            },
            false => Self {
                segments: self.segments.clone(),
                query: self
                    .query
                    .iter()
                    .filter(|(_, value)| value != TASK_ID)
                    .cloned()
                    .collect(),
            },
        };
        let has_id = list.segments.iter().any(|segment| segment == TASK_ID);
        (!has_id).then(|| list.under(base_url, ""))
    }

    /// Returns whether the URL of the list is known.
    pub fn has_list(&self) -> bool {
        let is_inside = |(_, parents): (&String, &[String])| parents.iter().any(|it| it == TASK_ID);
        self.segments.split_last().is_some_and(|it| !is_inside(it))
    }

    /// Returns the URL of a task. The id cannot leave its path segment or query value.
    pub fn under(&self, base_url: &Url, task_id: &str) -> Url {
        let filled = |part: &String| part.replace(TASK_ID, task_id);
        let mut url = base_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(self.segments.iter().map(filled));
        }
        if !self.query.is_empty() {
            let pairs = self.query.iter().map(|(name, value)| (name, filled(value)));
            url.query_pairs_mut().extend_pairs(pairs);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(template: &str, id: &str) -> String {
        let base = "https://host.example/api/v3".parse().unwrap();
        let path: TaskPath = template.parse().unwrap();
        path.under(&base, id).to_string()
    }

    #[test]
    fn a_task_id_stays_one_segment_or_one_value() {
        let tasks = "https://host.example/api/v3/contents/generations/tasks";
        for base in [
            "https://host.example/api/v3",
            "https://host.example/api/v3/",
        ] {
            let base = base.parse().unwrap();
            let url = |id| TaskPath::default().under(&base, id).to_string();
            assert_eq!(url("cgt-1"), format!("{tasks}/cgt-1"));
            assert_eq!(url("a?b#c%d"), format!("{tasks}/a%3Fb%23c%25d"));
        }
        let shown = |path: &str| path.parse::<TaskPath>().unwrap().to_string();
        assert_eq!(
            shown("/v1/video?v=2&id={task_id}"),
            "v1/video?v=2&id={task_id}"
        );
        assert_eq!(
            url("/v1/video?v=2&id={task_id}", "a&b=c"),
            "https://host.example/api/v3/v1/video?v=2&id=a%26b%3Dc"
        );
    }

    #[test]
    fn the_list_is_the_parent_of_its_tasks() {
        let base = "https://host.example/api/v3".parse().unwrap();
        let list = |path: TaskPath| path.list_under(&base).map(|url| url.to_string());
        assert_eq!(
            list(TaskPath::default()).as_deref(),
            Some("https://host.example/api/v3/contents/generations/tasks")
        );
        for (template, expected) in [
            ("video/query?id={task_id}", Some("video/query")),
            ("tasks?v=2&id={task_id}", Some("tasks?v=2")),
            ("v1/videos/{task_id}", Some("v1/videos")),
            ("v1/videos/{task_id}?full=true", Some("v1/videos?full=true")),
            ("{task_id}", Some("")),
            ("tasks/{task_id}/record", None),
        ] {
            let path: TaskPath = template.parse().unwrap();
            assert_eq!(path.has_list(), expected.is_some(), "{template}");
            let expected = expected.map(|path| format!("https://host.example/api/v3/{path}"));
            let found = list(path).map(|url| url.trim_end_matches('/').to_owned());
            let expected = expected.map(|url| url.trim_end_matches('/').to_owned());
            assert_eq!(found, expected, "{template}");
        }
    }

    #[test]
    fn a_template_contains_the_task_id_once_and_whole() {
        for template in [
            "",
            "tasks",
            "tasks/{task_id}/{task_id}",
            "tasks/x{task_id}",
            "https://host/{task_id}",
            "tasks/{task_id}#a",
        ] {
            let error = template.parse::<TaskPath>().unwrap_err();
            assert!(error.starts_with("must contain"), "{template}: {error}");
        }
    }
}
