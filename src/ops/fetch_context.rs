//! The context that every stage of a run uses.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::Listener;
use super::claimed_metadata::ClaimedMetadata;
use super::fetch_error::FetchError;
use crate::cache_folder::CacheEntries;
use crate::domain::{PackageName, Sha256};
use crate::http::HttpClient;
use crate::index::{Indexes, MetadataCache, MetadataResult};
use crate::shared_store::SharedStore;
use crate::store::DiskStore;

/// The client, indexes, store and caches of a run.
#[derive(Clone)]
pub struct FetchContext {
    pub indexes: Arc<Indexes>,
    pub client: Arc<HttpClient>,
    pub store: DiskStore,
    /// The store that this machine shares with others.
    pub shared: Option<SharedStore>,
    /// The small files of the cache, and those of the shared store.
    pub entries: CacheEntries,
    pub metadata: MetadataCache,
    /// What builds source archives for their metadata, if builds are allowed.
    pub builds: Option<Arc<dyn MetadataBuilder>>,
    /// The claims of indexes that the plan of this run depends on until its files are fetched.
    pub claimed_metadata: ClaimedMetadata,
    /// Whether metadata that a build may contradict is ignored.
    pub strict_metadata: bool,
    /// The identifier of this build of the program, since another one may plan differently.
    pub program: Arc<str>,
}

/// A source archive of the store that is to be built.
#[derive(Clone, Copy, Debug)]
pub struct BuildSource<'a> {
    pub archive: Sha256,
    pub project: &'a PackageName,
    pub filename: &'a str,
}

/// Builds source archives for their metadata.
///
/// A builder plans and fetches what a build needs, so planning and fetching know only this.
pub trait MetadataBuilder: Send + Sync {
    /// Returns the metadata that the build of an archive states, from the cache if possible.
    ///
    /// # Errors
    /// When the build fails.
    fn metadata<'a>(
        &'a self,
        source: BuildSource<'a>,
        context: &'a FetchContext,
        listener: &'a Listener,
    ) -> BoxFuture<'a, Result<MetadataResult, FetchError>>;
}
