//! Values of tags, which may contain the user of a task.

use std::collections::BTreeMap;

use object_store::TagSet;

/// The field of a value that is replaced by the `safety_identifier` of the task.
const USER: &str = "{safety_identifier}";
/// Stands for the user of an object that belongs to no task, such as a test object.
const NO_TASK: &str = "none";
/// Maximum length of a value on S3, in characters.
const MAX_VALUE: usize = 256;

/// The value of a tag for a task.
#[derive(Debug, PartialEq)]
enum TagValue {
    /// The value.
    Value(String),
    /// The task has no user, so that the object has no tag.
    NoUser,
    /// S3 would reject the value, and with it the object, so that the object has no tag. A changed value could be that of
    /// another user.
    Rejected,
}

/// Checks that a value has no field but that of the user. The error is a predicate.
pub(crate) fn check(value: &str) -> Result<(), String> {
    match value.replace(USER, "").contains(['{', '}']) {
        true => Err(format!("has a field that is not `{USER}`; use this one")),
        false => Ok(()),
    }
}

/// Returns the tags of the objects of a task with this user. `None`: they belong to no task.
pub(super) fn tag_set(tags: &BTreeMap<String, String>, user: Option<&str>) -> TagSet {
    let mut set = TagSet::default();
    for (name, value) in tags {
        if let TagValue::Value(value) = fill(value, user) {
            set.push(name, &value);
        }
    }
    set
}

/// Returns a warning for each tag that S3 would reject.
pub(super) fn warnings(
    tags: &BTreeMap<String, String>,
    user: Option<&str>,
) -> impl Iterator<Item = String> {
    let rejected = tags
        .iter()
        .filter(move |(_, value)| fill(value, user) == TagValue::Rejected);
    rejected.map(|(name, _)| {
        format!(
            "no tag `{name}`: the safety_identifier is too long or has characters that stores may reject in tags"
        )
    })
}

fn fill(value: &str, user: Option<&str>) -> TagValue {
    if !value.contains(USER) {
        return TagValue::Value(value.to_owned());
    }
    let filled = match user {
        Some("") => return TagValue::NoUser,
        user => value.replace(USER, user.unwrap_or(NO_TASK)),
    };
    match filled.chars().count() <= MAX_VALUE && filled.chars().all(is_allowed) {
        true => TagValue::Value(filled),
        false => TagValue::Rejected,
    }
}

/// Returns whether every S3-compatible store allows a character. Letters that are not ASCII depend on the store.
fn is_allowed(char: char) -> bool {
    char.is_ascii_alphanumeric() || " +-=._:/@".contains(char)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_value_that_every_store_allows_is_a_tag() {
        let fill = |user| fill("u:{safety_identifier}", Some(user));
        assert_eq!(
            fill("a-b@c.d/e=f 7"),
            TagValue::Value("u:a-b@c.d/e=f 7".into())
        );
        assert_eq!(fill(""), TagValue::NoUser);
        let longest = "x".repeat(MAX_VALUE - 2);
        assert_eq!(fill(&longest), TagValue::Value(format!("u:{longest}")));
        for user in [
            "Ünal",
            "a,b",
            "*",
            "a\nb",
            "\"",
            "{}",
            &"x".repeat(MAX_VALUE - 1),
        ] {
            assert_eq!(fill(user), TagValue::Rejected, "{user}");
        }
        let static_value = super::fill("ü", Some("user-7"));
        assert_eq!(static_value, TagValue::Value("ü".into()), "as before");
        let test_object = super::fill(USER, None);
        assert_eq!(test_object, TagValue::Value("none".into()));
    }

    #[test]
    fn only_the_user_is_a_field() {
        for value in [
            "team",
            "{safety_identifier}",
            "a-{safety_identifier}-{safety_identifier}",
        ] {
            assert_eq!(check(value), Ok(()), "{value}");
        }
        for value in ["{user}", "{safety_identifier", "{{safety_identifier}}", "}"] {
            let problem = check(value).unwrap_err();
            assert!(problem.contains("`{safety_identifier}`"), "{problem}");
        }
    }
}
