//! Why an index could not be read, or was read from an old page.

use std::sync::Arc;

use super::flat_index::FlatError;
use super::page::PageError;
use crate::domain::{HasRemedy, MaskedUrl, PackageName, Remedy};
use crate::http::HttpError;

/// Why an index or a find-links location could not be read.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error("{project}: {source}")]
    Http { project: PackageName, index: Arc<MaskedUrl>, source: Box<HttpError> },
    #[error("{project}: {source}")]
    Page { project: PackageName, source: Box<PageError> },
    /// A flat index whose page says nothing usable.
    #[error("{source}")]
    FindLinks { source: PageError },
    /// A flat index.
    #[error("{source}")]
    Unreachable { source: HttpError },
    #[error("{location}: {source}")]
    Local { location: MaskedUrl, source: FlatError },
}

impl HasRemedy for IndexError {
    fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::Http { source, .. } => source.remedy(),
            Self::Unreachable { source } => source.remedy(),
            Self::Page { .. } | Self::FindLinks { .. } | Self::Local { .. } => None,
        }
    }
}

/// A cached page that was used although its index could not be asked whether it is unchanged.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{project}: what was last seen of it is used, which may be old: {why}")]
pub struct StalePage {
    pub project: PackageName,
    /// The failed request.
    pub why: Arc<HttpError>,
}

impl HasRemedy for StalePage {
    fn remedy(&self) -> Option<Remedy> {
        self.why.remedy()
    }
}
