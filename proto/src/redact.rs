//! Takes secrets out of text that goes where people look: failures, logs, history.

/// The text with the queries of its URLs replaced: the query of a signed URL is what signs it.
pub fn url_queries(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (before, url) = rest.split_at(start);
        let end = url.find(ends_url).unwrap_or(url.len());
        let (url, after) = url.split_at(end);
        redacted.push_str(before);
        match url.split_once('?') {
            Some((address, _)) => {
                redacted.push_str(address);
                redacted.push_str("?REDACTED");
            }
            None => redacted.push_str(url),
        }
        rest = after;
    }
    redacted.push_str(rest);
    redacted
}

fn ends_url(character: char) -> bool {
    character.is_whitespace() || "\"'`<>()[]{}|\\,".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_out_what_signs_a_url() {
        for (text, redacted) in [
            ("nothing to see", "nothing to see"),
            ("https://a.example/v.mp4", "https://a.example/v.mp4"),
            (
                "cannot fetch \"https://a.example/v.mp4?X-Tos-Signature=s\": gone",
                "cannot fetch \"https://a.example/v.mp4?REDACTED\": gone",
            ),
            (
                "http://a?b=c and https://d/?e=f#g, also tos://h?i",
                "http://a?REDACTED and https://d/?REDACTED, also tos://h?REDACTED",
            ),
            ("what? https:// ?", "what? https:// ?"),
        ] {
            assert_eq!(url_queries(text), redacted);
        }
    }
}
