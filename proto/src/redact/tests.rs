mod linear;

use proptest::{prelude::*, sample::select};

use super::*;

/// Asserts that both functions return this.
#[track_caller]
fn assert_urls(text: &str, expected: &str) {
    assert_eq!(urls(text), expected);
    assert_eq!(secrets(text), expected);
}

#[test]
fn a_text_without_secrets_stays_the_same() {
    for text in [
        "",
        "nothing to see",
        "really? yes",
        "what? https:// ?",
        "https://a.example/v.mp4",
        "https://a.example/@user, b@c",
        "mail bob@example.com or mailto:bob@example.com",
        "at 12:30:05@utc, 3/4 of it (or so?)",
        "no API key: cannot read /run/secrets/key",
        "InvalidToken: the provided token is malformed",
        "InvalidAccessKeyId: The AWS Access Key Id does not exist in our records",
        "{\"usage\": {\"completion_tokens\": 246840, \"total_tokens\": 246840}}",
        "<Error><Code>AccessDenied</Code><Key>a/b.mp4</Key></Error>",
        "basic authentication required; bearer token missing",
        "s3://bucket/prefix/cgt-20260828062711-hj94q/video.mp4",
        "100% of a < b & c > d; \\n \\u12 %zz &copy;",
        "temporal.api_key=(none); accounts.a.api_key=(a secret); accounts.a.proxy=(none)",
        "seedance_archiver_seedance::secret::read",
        "视频生成失败？请重试。",
    ] {
        assert_urls(text, text);
    }
}

#[test]
fn the_query_and_the_password_of_a_url_are_removed() {
    for (text, expected) in [
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
        (
            "HTTPS://A.EXAMPLE/V.MP4?SIG=S",
            "HTTPS://A.EXAMPLE/V.MP4?REDACTED",
        ),
        (
            "https://a.example/v#access_token=s x",
            "https://a.example/v#REDACTED x",
        ),
        // The path contains what may follow a URL.
        (
            "https://a.example/a(1).mp4?sig=s",
            "https://a.example/a(1).mp4?REDACTED",
        ),
        (
            "https://a.example/it's.mp4?sig=s",
            "https://a.example/it's.mp4?REDACTED",
        ),
        (
            "https://a.example/a,b.mp4?sig=s",
            "https://a.example/a,b.mp4?REDACTED",
        ),
        (
            "https://a.example/a[1]{2}|3.mp4?sig=s",
            "https://a.example/a[1]{2}|3.mp4?REDACTED",
        ),
        (
            "(https://a.example/v?sig=s) end",
            "(https://a.example/v?REDACTED end",
        ),
        // User name and password.
        (
            "proxy http://user:p,w@proxy.example:8080/x?y failed",
            "proxy http://REDACTED@proxy.example:8080/x?REDACTED failed",
        ),
        (
            "http://token@git.example/a",
            "http://REDACTED@git.example/a",
        ),
        (
            "http://user:p/w@proxy.example/a",
            "http://REDACTED@proxy.example/a",
        ),
        (
            "http://user:p?w#@proxy.example",
            "http://REDACTED@proxy.example",
        ),
        (
            "http://user:p@w@proxy.example/a",
            "http://REDACTED@proxy.example/a",
        ),
        ("http://[::1]:8080/a@b", "http://[::1]:8080/a@b"),
        ("://@", "://@"),
    ] {
        assert_urls(text, expected);
    }
}

#[test]
fn a_url_without_a_scheme_is_known_by_its_query() {
    for (text, expected) in [
        (
            "host.example/v.mp4?X-Tos-Signature=s",
            "host.example/v.mp4?REDACTED",
        ),
        ("//host.example/v.mp4?s", "//host.example/v.mp4?REDACTED"),
        ("//user:pw@host/v.mp4", "//REDACTED@host/v.mp4"),
        ("\"///user:pw@host/v.mp4", "\"///REDACTED@host/v.mp4"),
        (
            "GET /path?X-Amz-Signature=s HTTP/1.1",
            "GET /path?REDACTED HTTP/1.1",
        ),
        ("/path?opaque", "/path?REDACTED"),
        ("v.mp4?sig=s", "v.mp4?REDACTED"),
        (
            "…cut&X-Amz-Signature=s end",
            "…cut&X-Amz-Signature=REDACTED end",
        ),
        ("X-Goog-Signature=s", "X-Goog-Signature=REDACTED"),
        ("a&sv=2020&sig=s", "a&sv=REDACTED"),
        ("https:\\\\host\\v?sig=s", "https:\\\\host\\v?REDACTED"),
    ] {
        assert_urls(text, expected);
    }
    assert_eq!(
        secrets("user:p,w@proxy:8080 failed"),
        "REDACTED@proxy:8080 failed"
    );
    assert_eq!(secrets("user:p@w@proxy:8080"), "REDACTED@proxy:8080");
}

