//! Secret query parameters of URLs: signatures of pre-signed URLs, access tokens.

use std::ops::Range;

use percent_encoding::percent_decode_str;

/// Parts of the names of secret parameters, in lower case without `-` and `_`.
const SECRET_PARTS: [&str; 18] = [
    "token",
    "signature",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "credential",
    "apikey",
    "accesskey",
    "accessid",
    "authkey",
    "authorization",
    "privatekey",
    "clientkey",
    "licensekey",
    "sessionid",
    "oauth",
    "jwt",
];

/// Names of secret parameters that are too short to be searched for inside others; the last ones are
/// those of content delivery networks (Akamai, Tencent, Cloudflare).
const SECRET_NAMES: [&str; 22] = [
    "sig", "sign", "auth", "authz", "hmac", "pwd", "pass", "key", "code", "session", "sid", "bearer", "cred", "ticket",
    "otp", "sas", "gda", "hdnea", "hdnts", "hdntl", "qak", "verify",
];

/// Prefixes of parameters that belong to a signature (Amazon, Google, Alibaba).
const SIGNING_PREFIXES: [&str; 3] = ["xamz", "xgoog", "xoss"];

/// Parameters that are useless without the signature beside them: of Amazon and Google, then of a
/// shared access signature (Azure).
const SIGNED_NAMES: [&str; 19] = [
    "expires",
    "policy",
    "keypairid",
    "se",
    "sp",
    "spr",
    "sv",
    "sr",
    "st",
    "sip",
    "ses",
    "ss",
    "srt",
    "skoid",
    "sktid",
    "skt",
    "ske",
    "sks",
    "skv",
];

fn plain(name: &str) -> String {
    let decoded = percent_decode_str(name).decode_utf8_lossy();
    decoded.chars().filter(|next| !matches!(next, '-' | '_')).flat_map(char::to_lowercase).collect()
}

/// Whether the value of the parameter or variable `name` is a secret.
pub fn is_secret_name(name: &str) -> bool {
    let name = plain(name);
    SECRET_NAMES.contains(&&*name) || SECRET_PARTS.iter().any(|part| name.contains(part))
}

/// Whether the parameter `name` is useless without a secret one.
fn is_signed(name: &str) -> bool {
    let name = plain(name);
    SIGNED_NAMES.contains(&&*name) || SIGNING_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn name_of(parameter: &str) -> &str {
    parameter.split('=').next().unwrap_or_default()
}

/// Whether a query has a secret in it.
pub(super) fn has_secret(query: &str) -> bool {
    query.split('&').any(|parameter| is_secret_name(name_of(parameter)))
}

/// Returns the query without secrets and what belongs to them; `None` if nothing is left.
pub(super) fn without_secrets(query: &str) -> Option<String> {
    if !has_secret(query) {
        return Some(query.to_owned());
    }
    let is_kept = |parameter: &&str| !is_secret_name(name_of(parameter)) && !is_signed(name_of(parameter));
    let kept: Vec<_> = query.split('&').filter(is_kept).collect();
    (!kept.is_empty()).then(|| kept.join("&"))
}

/// Returns the byte ranges of secret parameters' values in `text`, from left to right.
pub(super) fn secret_values(text: &str) -> Vec<Range<usize>> {
    let ends_name = |next: char| !(next.is_ascii_alphanumeric() || matches!(next, '-' | '_' | '.' | '%'));
    let ends_value = |next: char| next.is_whitespace() || matches!(next, '&' | '#' | '\'' | '"' | '`' | '<' | '>');
    let mut found = Vec::new();
    for (at, _) in text.match_indices(['?', '&']) {
        let name = &text[at + 1..];
        let name = &name[..name.find(ends_name).unwrap_or(name.len())];
        let start = at + 1 + name.len() + 1;
        if text[start - 1..].starts_with('=') && is_secret_name(name) {
            let length = text[start..].find(ends_value).unwrap_or(text.len() - start);
            found.push(start..start + length);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_with_what_belongs_to_them() {
        for (query, expected) in [
            ("X-Amz-Algorithm=a&X-Amz-Credential=b&X-Amz-Date=c&X-Amz-Expires=9&X-Amz-Signature=d&id=7", Some("id=7")),
            ("AWSAccessKeyId=a&Signature=b&Expires=9", None),
            ("Policy=a&Signature=b&Key-Pair-Id=c", None),
            ("sv=2024&se=x&sr=b&sp=r&sig=s", None),
            ("X-Goog-Signature=a&GoogleAccessId=b", None),
            ("file=demo.whl&access_token=a", Some("file=demo.whl")),
            ("private%5Ftoken=a", None),
            ("pwd=a&Key=b&session=c&monkey=d", Some("monkey=d")),
            ("auth_key=1-0-0-a&sign=b&q-ak=c&hdnea=d&session_id=e&author=f", Some("author=f")),
            ("sv=1&se=2&expires=never&file=a", Some("sv=1&se=2&expires=never&file=a")),
        ] {
            assert_eq!(without_secrets(query).as_deref(), expected, "{query}");
        }
    }

    #[test]
    fn values_are_found_in_text() {
        let text = "see 'https://h.example/a?x=1&sig=ab%2B&y=2#f' and ?token=cd, AT&T & token=x";
        let found: Vec<_> = secret_values(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, ["ab%2B", "cd,"]);
        assert!(secret_values("?token").is_empty());
    }
}
