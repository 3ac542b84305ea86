//! Generated pages as they are sent.

use bytes::Bytes;

use crate::domain::Sha256;
use crate::layout::IndexPages;

/// A generated page with its `ETag`.
#[derive(Clone, Debug)]
pub struct StaticPage {
    pub bytes: Bytes,
    pub tag: String,
}

impl StaticPage {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { tag: format!("\"{}\"", Sha256::of(&bytes)), bytes: bytes.into() }
    }
}

/// The two forms of a page, with their tags.
#[derive(Clone, Debug)]
pub struct StaticPages {
    pub html: StaticPage,
    pub json: StaticPage,
}

impl From<IndexPages> for StaticPages {
    fn from(pages: IndexPages) -> Self {
        Self { html: StaticPage::new(pages.html), json: StaticPage::new(pages.json) }
    }
}
