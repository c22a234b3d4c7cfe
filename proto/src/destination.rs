//! The form of a destination: an archive URL in a request.

/// Schemes of archive URLs.
const SCHEMES: [&str; 4] = ["s3", "gs", "az", "file"];

/// Checks that a text has the form of an archive URL. Whether the store exists, and whether the account allows it, only
/// a worker can say.
///
/// # Errors
///
/// Returns an error that completes "`destination` …".
pub fn check(url: &str) -> Result<(), String> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let scheme = SCHEMES
        .iter()
        .find(|known| scheme.eq_ignore_ascii_case(known));
    let Some(scheme) = scheme else {
        return Err(
            "must be an archive URL: `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix` or \
             `file:///path`"
                .to_owned(),
        );
    };
    let bucket = rest.split('/').next().unwrap_or_default();
    match *scheme {
        "file" if !rest.starts_with('/') => {
            Err("must have an absolute path, as in `file:///path`".to_owned())
        }
        "s3" | "gs" | "az" if bucket.is_empty() => Err(format!(
            "must name a bucket, as in `{scheme}://bucket/prefix`"
        )),
        _ if bucket.contains('@') => Err("must not contain credentials".to_owned()),
        _ if url.contains(['?', '#']) => Err("must not have a query or a fragment".to_owned()),
        _ if url
            .chars()
            .any(|char| char.is_control() || char.is_whitespace()) =>
        {
            Err("must not contain white space or control characters".to_owned())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_url_has_a_known_scheme_and_a_bucket() {
        for valid in [
            "s3://bucket",
            "s3://bucket/prefix/",
            "S3://bucket/a%20b",
            "gs://bucket/x",
            "az://container/x",
            "file:///srv/videos",
        ] {
            assert_eq!(check(valid), Ok(()), "{valid}");
        }
        for (invalid, problem) in [
            ("", "must be an archive URL"),
            ("videos", "must be an archive URL"),
            ("/srv/videos", "must be an archive URL"),
            (
                "https://bucket.s3.amazonaws.com/x",
                "must be an archive URL",
            ),
            ("s3:bucket/x", "must be an archive URL"),
            (
                "s3:///prefix",
                "must name a bucket, as in `s3://bucket/prefix`",
            ),
            ("file://host/x", "must have an absolute path"),
            ("s3://key:secret@bucket/x", "must not contain credentials"),
            ("s3://bucket/x?versionId=1", "must not have a query"),
            ("s3://bucket/x#y", "must not have a query"),
            ("s3://bucket/a b", "must not contain white space"),
            ("s3://bucket/a\n", "must not contain white space"),
        ] {
            let error = check(invalid).unwrap_err();
            assert!(error.starts_with(problem), "{invalid}: {error}");
        }
    }
}
