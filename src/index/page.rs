//! An answer of an index, read by what it says it is.

use std::sync::Arc;

use super::sink::Sink;
use super::{html, json};
use crate::domain::{Listing, ListingBuilder, MaskedUrl, PackageName};

/// What to ask an index for: pip's types with pip's quality values (`facts/pip.md` 3.1).
pub const ACCEPT: &str =
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01";

const JSON: &str = "application/vnd.pypi.simple.v1+json";
const HTML: [&str; 2] = ["application/vnd.pypi.simple.v1+html", "text/html"];

/// A page as an index answered it.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    pub body: &'a [u8],
    /// The answer's `Content-Type`, which alone decides how the page is read.
    pub content_type: &'a str,
    /// Where the answer came from, after redirects.
    pub url: &'a MaskedUrl,
}

/// Why a page cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    #[error(
        "{page} is of the type `{found}`, not a project page: PEP 691 JSON or PEP 503 HTML; is this the index's URL?"
    )]
    ContentType { page: MaskedUrl, found: String },
    #[error("the JSON of {page} is malformed: {source}")]
    Json { page: MaskedUrl, source: serde_json::Error },
    #[error("{page} is of version {version} of the Simple API, of which only version 1 is known here")]
    ApiVersion { page: MaskedUrl, version: String },
    #[error("{page} answers a web page{} instead of a project page; does the index need a login?", titled(title))]
    WebPage { page: MaskedUrl, title: Option<String> },
}

fn titled(title: &Option<String>) -> String {
    title.as_ref().map(|title| format!(" titled “{title}”")).unwrap_or_default()
}

impl Page<'_> {
    /// Reads the page as what `index` says of `project`.
    ///
    /// # Errors
    /// When the page is of a foreign type, malformed, or something else than a project page.
    pub fn listing(&self, project: &PackageName, index: Arc<MaskedUrl>) -> Result<Listing, PageError> {
        let mut builder = ListingBuilder::new(project.clone(), index, self.url.clone());
        if let Some(base) = self.scan(&mut builder)? {
            builder.rebase(base);
        }
        Ok(builder.finish())
    }

    /// Gives every file of the page to `sink`, and returns its `<base>`.
    pub(super) fn scan(&self, sink: &mut impl Sink) -> Result<Option<MaskedUrl>, PageError> {
        if self.is_of(JSON) {
            return json::scan(self.body, self.url, sink).map(|()| None);
        }
        if !HTML.iter().any(|html| self.is_of(html)) {
            return Err(PageError::ContentType { page: self.url.clone(), found: self.content_type.to_owned() });
        }
        let summary = html::scan(&html::decode(self.body, self.content_type), sink);
        if summary.is_web_page() {
            return Err(PageError::WebPage { page: self.url.clone(), title: summary.title });
        }
        Ok(summary.base.and_then(|base| self.url.join(&base).ok()))
    }

    /// Whether the type begins with `expected`, in any case, as pip compares it.
    fn is_of(&self, expected: &str) -> bool {
        let head = self.content_type.trim_start().as_bytes().get(..expected.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(expected.as_bytes()))
    }
}
