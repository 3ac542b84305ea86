//! Why a request to a shared store failed.

use std::error::Error as _;

use object_store::Error;

use crate::domain::mask_credentials;
use crate::http::HttpError;

/// Whether the store answered that it lacks the object; a missing bucket is another matter.
pub fn is_absence(error: &Error) -> bool {
    matches!(error, Error::NotFound { .. }) && code(&error.to_string()) != Some("NoSuchBucket")
}

/// Whether the store does not know conditional writes.
pub fn is_unsupported(error: &Error) -> bool {
    matches!(error, Error::NotImplemented { .. } | Error::NotSupported { .. })
        || code(&error.to_string()) == Some("NotImplemented")
}

/// Returns what happened, without secrets.
pub fn reason(error: &Error) -> String {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(own) = error.downcast_ref::<HttpError>() {
            return own.to_string();
        }
        cause = error.source();
    }
    let text = error.to_string();
    if let Some((code, why)) = code(&text).and_then(|code| Some((code, known(code)?))) {
        return format!("{why} ({code})");
    }
    let why = match error {
        Error::PermissionDenied { .. } => "it does not allow that",
        Error::Unauthenticated { .. } => "it wants keys, or other ones",
        Error::NotFound { .. } => "it is not there",
        _ if code(&text).is_some() => "it refuses that",
        _ if text.contains(INSTANCE_KEYS) => {
            return "there are no keys for it: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SKIP_SIGNATURE=true \
                    for a public bucket"
                .to_owned();
        }
        _ => return mask_credentials(&first_line(&text)).into_owned(),
    };
    match (code(&text), message(&text)) {
        (Some(code), Some(message)) => format!("{why} ({code}: {message})"),
        (Some(code), None) => format!("{why} ({code})"),
        _ => why.to_owned(),
    }
}

/// A part of the address at which a machine in a cloud asks for keys where none are set.
const INSTANCE_KEYS: &str = "169.254.169.254";

/// Returns what a code of S3's API means, and what to look at.
fn known(code: &str) -> Option<&'static str> {
    let why = match code {
        "NoSuchBucket" => "there is no such bucket: check its name, the endpoint (AWS_ENDPOINT_URL) and the region",
        "InvalidAccessKeyId" => "it does not know the key: check AWS_ACCESS_KEY_ID",
        "SignatureDoesNotMatch" => "the secret is not that of the key: check AWS_SECRET_ACCESS_KEY and the region",
        "ExpiredToken" => "the session token has expired: get a new one (AWS_SESSION_TOKEN)",
        "InvalidToken" => "it does not take the session token: check AWS_SESSION_TOKEN",
        "RequestTimeTooSkewed" => "the clock of this machine is wrong, or that of the store",
        "AuthorizationHeaderMalformed" => "the bucket is in another region: check AWS_REGION",
        _ => return None,
    };
    Some(why)
}

/// Returns the code of an error of S3's API, such as `AccessDenied`.
fn code(text: &str) -> Option<&str> {
    element(text, "Code")
}

fn message(text: &str) -> Option<&str> {
    element(text, "Message").filter(|message| !message.is_empty())
}

fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(content, _)| content)
}

/// The longest reason in characters.
const LONGEST: usize = 300;

/// Returns the first line of an error, without the `Generic … error: ` by which `object_store` begins
/// many of them.
fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let line = line.strip_prefix("Generic ").and_then(|rest| Some(rest.split_once(" error: ")?.1)).unwrap_or(line);
    line.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn not_found(text: &str) -> Error {
        Error::NotFound { path: "a".to_owned(), source: text.to_owned().into() }
    }

    #[test]
    fn a_missing_bucket_is_no_missing_object() {
        assert!(is_absence(&not_found("404: <Error><Code>NoSuchKey</Code></Error>")));
        let bucket = not_found("404: <Error><Code>NoSuchBucket</Code><Message></Message></Error>");
        assert!(!is_absence(&bucket));
        assert!(reason(&bucket).starts_with("there is no such bucket: check its name"));
    }

    /// As of listings, whose errors the crate does not tell apart.
    #[test]
    fn an_error_of_no_kind_is_told_by_its_code() {
        let text = "Error performing GET http://…: 404: <Error><Code>NoSuchBucket</Code><Message></Message></Error>";
        let error = Error::Generic { store: "S3", source: text.into() };
        assert!(reason(&error).starts_with("there is no such bucket"));
        let text = text.replace("NoSuchBucket", "SlowDown");
        let error = Error::Generic { store: "S3", source: text.into() };
        assert_eq!(reason(&error), "it refuses that (SlowDown)");
    }

    /// Of a machine that is in no cloud.
    #[test]
    fn missing_keys_are_told_as_that() {
        let text = "Error performing PUT http://169.254.169.254/latest/api/token: 403 Forbidden";
        let error = Error::Generic { store: "S3", source: text.into() };
        assert!(reason(&error).contains("AWS_ACCESS_KEY_ID"));
    }

    #[test]
    fn a_refusal_is_told_in_the_words_of_the_store() {
        let text = "403 Forbidden: <Error><Code>AccessDenied</Code><Message>ask the owner</Message></Error>";
        let error = Error::PermissionDenied { path: "a".to_owned(), source: text.into() };
        assert_eq!(reason(&error), "it does not allow that (AccessDenied: ask the owner)");
    }
}
