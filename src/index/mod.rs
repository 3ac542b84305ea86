//! What indexes and find-links locations say of projects, read into
//! [`Listing`](crate::domain::Listing)s, and the metadata inside the files they list.

mod client;
mod flat;
mod html;
mod json;
mod link;
mod page;
mod page_cache;

mod sink;

pub use client::{IndexError, IndexSettings, IndexStrategy, Indexes};
pub use page::{ACCEPT, Page, PageError};
