//! Removes secrets from text for failures, logs and history.

/// Replaces the query of each URL in a text, and its user name and password. The signature of a signed URL is in its
/// query.
pub fn url_queries(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (before, url) = rest.split_at(start);
        redacted.push_str(before);
        let url = match userinfo_end(url) {
            Some(end) => {
                redacted.push_str("://REDACTED");
                &url[end..]
            }
            None => url,
        };
        let address_end = url.find(ends_address).unwrap_or(url.len());
        let (address, after) = url.split_at(address_end);
        redacted.push_str(address);
        rest = after;
        if let Some(query) = after.strip_prefix('?') {
            redacted.push_str("?REDACTED");
            rest = &query[query.find(ends_query).unwrap_or(query.len())..];
        }
    }
    redacted.push_str(rest);
    redacted
}

/// Returns the position of the `@` after the user name and the password of a URL, which starts at `://`.
fn userinfo_end(url: &str) -> Option<usize> {
    let ends_authority = |character: char| ends_query(character) || "/?#".contains(character);
    let authority = url.get("://".len()..)?;
    let authority = &authority[..authority.find(ends_authority).unwrap_or(authority.len())];
    Some("://".len() + authority.rfind('@')?)
}

fn ends_address(character: char) -> bool {
    ends_query(character) || "?'()[]{}|\\,".contains(character)
}

/// Returns whether a character ends a query. A query may contain almost any character, so text after it may be
/// removed as well.
fn ends_query(character: char) -> bool {
    character.is_whitespace() || "\"`<>".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_of_a_url_is_replaced() {
        for (text, redacted) in [
            ("nothing to see", "nothing to see"),
            ("https://a.example/v.mp4", "https://a.example/v.mp4"),
            (
                "https://a.example/v.mp4?x-tos-process=video/snapshot,t_0,f_(jpg)&X-Tos-Signature=s end",
                "https://a.example/v.mp4?REDACTED end",
            ),
            (
                "cannot fetch \"https://a.example/v.mp4?X-Tos-Signature=s\": gone",
                "cannot fetch \"https://a.example/v.mp4?REDACTED\": gone",
            ),
            (
                "http://a?b=c and https://d/?e=f#g, also tos://h?i",
                "http://a?REDACTED and https://d/?REDACTED also tos://h?REDACTED",
            ),
            ("what? https:// ?", "what? https:// ?"),
            (
                "proxy http://user:p,w@proxy.example:8080/x?y failed",
                "proxy http://REDACTED@proxy.example:8080/x?REDACTED failed",
            ),
            (
                "https://a.example/@user, b@c",
                "https://a.example/@user, b@c",
            ),
            ("://@", "://REDACTED@"),
        ] {
            assert_eq!(url_queries(text), redacted);
        }
    }
}
