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
    let why = match error {
        Error::PermissionDenied { .. } => "it does not allow that",
        Error::Unauthenticated { .. } => "it wants keys, or other ones",
        Error::NotFound { .. } => "it is not there",
        _ if code(&text).is_some() => "it refuses that",
        _ => return mask_credentials(&first_line(&text)).into_owned(),
    };
    match (code(&text), message(&text)) {
        (Some(code), Some(message)) => format!("{why} ({code}: {message})"),
        (Some(code), None) => format!("{why} ({code})"),
        _ => why.to_owned(),
    }
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

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(LONGEST).collect()
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
        assert_eq!(reason(&bucket), "it is not there (NoSuchBucket)");
    }

    /// As of listings, whose errors the crate does not tell apart.
    #[test]
    fn an_error_of_no_kind_is_told_by_its_code() {
        let text = "Error performing GET http://…: 404: <Error><Code>NoSuchBucket</Code><Message></Message></Error>";
        let error = Error::Generic { store: "S3", source: text.into() };
        assert_eq!(reason(&error), "it refuses that (NoSuchBucket)");
    }

    #[test]
    fn a_refusal_is_told_in_the_words_of_the_store() {
        let text =
            "403 Forbidden: <Error><Code>RequestTimeTooSkewed</Code><Message>look at the clock</Message></Error>";
        let error = Error::PermissionDenied { path: "a".to_owned(), source: text.into() };
        assert_eq!(reason(&error), "it does not allow that (RequestTimeTooSkewed: look at the clock)");
    }
}
