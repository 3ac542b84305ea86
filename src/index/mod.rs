//! Indexes and find-links locations: reads their pages into [`Listing`](crate::domain::Listing)s,
//! and the metadata of the files that they list.

mod absence;
mod cached_inputs;
mod core_metadata;
mod error;
mod file_visitor;
mod flat_index;
mod html;
mod index_metadata;
mod indexes;
mod json;
mod link;
mod listing_request;
mod local_digests;
mod local_index;
mod metadata_cache;
mod page;
mod page_cache;
pub mod sdist_metadata;
mod settings;
#[cfg(test)]
mod test_zip;
pub mod wheel_linkage;
pub mod wheel_metadata;
mod wheel_tail;

pub use absence::{AssumedAbsent, IgnoredStatuses};
pub use cached_inputs::CachedInputs;
pub use core_metadata::{MetadataFile, WrongIdentity, metadata_fields, parse_core_metadata, project_summary};
pub use error::{IndexError, StalePage};
pub use flat_index::{FlatError, FlatIndex};
pub use indexes::{AskedIndexes, Indexes};
pub use listing_request::ListingRequest;
pub use local_digests::LocalDigests;
pub use local_index::project_page;
pub use metadata_cache::{MetadataCache, MetadataKey, MetadataResult};
pub use page::{ACCEPT, Page, PageError};
pub use settings::{IndexSettings, IndexStrategy};
pub use wheel_tail::wheel_tail;
