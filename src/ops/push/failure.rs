//! Why a distribution was not pushed.

use crate::domain::{Digest, HasRemedy, Remedy};
use crate::http::HttpError;
use crate::index::PageError;

/// Why a distribution was not pushed.
#[derive(Debug, thiserror::Error)]
pub enum PushFailure {
    /// The registry has other bytes under this name.
    #[error("it is there with other bytes ({listed} there, {own} here)")]
    Conflict { listed: Digest, own: Digest },
    /// The registry does not take it.
    #[error("{error}{}", said(text))]
    Refused { error: HttpError, text: String },
    #[error("{0}")]
    Http(HttpError),
    /// The page of its project cannot be read.
    #[error("{0}")]
    Page(PageError),
}

impl PushFailure {
    /// Makes the failure for a refused upload; `body` is the beginning of the response's body.
    pub fn refused(error: HttpError, body: &str) -> Self {
        Self::Refused { error, text: readable(body) }
    }

    /// Whether further uploads would fail for the same reason.
    pub fn concerns_all(&self) -> bool {
        match self {
            Self::Refused { error, .. } | Self::Http(error) => match error.status_code() {
                Some(status) => matches!(status, 401 | 403 | 404 | 405 | 407) || error.is_outage(),
                None => true,
            },
            Self::Conflict { .. } | Self::Page(_) => false,
        }
    }

    /// Whether the upload may have failed since the registry has the file: from an attempt whose
    /// response was lost, say.
    pub fn may_mean_present(&self) -> bool {
        match self {
            Self::Refused { error, .. } => error.status_code() != Some(401),
            Self::Http(error) => !matches!(error, HttpError::Unreachable { .. } | HttpError::Offline { .. }),
            Self::Conflict { .. } | Self::Page(_) => false,
        }
    }
}

impl HasRemedy for PushFailure {
    fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::Refused { error, .. } | Self::Http(error) => match error.remedy() {
                Some(Remedy::GiveCredentials) => Some(Remedy::GiveUploadCredentials),
                Some(Remedy::CheckAddress) => Some(Remedy::CheckUploadAddress),
                None if error.status_code() == Some(405) => Some(Remedy::CheckUploadAddress),
                other => other,
            },
            Self::Conflict { .. } | Self::Page(_) => None,
        }
    }
}

fn said(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

/// The longest text of a refusal that is shown, in characters.
const LONGEST: usize = 300;

/// Returns the text of a response body without the tags, styles and white space of an HTML page.
fn readable(body: &str) -> String {
    let mut text = String::new();
    let mut rest = body;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        let is_style = tag.get(..5).is_some_and(|name| name.eq_ignore_ascii_case("style"));
        let from = if is_style { tag.find("</style") } else { Some(0) };
        let end = from.and_then(|from| Some(from + tag[from..].find('>')?));
        rest = end.map_or("", |end| &tag[end + 1..]);
    }
    text.push_str(rest);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_shown_without_its_markup() {
        let page = "<!DOCTYPE html>\n<style type=x>b { color: red }</style><h1>Error: 409 </h1>\n<p>it <b>exists</b>";
        assert_eq!(readable(page), "Error: 409 it exists");
        assert_eq!(readable("1 < 2"), "1");
        assert_eq!(readable(&"é ".repeat(1000)).chars().count(), LONGEST);
        assert_eq!(readable("<style>never ends"), "");
    }
}
