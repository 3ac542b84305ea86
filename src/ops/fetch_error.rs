//! Why files could not be fetched.

use super::inconsistent_metadata::InconsistentMetadata;
use crate::domain::{HasRemedy, MaskedUrl, Remedy};
use crate::http::HttpError;
use crate::index::sdist_metadata::SdistError;
use crate::index::wheel_metadata::WheelError;
use crate::interpreter::BuildError;
use crate::store::StoreError;

/// A file that could not be fetched.
#[derive(Debug, thiserror::Error)]
#[error("{filename}: {why}")]
pub struct FetchFailure {
    pub filename: Box<str>,
    pub url: MaskedUrl,
    pub why: FetchError,
}

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Wheel(#[from] WheelError),
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Inconsistent(#[from] Box<InconsistentMetadata>),
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The file has no expected digest, and is not even a distribution.
    #[error(transparent)]
    NoDistribution(#[from] NoDistribution),
}

impl FetchError {
    /// Whether the page that listed the file may be outdated: the file has changed or is gone.
    pub(super) fn may_be_of_old_page(&self) -> bool {
        match self {
            Self::Store(StoreError::Mismatch(_)) => true,
            Self::Http(error) => error.is_not_found(),
            _ => false,
        }
    }
}

impl HasRemedy for FetchError {
    fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::Http(why) => why.remedy(),
            Self::Store(why) => why.remedy(),
            Self::Build(why) => why.remedy(),
            Self::Wheel(_) | Self::Refused(_) | Self::Inconsistent(_) | Self::NoDistribution(_) => None,
        }
    }
}

impl HasRemedy for FetchFailure {
    fn remedy(&self) -> Option<Remedy> {
        self.why.remedy()
    }
}

impl FetchFailure {
    /// Whether the page that listed the file may be outdated.
    pub fn may_be_of_old_page(&self) -> bool {
        self.why.may_be_of_old_page()
    }

    /// Whether the file contradicts what was said of it before it was fetched.
    pub fn is_contradiction(&self) -> bool {
        matches!(self.why, FetchError::Inconsistent(_))
    }
}

/// Why bytes are not the wheel or source archive whose name they would get.
#[derive(Debug, thiserror::Error)]
pub enum NoDistribution {
    #[error("it is no wheel: {0}")]
    Wheel(#[from] zip::result::ZipError),
    #[error("it is no source archive: {0}")]
    Source(#[from] SdistError),
}
