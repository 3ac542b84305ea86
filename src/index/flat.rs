use super::page::{Page, PageError};
use crate::domain::{Listing, MaskedUrl, PackageName};
use std::sync::Arc;
pub struct Flat(Arc<MaskedUrl>);
#[derive(Debug, thiserror::Error)]
pub enum FlatError {
    #[error(transparent)]
    Http(#[from] crate::http::HttpError),
    #[error(transparent)]
    Page(#[from] PageError),
}
impl Flat {
    pub fn read(_p: &std::path::Path, u: Arc<MaskedUrl>) -> Result<Self, FlatError> {
        Ok(Self(u))
    }
    pub fn page(_p: &Page<'_>, u: Arc<MaskedUrl>) -> Result<Self, FlatError> {
        Ok(Self(u))
    }
    pub fn place(&self) -> &Arc<MaskedUrl> {
        &self.0
    }
    pub fn listing(&self, _p: &PackageName) -> Option<Listing> {
        None
    }
}