#[test]
fn an_escaped_url_is_a_url() {
    for (text, expected) in [
        (
            "https:\\/\\/a.example\\/v.mp4?a=b\\u0026X-Tos-Signature=s\" end",
            "https:\\/\\/a.example\\/v.mp4?REDACTED\" end",
        ),
        (
            "url=https%3A%2F%2Fa.example%2Fv.mp4%3FX-Tos-Signature%3Ds end",
            "url=https%3A%2F%2Fa.example%2Fv.mp4%3FREDACTED end",
        ),
        (
            "https%253A%252F%252Fa.example%252Fv%253Fsig%253Ds",
            "https%253A%252F%252Fa.example%252Fv%253FREDACTED",
        ),
        (
            "a&amp;X-Amz-Signature=s<",
            "a&amp;X-Amz-Signature=REDACTED<",
        ),
        ("a%26X-Amz-Signature%3Ds", "a%26X-Amz-Signature%3DREDACTED"),
        (
            "http%3A%2F%2Fuser%3Apw%40host%2F",
            "http%3A%2F%2FREDACTED%40host%2F",
        ),
        (
            "https://a.example/r?next=https://b.example/v?sig=s end",
            "https://a.example/r?REDACTED end",
        ),
        (
            "{\\\"url\\\":\\\"https://a.example/v?sig=s\\\",\\\"n\\\":1}",
            "{\\\"url\\\":\\\"https://a.example/v?REDACTED\\\",\\\"n\\\":1}",
        ),
    ] {
        assert_urls(text, expected);
    }
}

#[test]
fn the_values_of_credentials_are_removed() {
    for (text, expected) in [
        (
            "<Error><Code>ExpiredToken</Code><Token-0>Fwo/G+=</Token-0><HostId>h</HostId></Error>",
            "<Error><Code>ExpiredToken</Code><Token-0>REDACTED</Token-0><HostId>h</HostId></Error>",
        ),
        (
            "<AWSAccessKeyId>AKIA</AWSAccessKeyId><StringToSign>A\nB</StringToSign>\
             <SignatureProvided>s</SignatureProvided><StringToSignBytes>41 57</StringToSignBytes>",
            "<AWSAccessKeyId>REDACTED</AWSAccessKeyId><StringToSign>REDACTED</StringToSign>\
             <SignatureProvided>REDACTED</SignatureProvided>\
             <StringToSignBytes>REDACTED</StringToSignBytes>",
        ),
        (
            "<s:securityTOKEN a='b' >s</s:securityTOKEN>",
            "<s:securityTOKEN REDACTED</s:securityTOKEN>",
        ),
        ("<Token/><Code>c</Code>", "<Token/><Code>c</Code>"),
        (
            "a <token=https://a/v?sig=s <Token>s",
            "a <token=REDACTED <Token>REDACTED",
        ),
        ("<Token-0>cut off", "<Token-0>REDACTED"),
        (
            "&lt;Token&gt;s&lt;/Token&gt; end",
            "&lt;Token&gt;REDACTED&lt;/Token&gt; end",
        ),
        (
            "{\"api_key\": \"s\", \"n\": 1}",
            "{\"api_key\": \"REDACTED\", \"n\": 1}",
        ),
        (
            "{\"Password\":\"a\\\"b\", \"n\": 1}",
            "{\"Password\":\"REDACTED\", \"n\": 1}",
        ),
        (
            "{\\\"token\\\":\\\"s\\\",\\\"n\\\":1}",
            "{\\\"token\\\":\\\"REDACTED\\\",\\\"n\\\":1}",
        ),
        ("{'secret': 's'}", "{'secret': 'REDACTED'}"),
        (
            "{\"token\": 12345, \"n\": 1}",
            "{\"token\": REDACTED, \"n\": 1}",
        ),
        ("{\"token\":https://a/v?b=c&d=s,e", "{\"token\":REDACTED"),
        ("{\"token\": null, \"n\": 1}", "{\"token\": null, \"n\": 1}"),
        (
            "{\"credentials\": {\"a\": [\"b\"]}, \"n\": 1}",
            "{\"credentials\": REDACTED, \"n\": 1}",
        ),
        (
            "{\"session_token\": \"cut off",
            "{\"session_token\": \"REDACTED",
        ),
        (
            "{\"callbackUrl\": \"https://hooks.example/s\"}",
            "{\"callbackUrl\": \"REDACTED\"}",
        ),
        (
            "Authorization: Bearer s, t\nHost: h",
            "Authorization: REDACTED\nHost: h",
        ),
        ("sent Bearer eyJhbGciOi end", "sent Bearer REDACTED end"),
        (
            "x-amz-security-token: s end",
            "x-amz-security-token: REDACTED end",
        ),
        ("password: hunter end", "password: REDACTED end"),
        ("api_key: sk-1234567 end", "api_key: REDACTED end"),
        ("secret = \"two words\" end", "secret = \"REDACTED\" end"),
        ("token=s end", "token=REDACTED end"),
        (
            "secret:\nx-amz-security-token: s end",
            "secret:\nREDACTED end",
        ),
        (
            "token= \\\"session_token\\\":\\\"s\\\" end",
            "token= \\\"REDACTED\\\" end",
        ),
        (
            "{\"token\": \"api_key\": \"s\"}",
            "{\"token\": \"REDACTED\"}",
        ),
        (
            "x-amz-security-token: ZqSECRETqZsecret: s end",
            "x-amz-security-token: REDACTED end",
        ),
        (
            "password=a-token=b-cookie: several words\nend",
            "password=REDACTED\nend",
        ),
        ("{\"token\": \"api_key: s\"}", "{\"token\": \"REDACTED\"}"),
    ] {
        assert_eq!(secrets(text), expected);
        assert_eq!(secrets(expected), expected);
    }
}

