//! Renders the page as one self-contained HTML file. Its content security policy allows it to load only the
//! archive's files.

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::v1::{ArchivedObject, Manifest};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::collect::{Collected, Video};
use crate::archive::{Archive, links::Links, receipt};

const HTML: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = concat!(
    include_str!("page.js"),
    include_str!("grid.js"),
    include_str!("viewer.js")
);

/// The data for the script, which inserts all of it as text, never as HTML.
#[derive(Debug, Serialize)]
struct Data<'a> {
    archive_url: &'a str,
    version: &'a str,
    created_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    links_until: Option<i64>,
    links_may_end_sooner: bool,
    unreadable: usize,
    videos: Vec<Card<'a>>,
}

/// One video.
#[derive(Debug, Serialize)]
struct Card<'a> {
    id: &'a str,
    account: &'a str,
    model: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    prompt: &'a str,
    created: i64,
    archived: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "is_false")]
    draft: bool,
    /// Task id of the draft that the video was made from.
    #[serde(skip_serializing_if = "str::is_empty")]
    draft_task_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    resolution: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    ratio: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frames: Option<i64>,
    tokens: i64,
    source: &'a str,
    archiver: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
    files: Vec<File<'a>>,
    receipt: String,
}

/// One file of a video.
#[derive(Debug, Serialize)]
struct File<'a> {
    name: &'a str,
    r#type: &'a str,
    size: i64,
    sha256: &'a str,
    link: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checks: Vec<Check<'a>>,
}

/// Name, result, expected and found. A tuple, because a page can have many thousands.
type Check<'a> = (&'a str, &'a str, &'a str, &'a str);

/// Renders the page.
pub(super) fn html(archive: &Archive, collected: &Collected, links: &Links) -> String {
    let data = Data {
        archive_url: archive.url().as_str(),
        version: env!("CARGO_PKG_VERSION"),
        created_at: seedance_archiver_proto::time::unix_seconds(Clock::default().now()),
        links_until: links.expires_at().map(Timestamp::as_second),
        links_may_end_sooner: links.uses_session_credentials(),
        unreadable: collected.unreadable.len(),
        videos: collected.videos.iter().map(|it| card(it, links)).collect(),
    };
    fill(&[
        ("{{policy}}", &content_security_policy(&links.csp_sources())),
        ("{{style}}", STYLE),
        ("{{data}}", &json(&data)),
        ("{{script}}", SCRIPT),
    ])
}

/// Fills the placeholders of the page. The parts are in the order of the page, and their own text is not
/// searched for placeholders.
fn fill(parts: &[(&str, &str)]) -> String {
    let mut page =
        String::with_capacity(HTML.len() + parts.iter().map(|it| it.1.len()).sum::<usize>());
    let mut rest = HTML;
    for (placeholder, part) in parts {
        let (before, after) = rest.split_once(placeholder).unwrap_or((rest, ""));
        page.push_str(before);
        page.push_str(part);
        rest = after;
    }
    page.push_str(rest);
    page
}

/// Returns the content security policy. It allows exactly this script and style, by their digests.
fn content_security_policy(sources: &str) -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    let (style, script) = (hash(STYLE), hash(SCRIPT));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; \
         img-src data: {sources}; media-src {sources}; base-uri 'none'; form-action 'none'"
    )
}

/// Returns JSON for a `<script>` element. It contains no `<`, so it cannot end the element.
fn json(data: &impl Serialize) -> String {
    // Serialization fails only for maps with keys that are not strings.
    let json = serde_json::to_string(data).unwrap_or_default();
    json.replace('<', "\\u003c")
}

#[allow(clippy::trivially_copy_pass_by_ref)] // The signature that `serde` requires.
fn is_false(value: &bool) -> bool {
    !value
}

fn card<'a>(video: &'a Video, links: &Links) -> Card<'a> {
    let Manifest {
        task_id,
        account,
        model,
        ..
    } = &video.manifest;
    let manifest = &video.manifest;
    let usage = manifest.usage.as_ref();
    Card {
        id: task_id,
        account,
        model,
        prompt: &video.prompt,
        created: manifest.task_created_at,
        archived: manifest.archived_at,
        seed: manifest.seed,
        draft: manifest.draft(),
        draft_task_id: &manifest.draft_task_id,
        resolution: &manifest.resolution,
        ratio: &manifest.ratio,
        duration: manifest.duration,
        frames: manifest.frames,
        tokens: usage.map(|usage| usage.total_tokens).unwrap_or_default(),
        source: &manifest.source_host,
        archiver: &manifest.archiver_version,
        warnings: &manifest.warnings,
        files: manifest
            .objects
            .iter()
            .map(|object| file(video, object, links))
            .collect(),
        receipt: links.url(&video.key),
    }
}

fn file<'a>(video: &Video, object: &'a ArchivedObject, links: &Links) -> File<'a> {
    let checks = object.checks.iter().map(|check| {
        let texts = [&check.name, &check.result, &check.expected, &check.found];
        texts.map(String::as_str).into()
    });
    File {
        name: &object.name,
        r#type: &object.content_type,
        size: object.size_bytes,
        sha256: &object.sha256,
        link: links.url(&receipt::beside(&video.key, &object.name)),
        checks: checks.collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn data_cannot_end_its_script_element() {
        let hostile = json!({
            "prompt": "</script><script>alert(1)</script><!--<script> {{script}} \u{2028} &lt; ]]>",
        });
        let written = json(&hostile);
        assert!(!written.contains('<'), "{written}");
        let read: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(read, hostile);
    }

    #[test]
    fn placeholders_in_data_are_not_filled() {
        let page = fill(&[
            ("{{policy}}", "P"),
            ("{{style}}", "S"),
            ("{{data}}", "{{script}}{{policy}}"),
            ("{{script}}", "J"),
        ]);
        assert!(page.contains(">{{script}}{{policy}}</script>"), "{page}");
        assert!(page.contains("<script>J</script>"), "{page}");
        assert!(page.ends_with("</html>\n"), "{page}");
    }

    #[test]
    fn the_page_refers_to_no_other_file() {
        for part in [HTML, STYLE, SCRIPT] {
            for reference in ["src=\"", "url(", "@import", "import(", "fetch("] {
                assert!(!part.contains(reference), "{reference}");
            }
            let others = part.matches("://").count();
            let namespaces = part.matches("xmlns='http://www.w3.org/2000/svg'").count();
            assert_eq!(others, namespaces);
            assert!(!part.contains("innerHTML"));
        }
        // An end tag would end the script or the style.
        assert!(!SCRIPT.contains("</script") && !STYLE.contains("</style"));
    }
}
