//! The destinations that an account allows.

use std::{fmt, path::Component};

use object_store::path::Path;
use reqwest::Url;

use super::Archive;

/// The archive URLs, besides the archive of the worker, to which requests may send the videos of an account. A URL
/// allows the prefixes below it too.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Destinations(Vec<Url>);

impl Destinations {
    /// Parses a list of archive URLs.
    ///
    /// # Errors
    ///
    /// Returns an error if one of them is not an archive URL. The error is a predicate.
    pub fn parse(urls: &[&str]) -> Result<Self, String> {
        let urls = urls.iter().map(|url| {
            seedance_archiver_proto::destination::check(url)?;
            let url =
                Url::parse(url).map_err(|error| format!("must be an archive URL: {error}"))?;
            Archive::check_url(&url).map_err(|error| format!("must be an archive URL: {error}"))?;
            Ok(url)
        });
        urls.collect::<Result<_, _>>().map(Self)
    }

    /// Returns whether requests may send videos to `url`. `own` is the URL of the worker's archive.
    pub fn allow(&self, own: &Url, url: &Url) -> bool {
        is_same(own, url) || self.0.iter().any(|allowed| is_inside(allowed, url))
    }

    /// Returns the allowed URLs.
    pub fn iter(&self) -> impl Iterator<Item = &Url> {
        self.0.iter()
    }
}

impl fmt::Display for Destinations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [] => f.write_str("(none)"),
            urls => f.write_str(&urls.iter().map(Url::as_str).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// Returns whether two URLs name the same prefix.
fn is_same(one: &Url, other: &Url) -> bool {
    is_inside(one, other) && is_inside(other, one)
}

/// Returns whether the prefix of `inner` is that of `outer` or below it. Compares decoded names, one by one: `%2F` in a
/// URL is a slash in a key, and `videos-2` is not below `videos`.
fn is_inside(outer: &Url, inner: &Url) -> bool {
    if (outer.scheme(), outer.host_str()) != (inner.scheme(), inner.host_str()) {
        return false;
    }
    if outer.scheme() == "file" {
        let (Ok(outer), Ok(inner)) = (outer.to_file_path(), inner.to_file_path()) else {
            return false;
        };
        let has_parent = inner.components().any(|part| part == Component::ParentDir);
        return inner.starts_with(outer) && !has_parent;
    }
    match (
        Path::from_url_path(outer.path()),
        Path::from_url_path(inner.path()),
    ) {
        (Ok(outer), Ok(inner)) => inner.prefix_matches(&outer),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn only_the_own_archive_is_allowed_by_default() {
        let own = url("s3://bucket/videos");
        let allows = |destination: &str| Destinations::default().allow(&own, &url(destination));
        assert!(allows("s3://bucket/videos") && allows("s3://bucket/videos/"));
        for other in [
            "s3://bucket",
            "s3://bucket/videos/other",
            "s3://bucket/videos-2",
            "s3://typo-bucket/videos",
            "gs://bucket/videos",
            "s3://bucket/videos/../other",
        ] {
            assert!(!allows(other), "{other}");
        }
    }

    #[test]
    fn a_listed_url_allows_the_prefixes_below_it() {
        let listed =
            Destinations::parse(&["s3://team/a", "file:///srv/team", "gs://whole"]).unwrap();
        let own = url("s3://bucket");
        let allows = |destination: &str| listed.allow(&own, &url(destination));
        for inside in [
            "s3://team/a",
            "s3://team/a/b/",
            "file:///srv/team/x",
            "gs://whole",
            "gs://whole/x",
        ] {
            assert!(allows(inside), "{inside}");
        }
        for outside in [
            "s3://team",
            "s3://team/ab",
            "s3://team/a/../b",
            "s3://team/a/%2e%2e/b",
            "s3://team/a%2F..%2Fb",
            "s3://other/a",
            "file:///srv/team-2",
            "file:///srv/team%2F..%2Fother",
            "gs://whole-2/x",
        ] {
            assert!(!allows(outside), "{outside}");
        }
    }

    #[test]
    fn only_archive_urls_are_listed() {
        for invalid in [
            "videos",
            "ftp://host/x",
            "s3://",
            "s3://b?v=1",
            "s3://b/.staging",
            "",
        ] {
            assert!(Destinations::parse(&[invalid]).is_err(), "{invalid}");
        }
    }
}
