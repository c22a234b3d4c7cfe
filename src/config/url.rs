//! URLs in settings. The errors complete the sentence "the setting …".

use reqwest::Url;
use seedance_archiver_archive::Archive;

use super::preset;

/// Parses the base URL of an API.
pub(super) fn http_url(text: &str) -> Result<Url, String> {
    let fix = format!("use a URL such as `{}`", preset::DEFAULT.base_url);
    let url = Url::parse(text).map_err(|error| format!("is not a URL ({error}); {fix}"))?;
    reject_credentials(&url)?;
    match url.scheme() {
        "https" | "http" if !url.has_host() => Err(format!("has no host; {fix}")),
        "https" | "http" if has_query_or_fragment(&url) => {
            Err(format!("has a query or a fragment; {fix}"))
        }
        "https" | "http" => Ok(url),
        scheme => Err(format!("has the unsupported scheme `{scheme}`; {fix}")),
    }
}

/// Parses the URL of an archive.
pub(super) fn archive_url(text: &str) -> Result<Url, String> {
    let fix = "use a URL such as `s3://bucket/prefix`, `gs://bucket`, `az://container` or \
               `file:///srv/videos`";
    let url = Url::parse(text).map_err(|error| format!("is not a URL ({error}); {fix}"))?;
    reject_credentials(&url)?;
    let problem = match url.scheme() {
        _ if has_query_or_fragment(&url) => "has a query or a fragment",
        "s3" | "gs" | "az" if url.has_host() => return usable(url),
        "s3" | "gs" | "az" => "has no bucket",
        "file" if url.path() != "/" && url.to_file_path().is_ok() => return usable(url),
        "file" => "has no local directory",
        _ => "has an unsupported scheme",
    };
    Err(format!("{problem}; {fix}"))
}

fn usable(url: Url) -> Result<Url, String> {
    match Archive::check_url(&url) {
        Ok(()) => Ok(url),
        Err(error) => Err(format!("cannot be used: {error}")),
    }
}

fn has_query_or_fragment(url: &Url) -> bool {
    url.query().is_some() || url.fragment().is_some()
}

/// URLs of a configuration are shown in logs and by `config show`.
fn reject_credentials(url: &Url) -> Result<(), String> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(());
    }
    Err("contains a user name or a password, which would appear in logs; remove them".to_owned())
}
