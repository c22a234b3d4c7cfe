//! URLs in a configuration. An error completes the sentence "the setting …".

use reqwest::Url;

use super::preset;

/// Base of an API.
pub(super) fn http_url(text: &str) -> Result<Url, String> {
    let example = format!("give a URL such as `{}`", preset::DEFAULT.base_url);
    let url = Url::parse(text).map_err(|error| format!("is not a URL ({error}): {example}"))?;
    refuse_credentials(&url)?;
    match url.scheme() {
        "https" | "http" if !url.has_host() => Err(format!("names no host: {example}")),
        "https" | "http" if url.query().is_some() || url.fragment().is_some() => {
            Err(format!("has more than a path: {example}"))
        }
        "https" | "http" => Ok(url),
        scheme => Err(format!("has the scheme `{scheme}`: {example}")),
    }
}

/// Where videos go.
pub(super) fn archive_url(text: &str) -> Result<Url, String> {
    let example = "give a URL such as `s3://bucket/prefix`, `gs://bucket`, `az://container` or \
                   `file:///srv/videos`";
    let url = Url::parse(text).map_err(|error| format!("is not a URL ({error}): {example}"))?;
    refuse_credentials(&url)?;
    let fault = match url.scheme() {
        _ if url.query().is_some() || url.fragment().is_some() => "has more than a path",
        "s3" | "gs" | "az" if url.has_host() => return Ok(url),
        "s3" | "gs" | "az" => "names no bucket",
        "file" if url.path() != "/" && url.to_file_path().is_ok() => return Ok(url),
        "file" => "names no directory of this machine",
        _ => "is of a store that is not known",
    };
    Err(format!("{fault}: {example}"))
}

/// URLs of a configuration are shown to people.
fn refuse_credentials(url: &Url) -> Result<(), String> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(());
    }
    Err("holds a user name or a password: leave them out, they would be shown".into())
}
