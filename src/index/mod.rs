//! What indexes and find-links locations say of projects, read into
//! [`Listing`](crate::domain::Listing)s, and the metadata inside the files they list.

mod client;
mod core_metadata;
mod file_tree;
mod flat;
mod grounds;
mod html;
mod index_metadata;
mod json;
mod link;
mod local_digests;
mod metadata_cache;
mod page;
mod page_cache;
pub mod sdist_metadata;
mod sink;
pub mod wheel_metadata;
mod wheel_tail;

pub use client::{IndexError, IndexSettings, IndexStrategy, Indexes, Inquiry, Stale};
pub use core_metadata::{MetadataFile, WrongIdentity, about, parse_core_metadata};
pub use file_tree::project_page;
pub use flat::{Flat, FlatError};
pub use grounds::Grounds;
pub use local_digests::LocalDigests;
pub use metadata_cache::{Known, MetadataCache};
pub use page::{ACCEPT, Page, PageError};
pub use wheel_tail::wheel_tail;