#[test]
fn a_field_that_is_no_url_stays_in_a_record() {
    let prompt = "token: abc12345, \"password\": \"x\", signature=blue, <token>a</token>";
    assert_eq!(urls(prompt), prompt);
}

const SECRET: &str = "ZqSECRETqZ";

/// Ways to write a URL into something else.
fn escaped(url: &str, form: usize) -> String {
    let percent = |text: &str| {
        let characters = text.chars().map(|it| match it {
            ':' | '/' | '?' | '=' | '&' | '%' | '@' | '#' => format!("%{:02X}", u32::from(it)),
            other => other.to_string(),
        });
        characters.collect::<String>()
    };
    match form {
        0 => url.to_owned(),
        1 => url.replace('/', "\\/").replace('&', "\\u0026"),
        2 => url.replace('&', "&amp;"),
        3 => percent(url),
        4 => percent(&percent(url)),
        5 => url.replace('/', "\\\\/").replace('&', "\\\\u0026"),
        6 => url.to_uppercase(),
        _ => url.replace("https:", ""),
    }
}

fn signed_url() -> impl Strategy<Value = String> {
    let parameter = select(vec![
        "X-Tos-Signature",
        "X-Amz-Signature",
        "x-oss-signature",
        "sig",
        "auth_key",
        "Policy",
        "token",
        "unknown",
    ]);
    (
        "[a-z0-9._~!$'()*,;=:@|{}\\[\\]-]{0,12}",
        parameter,
        "[A-Za-z0-9%/+=.,()'-]{0,8}",
        any::<bool>(),
        0..8_usize,
    )
        .prop_map(|(path, parameter, value, has_password, form)| {
            let user = if has_password { format!("u:{SECRET}@") } else { String::new() };
            let url = format!(
                "https://{user}host.example/{path}?a=b&{parameter}={value}{SECRET}&c={SECRET}#{SECRET}"
            );
            escaped(&url, form)
        })
}

#[test]
fn what_replaced_a_secret_is_no_secret() {
    for text in ["secret: /9-?8", "bearer a/b?c"] {
        let once = secrets(text).into_owned();
        assert!(once.ends_with("?REDACTED"), "{once}");
        assert_eq!(secrets(&once), once);
    }
    // The slash of the first password is removed with it.
    assert_eq!(secrets("a:/@b:#@c"), "REDACTEDREDACTED@c");
}

proptest! {
    #[test]
    fn no_secret_of_a_signed_url_survives(
        before in "[ -~\u{e9}\u{8996}]{0,30}",
        opening in select(vec!["", " ", "\"", "'", "(", "<", "[", "{", ",", "`", "\\\"", ": "]),
        url in signed_url(),
        closing in select(vec!["", " ", "\"", "'", ")", ">", "]", "}", ",", "`", "\\\"", "\n"]),
        after in "[ -~\u{e9}\u{8996}]{0,30}",
    ) {
        let text = format!("{before}{opening}{url}{closing}{after}");
        for redacted in [secrets(&text), urls(&text)] {
            let is_gone = !redacted.to_uppercase().contains(&SECRET.to_uppercase());
            prop_assert!(is_gone, "{text:?} became {redacted:?}");
        }
    }

    #[test]
    fn no_credential_survives(
        name in select(vec!["Token-0", "SessionToken", "api_key", "Authorization", "password"]),
        form in 0..4_usize,
        before in "[ -~]{0,20}",
        after in "[ -~]{0,20}",
    ) {
        let field = match form {
            0 => format!("<{name}>{SECRET}</{name}>"),
            1 => format!("\"{name}\": \"{SECRET}\""),
            2 => format!("\\\"{name}\\\":\\\"{SECRET}\\\""),
            _ => format!("&{name}={SECRET}"),
        };
        let redacted = secrets(&format!("{before} {field}{after}")).into_owned();
        prop_assert!(!redacted.contains(SECRET), "{redacted:?}");
    }

    #[test]
    fn prose_stays_the_same(text in "([A-Za-z\u{e9}\u{8996},.;!()'-]{1,12}[?]? ){0,20}") {
        prop_assert_eq!(secrets(&text), text.as_str());
        prop_assert_eq!(urls(&text), text.as_str());
    }

    #[test]
    fn any_text_is_read_to_its_end_and_only_once(text in "\\PC{0,200}") {
        let once = secrets(&text).into_owned();
        prop_assert_eq!(secrets(&once), once.as_str());
    }
}
